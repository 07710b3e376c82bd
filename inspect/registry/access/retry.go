package access

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Bounds on asking again. With those pauses a server that is away for a short time costs
// less than eight seconds; one that names a time is waited for up to a minute each time.
const (
	maxTries     = 5
	firstPause   = 500 * time.Millisecond // each is twice as long as the one before
	longestAsked = time.Minute            // of Retry-After
)

// retrying asks again what failed for a reason that passes: a connection that was cut, a
// server that is overloaded or that asks to be asked less often (RFC 9110, 10.2.3).
type retrying struct{ below http.RoundTripper }

func (t retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		resp, err := t.below.RoundTrip(req)
		pause, passes := pauseAfter(resp, err, firstPause<<(try-1))
		if !passes || try == maxTries || req.Body != nil || req.Context().Err() != nil {
			return resp, err
		}
		if resp != nil {
			io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
			resp.Body.Close()
		}
		if err := Wait(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// pauseAfter says how long to wait before asking again, and whether that can help.
func pauseAfter(resp *http.Response, err error, usual time.Duration) (time.Duration, bool) {
	if err != nil {
		return usual, isPassing(err)
	}
	if !slices.Contains([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, resp.StatusCode) {
		return 0, false
	}
	asked, ok := retryAfter(resp.Header.Get("Retry-After"), time.Now())
	if !ok {
		return usual, true
	}
	return max(asked, usual), asked <= longestAsked
}

// retryAfter reads seconds, or a date.
func retryAfter(text string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(date.Sub(now), 0), true
	}
	return 0, false
}

// isPassing says that a connection failed, and not what is at its end.
func isPassing(err error) bool {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return true
	}
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsTemporary
}

// Wait waits before a server is asked again. It ends with its context, whose cause it
// returns.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
