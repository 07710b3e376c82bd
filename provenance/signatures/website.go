package signatures

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"audit/inspect/registry/access"
)

// How much is asked of a server that does not do well.
const (
	tries   = 3                      // requests for one narinfo, at most
	backOff = 250 * time.Millisecond // before the second one, four times that before the third
	giveUp  = 6                      // requests that fail in a row: then the server is asked no more
	spacing = 10 * time.Millisecond  // between the beginnings of two requests
)

// A website is a substitute server.
type website struct {
	base    *url.URL
	client  *http.Client
	timeout time.Duration // for a request

	mu     sync.Mutex
	next   time.Time // when the next request may begin
	failed int       // requests in a row
	last   error     // of those that failed
}

// newClient returns a client that follows few redirects, as [judgeRedirect] allows
// them, and leaves answers as they are. It borrows the transport of base, which
// may be nil.
func newClient(base *http.Client, parallel int) *http.Client {
	client := new(http.Client)
	proxy := http.ProxyFromEnvironment
	if base != nil {
		*client = *base
	} else {
		dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second, ControlContext: controlDial}
		client.Transport = &http.Transport{
			Proxy:                  proxy,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			MaxConnsPerHost:        parallel,
			MaxIdleConnsPerHost:    parallel,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: narinfoBytes,
		}
	}
	client.CheckRedirect = judgeRedirect(func(req *http.Request) bool {
		address, err := proxy(req)
		return address == nil && err == nil
	})
	return client
}

// get asks again when the server is in trouble, and gives up when it is so all
// the time.
func (w *website) get(ctx context.Context, name string) (text []byte, err error) {
	for try := range tries {
		if last := w.tired(); last != nil {
			if err == nil {
				err = &givenUpError{last}
			}
			return nil, err
		}
		if try > 0 && access.Wait(ctx, backOff<<(2*(try-1))) != nil {
			return nil, context.Cause(ctx)
		}
		text, err = w.once(ctx, name)
		if !isPassing(err) {
			break
		}
	}
	return text, err
}

// once sends one request, when its turn comes.
func (w *website) once(ctx context.Context, name string) ([]byte, error) {
	if access.Wait(ctx, w.turn()) != nil {
		return nil, context.Cause(ctx)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, w.timeout, &slowError{w.timeout})
	defer cancel()
	text, err := w.request(bounded, name)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == nil || errors.Is(err, errAbsent):
		w.count(nil)
		return text, err
	case bounded.Err() != nil:
		err = context.Cause(bounded)
	}
	return nil, w.count(plain(err))
}

// count takes note of how a request ended.
func (w *website) count(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = err
	if w.failed++; err == nil {
		w.failed = 0
	}
	return err
}

// tired returns the last of too many errors, or nil.
func (w *website) tired() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed < giveUp {
		return nil
	}
	return w.last
}

func (w *website) request(ctx context.Context, name string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base.JoinPath(name).String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "audit")
	res, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		return readNarinfo(res.Body)
	case http.StatusNotFound, http.StatusGone:
		return nil, errAbsent
	case http.StatusForbidden:
		return nil, fmt.Errorf("403 Forbidden, as caches on S3 answer where they have nothing: %w", errAbsent)
	}
	return nil, statusError(res.StatusCode)
}

// turn returns how long to wait before the next request may begin.
func (w *website) turn() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.next.Before(now) {
		w.next = now
	}
	wait := w.next.Sub(now)
	w.next = w.next.Add(spacing)
	return wait
}

// A statusError is an HTTP status that is no answer.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("it answers %d %s", int(e), http.StatusText(int(e)))
}

// A slowError reports a request that took too long.
type slowError struct{ limit time.Duration }

func (e *slowError) Error() string { return fmt.Sprintf("no answer within %v", e.limit) }

// A givenUpError reports a server that is asked no more, since too many requests in
// a row have failed.
type givenUpError struct{ last error }

func (e *givenUpError) Error() string {
	return fmt.Sprintf("not asked, since %d requests in a row had failed: %v", giveUp, e.last)
}

// isPassing says whether the trouble may be over soon.
func isPassing(err error) bool {
	if status, ok := errors.AsType[statusError](err); ok {
		return status >= 500 || status == http.StatusTooManyRequests
	}
	_, slow := errors.AsType[*slowError](err)
	return slow
}
