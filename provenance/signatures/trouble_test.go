package signatures

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"audit/inspect/check"
)

// Servers in trouble: each question ends with the right word and reason before
// the time for the whole check is over, and none makes it pass or fail.
func TestTrouble(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	hang := func(http.ResponseWriter, *http.Request) { <-release }
	cases := []struct {
		name string
		do   http.HandlerFunc
		word Word
		why  string
	}{
		{"hangs", hang, Unreachable, "answer/slow limit=100ms"},
		{"drips", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.Write([]byte("S"))
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		}, Unreachable, "answer/slow limit=100ms"},
		{"500", answer(500), Unreachable, "answer/http-status status=500 text=Internal Server Error"},
		{"429", answer(429), Unreachable, "answer/http-status status=429 text=Too Many Requests"},
		{"401", answer(401), Unreachable, "answer/http-status status=401 text=Unauthorized"},
		{"204", answer(204), Unreachable, "answer/http-status status=204 text=No Content"},
		{"403", answer(403), Unknown, "answer/forbidden"},
		{"404", answer(404), Unknown, ""},
		{"410", answer(410), Unknown, ""},
		{"loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, Unreachable, "more than 5 redirects"},
		{"to a file", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		}, Unreachable, "redirect to file:"},
		{"cut off", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "900")
			w.Write([]byte("StorePath: "))
		}, Unreachable, "unexpected EOF"},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Unreachable, "EOF"},
	}
	all := items(t, "guix/images/tiny.tar.gz")
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			opt := Options{Servers: []string{serveHanging(t, tt.do)}, Keys: farmKeys(t), RequestTimeout: 5 * time.Second, Timeout: time.Minute}
			if strings.Contains(tt.why, "100ms") {
				opt.RequestTimeout = 100 * time.Millisecond
			}
			c, outcomes := Check(t.Context(), all, opt)
			for _, o := range outcomes {
				if o.Word != tt.word || !strings.Contains(whyText(o), tt.why) {
					t.Errorf("%s: %v", o.Path, o)
				}
			}
			if c.Status != check.Unknown || c.Bytes != 0 {
				t.Errorf("%v, %d bytes: %s", c.Status, c.Bytes, reasonsOf(c))
			}
			if !strings.Contains(reasonsOf(c), "6 "+tt.word.String()) {
				t.Errorf("the summary does not count: %s", reasonsOf(c))
			}
		})
	}
}

func answer(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// serveHanging serves without waiting at the end for a handler that hangs.
func serveHanging(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String()
}

// A server that sends a gigabyte gets rid of a small part of it.
func TestFlood(t *testing.T) {
	var sent atomic.Int64
	const gigabyte = 1 << 30
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		block := []byte(strings.Repeat("StorePath: /gnu/store/x\n", 1024))
		for n := 0; n < gigabyte; n += len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
			sent.Add(int64(len(block)))
		}
	}))
	c, outcomes := checked(t, items(t, "guix/images/tiny.tar.gz"), Options{Servers: []string{server}, Keys: farmKeys(t)})
	for _, o := range outcomes {
		if o.Word != Unreachable || !strings.Contains(whyText(o), "longer than the 65536 bytes") {
			t.Errorf("%s: %v", o.Path, o)
		}
	}
	if c.Status != check.Unknown || sent.Load() > gigabyte/4 {
		t.Errorf("%v after %d bytes", c.Status, sent.Load())
	}
}

// One 500 is passing trouble.
func TestRetry(t *testing.T) {
	var failed sync.Map
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, again := failed.LoadOrStore(r.URL.Path, true); !again && strings.HasPrefix(r.URL.Path, "/y1wsz") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		dir(guixFarm).ServeHTTP(w, r)
	}))
	all := items(t, "guix/images/tiny.tar.gz")
	c, _ := checked(t, all, Options{Servers: []string{server}, Keys: farmKeys(t), Terms: madeForTiny(all)})
	if c.Status != check.Pass {
		t.Errorf("%v: %s", c.Status, reasonsOf(c))
	}
}

