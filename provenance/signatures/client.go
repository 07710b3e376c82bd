package signatures

import (
	"context"
	"errors"
	"net/http"

	"audit/inspect/host"
)

// NewClient returns a client with the limits of this package: few connections to a
// server, few redirects, none from a public server to a private address. Base may be
// nil; else its transport is borrowed.
func NewClient(base *http.Client, parallel int) *http.Client { return newClient(base, parallel) }

// Public bounds a request whose address nobody here has named to public addresses,
// whatever the name leads to. The error says that it names a private one.
func Public(req *http.Request) (*http.Request, error) {
	if host.IsPrivate(req.URL.Hostname()) {
		return nil, errors.New("a private address, which nobody here has named")
	}
	proxy, err := http.ProxyFromEnvironment(req)
	if proxy != nil || err != nil { // a proxy has an address of its own
		return req, err
	}
	return req.WithContext(context.WithValue(req.Context(), publicOnly{}, true)), nil
}
