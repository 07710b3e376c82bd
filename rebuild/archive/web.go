package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"audit/inspect/registry/access"
	"audit/provenance/signatures"
)

// How much is asked of servers.
const (
	spacing     = 50 * time.Millisecond // between two requests to a server
	giveUp      = 3                     // requests that fail in a row: then it is asked no more
	longestWait = 20 * time.Second      // for a limit of a server's rate to pass
	maxBody     = 1 << 20               // bytes of an answer
	maxAge      = 30                    // days that an answer that something is there is kept
	maxAgeNone  = 1                     // days that one that nothing is there is kept
)

// A request is one question to a server.
type request struct {
	method  string
	address string
	body    []byte
	state   State   // of the source where the answer is yes
	named   bool    // the user, or this program, named the server: it may be a private one
	known   *answer // where it was asked before
	fits    judge   // nil takes any answer
}

// An answer is that of a server; no status when there was none.
type answer struct {
	status int
	day    string
}

// isDefinite says whether the server has something, or has it not.
func (a answer) isDefinite() bool {
	switch a.status {
	case http.StatusOK, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

// A web asks servers, each one at a time.
type web struct {
	client  *http.Client
	timeout time.Duration
	cache   string
	today   string

	// resolved says that some server was reached by its name in this run.
	resolved atomic.Bool

	mu    sync.Mutex
	hosts map[string]*host
}

// A host is what is known of a server.
type host struct {
	mu     sync.Mutex
	failed int       // requests in a row
	next   time.Time // when the next request may begin
}

func newWeb(opt Options) *web {
	timeout := opt.RequestTimeout
	if timeout <= 0 {
		timeout = 20 * time.Second
	}
	return &web{
		client: signatures.NewClient(opt.Client, parallel), timeout: timeout, cache: opt.CacheDir,
		today: opt.Now.UTC().Format(time.DateOnly), hosts: make(map[string]*host),
	}
}

func (w *web) host(name string) *host {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hosts[name] == nil {
		w.hosts[name] = new(host)
	}
	return w.hosts[name]
}

// get asks a server, or the cache. What is no answer has no status.
func (w *web) get(ctx context.Context, r request) answer {
	if kept, ok := w.recall(r); ok {
		return kept
	}
	u, err := url.Parse(r.address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return answer{}
	}
	h := w.host(u.Host)
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.failed < giveUp && access.Wait(ctx, time.Until(h.next)) == nil {
		got, again := w.once(ctx, h, r)
		if again {
			continue
		}
		if got.isDefinite() {
			w.keep(r, got)
		}
		return got
	}
	return answer{}
}

// once sends one request, and says whether to send it again, when the server's limit
// has passed.
func (w *web) once(ctx context.Context, h *host, r request) (got answer, again bool) {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	res, err := w.send(ctx, r)
	h.next = time.Now().Add(spacing)
	switch {
	case err != nil && r.state == Address && w.nameless(r, err):
		return answer{status: http.StatusNotFound, day: w.today}, false
	case err != nil:
		h.failed++
		return answer{}, false
	}
	defer res.Body.Close()
	w.reached(res)
	wait := limit(res)
	switch {
	case wait > longestWait:
		h.failed = giveUp // not in this run
	case wait > 0:
		h.next = time.Now().Add(wait)
	}
	if res.StatusCode == http.StatusTooManyRequests {
		h.failed++
		return answer{}, wait > 0 && wait <= longestWait && h.failed < giveUp
	}
	got = answer{status: res.StatusCode, day: w.today}
	if !got.isDefinite() || r.fits != nil && !r.fits(res) {
		h.failed++
		return answer{}, false
	}
	if wait <= longestWait {
		h.failed = 0
	}
	return got, false
}

// nameless says that an address is gone with the name of its server. Where no other name
// leads anywhere, that says nothing: there may be no network.
func (w *web) nameless(r request, err error) bool {
	none, ok := errors.AsType[*net.DNSError](err)
	u, e := url.Parse(r.address)
	return ok && none.IsNotFound && e == nil && none.Name == u.Hostname() && w.resolved.Load()
}

// reached takes note that names lead somewhere. A name without a dot may be that of
// this machine.
func (w *web) reached(res *http.Response) {
	name := res.Request.URL.Hostname()
	if _, err := netip.ParseAddr(name); err != nil && strings.Contains(name, ".") {
		w.resolved.Store(true)
	}
}

func (w *web) send(ctx context.Context, r request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, r.address, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "audit")
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if !r.named {
		if req, err = signatures.Public(req); err != nil {
			return nil, err
		}
	}
	return w.client.Do(req)
}

// limit is how long a server asks to be left alone: by Retry-After, or, where it counts
// the requests that are left (X-RateLimit-Remaining) and has come to none, until the
// time that X-RateLimit-Reset says, in seconds since 1970.
func limit(res *http.Response) time.Duration {
	limited := res.StatusCode == http.StatusTooManyRequests
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds >= 0 && limited {
		return max(time.Duration(min(seconds, 1<<20))*time.Second, time.Millisecond)
	}
	if res.Header.Get("X-RateLimit-Remaining") != "0" && !limited {
		return 0
	}
	reset, err := strconv.ParseInt(res.Header.Get("X-RateLimit-Reset"), 10, 64)
	switch {
	case err != nil && limited:
		return longestWait + 1
	case err != nil:
		return 0
	}
	return max(time.Until(time.Unix(reset, 0)), time.Millisecond)
}

// kept is an answer in the cache.
type kept struct {
	Address string `json:"address"`
	Status  int    `json:"status"`
	Day     string `json:"day"`
}

func (w *web) file(r request) string {
	return filepath.Join(w.cache, fmt.Sprintf("%x.json", sha256.Sum256([]byte(r.method+" "+r.address))))
}

// recall returns the answer that is kept, where it is not too old. What was asked for
// many things at once is not kept.
func (w *web) recall(r request) (answer, bool) {
	if w.cache == "" || r.method == http.MethodPost {
		return answer{}, false
	}
	text, err := os.ReadFile(w.file(r))
	var k kept
	if err != nil || json.Unmarshal(text, &k) != nil || k.Address != r.address {
		return answer{}, false
	}
	day, err := time.Parse(time.DateOnly, k.Day)
	today, _ := time.Parse(time.DateOnly, w.today)
	age, most := today.Sub(day), maxAge
	if k.Status >= 300 {
		most = maxAgeNone
	}
	if err != nil || age < 0 || age > time.Duration(most)*24*time.Hour {
		return answer{}, false
	}
	return answer{status: k.Status, day: k.Day}, true
}

// keep keeps an answer; that it cannot be kept costs one more question next time.
func (w *web) keep(r request, got answer) {
	if w.cache == "" || r.method == http.MethodPost || os.MkdirAll(w.cache, 0o777) != nil {
		return
	}
	text, err := json.Marshal(kept{r.address, got.status, got.day})
	if err != nil {
		return
	}
	f, err := os.CreateTemp(w.cache, "new-*")
	if err != nil {
		return
	}
	_, err = f.Write(text)
	if e := f.Close(); err != nil || e != nil || os.Rename(f.Name(), w.file(r)) != nil {
		os.Remove(f.Name())
	}
}