// A server that only fails is left alone after some requests, and a server
// that does well is not held up by it.
func TestGiveUp(t *testing.T) {
	var requests atomic.Int32
	broken := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	all := slices.Repeat(items(t, "guix/images/hello.tar.gz"), 40)
	c, outcomes := checked(t, all, Options{Servers: []string{broken, serve(t, dir(guixFarm))}, Keys: farmKeys(t), Terms: madeForTiny(all)})
	if n := requests.Load(); n < giveUp || n > giveUp+4 {
		t.Errorf("%d requests", n)
	}
	for i, o := range outcomes {
		if i%2 == 0 && o.Word != Unreachable {
			t.Errorf("%s: %v", o.Path, o)
		}
	}
	if c.Status != check.Pass || !strings.Contains(reasonsOf(c), `signatures/other-silences count="`) {
		t.Errorf("%v: %s", c.Status, reasonsOf(c))
	}
	if got := rules(c, check.Note); !strings.HasPrefix(got, "unreachable") {
		t.Errorf("notes %s", got)
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	servers := map[string]string{
		"http://" + l.Addr().String():               "connection refused",
		"file:///no/such/folder":                    "no such folder",
		"ftp://example.org":                         "no address of a substitute server",
		"bordeaux.guix.gnu.org":                     "no address of a substitute server",
		"http://":                                   "no address of a substitute server",
		"file://elsewhere/cache":                    "no address of a substitute server",
		"http://user:hush@[::1":                     "missing ']'",
		"http://user:hush@" + l.Addr().String():     "connection refused",
		address(t, guixFarm+"/nix-cache-info"):      "no such folder",
		"file:" + strings.Repeat("/x", 5000) + "/x": "no such folder",
	}
	all := items(t, "guix/images/tiny.tar.gz")[:1]
	for server, why := range servers {
		c, outcomes := checked(t, all, Options{Servers: []string{server}, Keys: farmKeys(t)})
		o := outcomes[0]
		if o.Word != Unreachable || !strings.Contains(whyText(o), why) || c.Status != check.Unknown {
			t.Errorf("%.60s: %v", server, o)
		}
		if text := c.Findings[0].Message.String() + reasonsOf(c) + o.Server; strings.Contains(text, "hush") {
			t.Errorf("a password is shown: %s", text)
		}
		isAddress := !strings.Contains(why, "no address") && !strings.Contains(why, "missing")
		if err := CheckServer(server); (err == nil) != isAddress || err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%.60s: CheckServer says %v", server, err)
		}
	}
}

// When the caller has enough, or the time is over, what is left is unreachable.
func TestEnd(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	all := items(t, "guix/images/tiny.tar.gz")
	server := serveHanging(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	for name, tt := range map[string]struct {
		ctx     context.Context
		timeout time.Duration
		why     string
	}{
		"cancelled": {cancelled(t), time.Minute, "answer/error error=context canceled"},
		"timeout":   {t.Context(), 50 * time.Millisecond, "answer/time-over"},
	} {
		c, outcomes := Check(tt.ctx, all, Options{Servers: []string{server}, Timeout: tt.timeout, RequestTimeout: time.Minute})
		for _, o := range outcomes {
			if o.Word != Unreachable || whyText(o) != tt.why {
				t.Errorf("%s: %v", name, o)
			}
		}
		if c.Status != check.Unknown {
			t.Errorf("%s: %v", name, c.Status)
		}
	}
}

// At most Parallel requests are under way at a time, and progress is told one
// answer at a time.
func TestPolite(t *testing.T) {
	var now, most atomic.Int32
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(20 * time.Millisecond)
		now.Add(-1)
		http.NotFound(w, r)
	}))
	var told []int
	all := items(t, "guix/images/tiny.tar.gz")
	Check(t.Context(), all, Options{Servers: []string{server}, Parallel: 2, Progress: func(done, total int) {
		if total != len(all) {
			t.Errorf("of %d", total)
		}
		told = append(told, done)
	}})
	if most.Load() > 2 {
		t.Errorf("%d requests at a time", most.Load())
	}
	for i, n := range told {
		if n != i+1 {
			t.Errorf("progress %v", told)
		}
	}
	if len(told) != len(all) {
		t.Errorf("progress %v", told)
	}
}

