package signatures

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// redirects is how many a server may answer with.
const redirects = 5

// judgeRedirect says whether a redirect may be followed: to a web server, and not
// from a public one to one in the network of this machine, which the public one
// could not reach by itself.
func judgeRedirect(direct func(*http.Request) bool) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		switch from := via[0].URL; {
		case len(via) > redirects:
			return fmt.Errorf("more than %d redirects", redirects)
		case req.URL.Scheme != "http" && req.URL.Scheme != "https":
			return fmt.Errorf("a redirect to %s: is not followed", req.URL.Scheme)
		case IsPrivate(from.Hostname()):
			return nil
		case IsPrivate(req.URL.Hostname()):
			return errPrivate
		}
		if direct(req) { // a proxy has an address of its own
			*req = *req.WithContext(context.WithValue(req.Context(), publicOnly{}, true))
		}
		return nil
	}
}

var errPrivate = errors.New("a redirect from a public server to a private address")

// publicOnly marks the context of a request that must not reach a private address.
type publicOnly struct{}

// controlDial refuses a private address to a request that must not reach one,
// whatever the name is that led to it.
func controlDial(ctx context.Context, _, address string, _ syscall.RawConn) error {
	if ctx.Value(publicOnly{}) == nil {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if IsPrivate(host) {
		return errPrivate
	}
	return nil
}

// IsPrivate says whether a host is this machine or in its network, by its name or
// address alone: an address that is not global, however it is written, or a name that
// no public server has (RFC 2606, 6761, 6762, 8375).
func IsPrivate(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = embedded(ip.Unmap().WithZone(""))
		return !ip.IsGlobalUnicast() || ip.IsPrivate() || sharedAddresses.Contains(ip)
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	// 127.1, 0x7f000001 and 2130706433 are addresses to a resolver.
	number := last != "" && (strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"))
	return number || len(labels) == 1 || slices.Contains([]string{"localhost", "local", "internal", "lan", "home", "corp", "test"}, last) ||
		strings.HasSuffix(host, ".home.arpa")
}

// embedded returns the IPv4 address that an IPv6 address stands for, by NAT64 (RFC 6052)
// or 6to4 (RFC 3056), else the address itself.
func embedded(ip netip.Addr) netip.Addr {
	b := ip.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:]))
	case netip.MustParsePrefix("2002::/16").Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}

// sharedAddresses are those that carriers use inside (RFC 6598).
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")
