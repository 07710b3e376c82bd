// Package host judges the hosts of addresses that an image, or a server, names.
package host

import (
	"net/netip"
	"slices"
	"strings"
)

// IsPrivate says whether a host, a name or an IP address without brackets and port,
// is this machine or in its network: an address that is not global, or a name that
// no public server has (RFC 6761, 6762, 8375). What a name resolves to is not asked.
func IsPrivate(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return isPrivateAddress(ip.Unmap().WithZone(""))
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	return isNumber(host) || len(labels) == 1 || slices.Contains([]string{"localhost", "local", "internal", "lan", "home", "corp", "test"}, last) ||
		strings.HasSuffix("."+host, ".home.arpa")
}

// IsLoopback says whether a host is this machine: localhost, or a loopback address.
func IsLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && innermost(ip).IsLoopback()
}

// MayLead says whether a server of one host may send its clients to another host: into
// an inner network only from one, to this machine only from itself, and to what is on
// the same link, where clouds keep the secrets of a machine, only from there.
func MayLead(from, to string) bool {
	if !IsPrivate(to) || strings.EqualFold(from, to) {
		return true
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(to, "."))
	ip = innermost(ip)
	switch {
	case IsLoopback(to):
		return IsLoopback(from)
	case err != nil:
		return IsPrivate(from) && !isNumber(to)
	case ip.IsLinkLocalUnicast():
		own, err := netip.ParseAddr(from)
		return err == nil && innermost(own).IsLinkLocalUnicast()
	}
	return ip.IsGlobalUnicast() && IsPrivate(from) // no server has another one
}

// isNumber says that a name is an address to a resolver, such as 127.1, 0x7f000001 and
// 2130706433.
func isNumber(host string) bool {
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(host, ".")), ".")
	last := labels[len(labels)-1]
	return last != "" && (strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"))
}

// innermost is the address that one stands for, of IPv4 where that is embedded in it.
func innermost(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() {
		return ip
	}
	if inner, ok := embedded(ip); ok && !ip.IsLoopback() {
		return inner
	}
	return ip
}

func isPrivateAddress(ip netip.Addr) bool {
	if inner, ok := embedded(ip); ok {
		return isPrivateAddress(inner)
	}
	return !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// reserved are addresses of inner networks that are none of [netip.Addr.IsPrivate].
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),      // this network (RFC 1122)
	netip.MustParsePrefix("100.64.0.0/10"),  // that of carriers (RFC 6598)
	netip.MustParsePrefix("240.0.0.0/4"),    // kept for the future (RFC 1112)
	netip.MustParsePrefix("fec0::/10"),      // of a site (RFC 3879)
	netip.MustParsePrefix("64:ff9b:1::/48"), // of a network's own NAT64 (RFC 8215)
	netip.MustParsePrefix("2001::/32"),      // Teredo (RFC 4380), behind whose server is another's network
}

// embedded returns the IPv4 address that one of IPv6 stands for.
func embedded(ip netip.Addr) (netip.Addr, bool) {
	b := ip.As16()
	v4 := func(at int) (netip.Addr, bool) { return netip.AddrFrom4([4]byte(b[at:])), true }
	switch {
	case ip.Is4():
	case netip.MustParsePrefix("64:ff9b::/96").Contains(ip), // NAT64 (RFC 6052)
		netip.MustParsePrefix("::/96").Contains(ip),           // IPv4-compatible (RFC 4291)
		netip.MustParsePrefix("::ffff:0:0:0/96").Contains(ip): // IPv4-translated (RFC 2765)
		return v4(12)
	case netip.MustParsePrefix("2002::/16").Contains(ip): // 6to4 (RFC 3056)
		return v4(2)
	}
	return netip.Addr{}, false
}