func TestRedirect(t *testing.T) {
	to := serve(t, dir(guixFarm))
	from := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to+r.URL.Path, http.StatusMovedPermanently)
	}))
	c, outcomes := checked(t, items(t, "guix/images/tiny.tar.gz"), Options{Servers: []string{from + "/?priority=10"}, Keys: farmKeys(t), Terms: madeForTiny(items(t, "guix/images/tiny.tar.gz"))})
	if c.Status != check.Pass || outcomes[0].Server != from {
		t.Errorf("%v from %s: %s", c.Status, outcomes[0].Server, reasonsOf(c))
	}
}

// A public server cannot lead into the network of this machine, whatever it calls it.
func TestRedirectToPrivate(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		refused  bool
	}{
		{"https://farm.example.org", "https://cdn.example.org", false},
		{"https://farm.example.org", "http://127.0.0.1:8080", true},
		{"https://farm.example.org", "http://[::1]/", true},
		{"https://farm.example.org", "http://[::ffff:10.0.0.1]/", true},
		{"https://farm.example.org", "http://192.168.1.1/", true},
		{"https://farm.example.org", "http://169.254.169.254/latest/", true},
		{"https://farm.example.org", "http://100.64.1.1/", true},
		{"https://farm.example.org", "http://0.0.0.0/", true},
		{"https://farm.example.org", "http://localhost./", true},
		{"https://farm.example.org", "http://metadata.google.internal/", true},
		{"https://farm.example.org", "http://intranet/", true},
		{"https://203.0.113.1", "http://10.0.0.1/", true},
		{"https://203.0.113.1", "file:///etc/passwd", true},
		{"http://10.0.0.1", "http://10.0.0.2/", false},
		{"http://10.0.0.1", "https://cdn.example.org", false},
	} {
		to := httptest.NewRequest("GET", tc.to, nil)
		err := judgeRedirect(func(*http.Request) bool { return true })(to, []*http.Request{httptest.NewRequest("GET", tc.from, nil)})
		if (err != nil) != tc.refused {
			t.Errorf("%s to %s: %v", tc.from, tc.to, err)
		}
		// A name that leads into this network is refused where it is dialled.
		if dialled := controlDial(to.Context(), "tcp", "192.168.1.1:80", nil); err == nil && (dialled != nil) != !strings.Contains(tc.from, "10.0.0.1") {
			t.Errorf("%s to %s: dialling a private address: %v", tc.from, tc.to, dialled)
		}
	}
}

// A caller's client is used, but not its rule for redirects.
func TestClient(t *testing.T) {
	used := false
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		used = true
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("no network here")}
	})}
	_, outcomes := checked(t, items(t, "guix/images/tiny.tar.gz")[:1], Options{Servers: []string{"https://bordeaux.guix.gnu.org"}, Client: client})
	if o := outcomes[0]; !used || o.Word != Unreachable || whyText(o) != "answer/error error=no network here" {
		t.Errorf("%v", o)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// whyText is the code of why an outcome is what it is, and its arguments.
func whyText(o Outcome) string { return messageText(o.Why) }

func messageText(m check.Message) string {
	text := m.Code
	for _, name := range slices.Sorted(maps.Keys(m.Args)) {
		value := m.Args.String(name)
		if inner, ok := m.Args[name].(check.Message); ok {
			value = messageText(inner)
		}
		text += " " + name + "=" + value
	}
	return text
}
