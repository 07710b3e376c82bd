package signatures

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	"audit/inspect/host"
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
		case host.IsPrivate(from.Hostname()):
			return nil
		case host.IsPrivate(req.URL.Hostname()):
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
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if host.IsPrivate(name) {
		return errPrivate
	}
	return nil
}
