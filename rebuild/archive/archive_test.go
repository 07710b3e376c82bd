package archive

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	file   = "1111111111111111111111111111111111111111111111111111111111111111"
	tree   = "2222222222222222222222222222222222222222222222222222222222222222"
	farmed = "3333333333333333333333333333333333333333333333333333333333333333"
	taken  = "4444444444444444444444444444444444444444444444444444444444444444"
	lost   = "5555555555555555555555555555555555555555555555555555555555555555"
	commit = "6666666666666666666666666666666666666666"
	id     = "swh:1:dir:7777777777777777777777777777777777777777"
)

// A world is an archive, a farm, a database and a site, all on one server of this
// machine, whatever the name by which they are asked.
type world struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	limit func(w http.ResponseWriter, r *http.Request) bool
}

// newWorld serves the shapes of answers that the API's documentation has.
func newWorld(t *testing.T) *world {
	w := new(world)
	there := map[string]string{
		"swh.example/api/1/content/sha256:" + file + "/":          `{"checksums":{"sha256":"` + file + `"},"length":1,"status":"visible"}`,
		"swh.example/api/1/extid/nar-sha256/hex:" + tree + "/":    `{"extid_type":"nar-sha256","extid":"` + tree + `","target":"` + id + `","extid_version":1}`,
		"swh.example/api/1/origin/https://git.example/hello/get/": `{"url":"https://git.example/hello"}`,
		"disarchive.example/sha256/" + taken:                      "(disarchive)",
		"site.example/x.tar":                                      "x",
	}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.Method+" "+r.Host+r.URL.Path)
		w.mu.Unlock()
		switch text, ok := there[r.Host+r.URL.Path]; {
		case w.limit != nil && w.limit(rw, r):
		case r.Host+r.URL.Path == "swh.example/api/1/known/" && r.Method == http.MethodPost:
			var ids []string
			answer := make(map[string]map[string]bool)
			if err := json.NewDecoder(r.Body).Decode(&ids); err != nil {
				t.Error(err)
			}
			for _, one := range ids {
				answer[one] = map[string]bool{"known": one == "swh:1:rev:"+commit || one == id}
			}
			json.NewEncoder(rw).Encode(answer)
		case strings.HasPrefix(r.Host+r.URL.Path, "farm.example/file/farmed/sha256/") && len(r.URL.Path) == len("/file/farmed/sha256/")+52:
			rw.Header().Set("Content-Type", "application/octet-stream")
		case ok:
			rw.Write([]byte(text))
		default:
			http.Error(rw, `{"exception":"NotFoundExc","reason":"not found"}`, http.StatusNotFound)
		}
	}))
	t.Cleanup(w.Close)
	return w
}

// client reaches the world by any name.
func (w *world) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, w.Listener.Addr().String())
	}}}
}

func (w *world) options() Options {
	return Options{API: []string{"http://swh.example/api/1/"}, Farms: []string{"http://farm.example"}, Addresses: true, Client: w.client(), Now: time.Date(2026, 11, 29, 1, 0, 0, 0, time.UTC)}
}

var questions = []Question{
	{Name: "file", Algorithm: "sha256", Hash: file},
	{Name: "tree", Algorithm: "sha256", Hash: tree, Recursive: true},
	{Name: "by commit", Algorithm: "sha256", Hash: lost, Recursive: true, Commit: commit},
	{Name: "by content", Algorithm: "sha512", Hash: lost, SWHID: id},
	{Name: "by tag", Algorithm: "sha256", Hash: lost, Recursive: true, Origins: []string{"https://git.example/hello"}},
	{Name: "farmed", Algorithm: "sha256", Hash: farmed},
	{Name: "taken", Algorithm: "sha256", Hash: taken, Databases: []string{"http://disarchive.example/"}},
	{Name: "at its address", Algorithm: "sha256", Hash: lost, Files: []string{"http://gone.example/x.tar", "http://site.example/x.tar"}},
	{Name: "lost", Algorithm: "sha256", Hash: lost, Files: []string{"http://site.example/y.tar"}, Whole: true},
	{Name: "in a repository", Algorithm: "sha256", Hash: lost, Recursive: true, Origins: []string{"https://git.example/other"}},
	{Name: "in the network here", Algorithm: "sha256", Hash: lost, Files: []string{"http://192.168.1.1/x", "http://localhost/x"}, Whole: true},
}

