package access

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"audit/inspect/limit"
)

// An idleTransport ends a request to which a server has sent nothing for a while,
// be it before the answer or in the midst of it, with a [limit.Error].
type idleTransport struct {
	below http.RoundTripper
	limit time.Duration
}

func (t idleTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	w := &watch{transport: t, host: req.URL.Host, cancel: cancel}
	w.timer = time.AfterFunc(t.limit, w.expire)
	resp, err := t.below.RoundTrip(req.WithContext(ctx))
	w.timer.Stop()
	if err != nil {
		cancel()
		return nil, w.cause(err)
	}
	resp.Body = &watchedBody{resp.Body, w}
	return resp, nil
}

// A watch waits for a sign of life.
type watch struct {
	transport idleTransport
	host      string
	timer     *time.Timer
	expired   atomic.Bool
	cancel    context.CancelFunc
}

func (w *watch) expire() {
	w.expired.Store(true)
	w.cancel()
}

// cause returns what ended a request that ended with err.
func (w *watch) cause(err error) error {
	if !w.expired.Load() {
		return cut(err)
	}
	return &limit.Error{Name: limit.IdleSeconds, Limit: int64(w.transport.limit.Seconds()), Where: "the server " + w.host}
}

type watchedBody struct {
	io.ReadCloser
	watch *watch
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.watch.timer.Reset(b.watch.transport.limit)
	n, err := b.ReadCloser.Read(p)
	b.watch.timer.Stop()
	if err != nil && err != io.EOF {
		err = b.watch.cause(err)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.watch.timer.Stop()
	b.watch.cancel()
	return b.ReadCloser.Close()
}
