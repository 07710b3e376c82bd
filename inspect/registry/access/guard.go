package access

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"audit/inspect/host"
)

// A RefusedError says of an address that nothing is asked there, and why. It names the
// server alone: what follows may be a secret.
type RefusedError struct {
	To   string // "http://registry.example:5000"
	From string // the server that leads there; "" for an address that the user names
	Err  error
}

func (e *RefusedError) Error() string {
	if e.From == "" {
		return fmt.Sprintf("%s is not asked: %v", e.To, e.Err)
	}
	return fmt.Sprintf("%s leads to %s, which is not asked: %v", e.From, e.To, e.Err)
}

func (e *RefusedError) Unwrap() error { return e.Err }

var (
	errPlain       = errors.New("plain HTTP is taken with --tls-verify=false alone")
	errCredentials = errors.New("credentials go over plain HTTP with --tls-verify=false alone")
	errDowngrade   = errors.New("from https it is plain HTTP, which --tls-verify=false alone takes")
	errInner       = errors.New("it is an address of this machine or of an inner network, and the first is not")
)

// guarded asks nothing over plain HTTP, but of this machine and there without
// credentials, unless that is wanted; and follows no server to the addresses of
// [host.MayLead].
type guarded struct {
	below   http.RoundTripper
	options *Options
}

func (t guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.options.refused(req); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	return t.below.RoundTrip(req)
}

func (o *Options) refused(req *http.Request) error {
	refused := &RefusedError{To: server(req.URL)}
	plain := req.URL.Scheme == "http" && (o == nil || !o.Insecure)
	if before := leading(req); before != nil {
		refused.From = server(before.URL)
		switch {
		case plain && before.URL.Scheme == "https":
			refused.Err = errDowngrade
		case !host.MayLead(first(before).URL.Hostname(), req.URL.Hostname()):
			refused.Err = errInner
		}
	}
	switch {
	case refused.Err != nil || !plain:
	case !host.IsLoopback(req.URL.Hostname()) || o != nil && o.Verified:
		refused.Err = errPlain
	case hasCredentials(req):
		refused.Err = errCredentials
	}
	if refused.Err == nil {
		return nil
	}
	return refused
}

// leading is the request whose answer has led to another one; nil when none has.
func leading(req *http.Request) *http.Request {
	if req.Response == nil {
		return nil
	}
	return req.Response.Request
}

// first is the request that the user's address is of.
func first(req *http.Request) *http.Request {
	for before := leading(req); before != nil; before = leading(req) {
		req = before
	}
	return req
}

// hasCredentials says that a request has a password or a token: in its header, or in the
// form with which a token is asked for (OAuth 2.0, RFC 6749).
func hasCredentials(req *http.Request) bool {
	return req.Header.Get("Authorization") != "" || req.URL.User != nil || req.Header.Get("Content-Type") == "application/x-www-form-urlencoded"
}

// server is the part of an address that is no secret.
func server(u *url.URL) string { return u.Scheme + "://" + u.Host }