var expected = []State{Archived, Archived, Commit, Archived, Origin, Archived, Archived, Address, Gone, NotArchived, Unknown}

func states(answers []Answer) (all []State) {
	for _, a := range answers {
		all = append(all, a.State)
	}
	return all
}

func TestAsk(t *testing.T) {
	w := newWorld(t)
	done := 0
	opt := w.options()
	opt.Progress = func(n, total int) { done = n }
	answers := Ask(t.Context(), questions, opt)
	if diff := cmp.Diff(expected, states(answers)); diff != "" || done != len(questions) {
		t.Errorf("%d of %d (-want +got):\n%s", done, len(questions), diff)
	}
	if a := answers[0]; a.Day != "2026-11-29" || a.Where != "http://swh.example/api/1/content/sha256:"+file+"/" {
		t.Errorf("%+v", a)
	}
	for _, line := range w.asked {
		if strings.Contains(line, "192.168") || strings.Contains(line, "localhost") {
			t.Errorf("asked: %s", line)
		}
	}
}

// What was answered is asked again only when the answer is old; what was not is asked
// again at once.
func TestCache(t *testing.T) {
	w := newWorld(t)
	opt := w.options()
	opt.CacheDir = t.TempDir()
	Ask(t.Context(), questions, opt)
	w.asked = nil
	opt.Now = opt.Now.AddDate(0, 0, 1)
	again := Ask(t.Context(), questions, opt)
	if diff := cmp.Diff(expected, states(again)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(w.asked) != 1 || again[0].Day != "2026-11-29" {
		t.Errorf("asked again: %q; %+v", w.asked, again[0])
	}
	opt.Now = opt.Now.AddDate(0, 0, 1) // an answer that nothing is there is older than a day
	w.asked = nil
	if Ask(t.Context(), questions, opt); len(w.asked) < 5 {
		t.Errorf("asked again: %q", w.asked)
	}
	if entries, err := os.ReadDir(opt.CacheDir); err != nil || len(entries) < 8 {
		t.Errorf("%d answers, %v", len(entries), err)
	}
}

// A server that has enough of questions is asked no more, and what it was not asked is
// not known.
func TestRateLimit(t *testing.T) {
	for name, tc := range map[string]struct {
		limit func(w http.ResponseWriter, n int) bool
		asked int
	}{
		"429 with a day": {func(w http.ResponseWriter, n int) bool {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}, 1},
		"none left": {func(w http.ResponseWriter, n int) bool {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", "99999999999")
			return false
		}, 1},
		"an outage": {func(w http.ResponseWriter, n int) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}, giveUp},
	} {
		w := newWorld(t)
		n := 0
		w.limit = func(rw http.ResponseWriter, r *http.Request) bool { n++; return tc.limit(rw, n) }
		answers := Ask(t.Context(), []Question{{Hash: lost, Algorithm: "sha256"}, {Hash: lost, Algorithm: "sha1"}, {Hash: tree, Algorithm: "sha256", Recursive: true}, {Hash: file, Algorithm: "sha1"}},
			Options{API: []string{"http://swh.example/api/1/"}, Client: w.client()})
		if n != tc.asked {
			t.Errorf("%s: %d requests, want %d", name, n, tc.asked)
		}
		for _, a := range answers[1:] {
			if a.State == Gone || a.State == Archived {
				t.Errorf("%s: %v", name, answers)
			}
		}
	}
	// A short limit is waited for.
	w := newWorld(t)
	first := true
	w.limit = func(rw http.ResponseWriter, r *http.Request) bool {
		if first {
			rw.Header().Set("Retry-After", "0")
			rw.WriteHeader(http.StatusTooManyRequests)
		}
		was := first
		first = false
		return was
	}
	if got := Ask(t.Context(), questions[:1], Options{API: []string{"http://swh.example/api/1/"}, Client: w.client()}); got[0].State != Archived {
		t.Errorf("%+v", got)
	}
}
