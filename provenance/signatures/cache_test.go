package signatures

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"audit/inspect"
	"audit/inspect/check"
)

// fill asks a farm that then goes away, and returns its address and the files
// that are kept.
func fill(t *testing.T, cacheDir string, all []inspect.StoreItem) (server string, kept []string) {
	t.Helper()
	s := httptest.NewServer(dir(guixFarm))
	c, _ := checked(t, all, Options{Servers: []string{s.URL}, Keys: farmKeys(t), Terms: madeForTiny(items(t, "guix/images/tiny.tar.gz")), CacheDir: cacheDir})
	s.Close()
	if c.Status == check.Unknown {
		t.Fatalf("%v: %s", c.Status, reasonsOf(c))
	}
	kept, err := filepath.Glob(filepath.Join(cacheDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return s.URL, kept
}

// Verified answers outlive the server, a contradiction too; what the server
// did not know is asked again.
func TestCache(t *testing.T) {
	for image, want := range map[string]check.Status{"tiny": check.Pass, "stamp-B": check.Fail} {
		all := items(t, "guix/images/"+image+".tar.gz")
		cacheDir := filepath.Join(t.TempDir(), "audit", "narinfo")
		server, kept := fill(t, cacheDir, all)
		c, outcomes := checked(t, all, Options{Servers: []string{server}, Keys: farmKeys(t), Terms: madeForTiny(items(t, "guix/images/tiny.tar.gz")), CacheDir: cacheDir})
		if c.Status != want {
			t.Errorf("%s: %v, %s", image, c.Status, reasonsOf(c))
		}
		if o := word(t, outcomes, "profile"); o.Word != Unreachable {
			t.Errorf("%s: the profile is %v", image, o)
		}
		proofs := 0
		for _, o := range outcomes {
			if o.isProof() {
				proofs++
			}
		}
		if len(kept) != proofs {
			t.Errorf("%s: %d files for %d proofs: %q", image, len(kept), proofs, kept)
		}
	}
}

// Nothing that is put into the cache is better than its signature.
func TestPoisonedCache(t *testing.T) {
	all := items(t, "guix/images/tiny.tar.gz")
	swap := string(read(t, guixFarm+"/szdbpxjpmifp9p8m03bl90kxdklrw480.narinfo"))
	for name, poison := range map[string]func(string) string{
		"another hash": func(s string) string {
			return strings.Replace(s, "NarHash: sha256:", "NarHash: sha256:0", 1)
		},
		"foreign key": secret(31).sign,
		"swapped":     func(string) string { return swap },
		"empty":       func(string) string { return "" },
		"too long":    func(s string) string { return s + strings.Repeat("x", narinfoBytes) },
	} {
		t.Run(name, func(t *testing.T) {
			cacheDir := t.TempDir()
			server, kept := fill(t, cacheDir, all)
			for _, file := range kept {
				if strings.Contains(file, "szdbp") {
					continue
				}
				if err := os.WriteFile(file, []byte(poison(string(read(t, file)))), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			c, outcomes := checked(t, all, Options{Servers: []string{server}, Keys: farmKeys(t), Terms: madeForTiny(items(t, "guix/images/tiny.tar.gz")), CacheDir: cacheDir})
			if o := word(t, outcomes, "tiny-hello-3.2"); o.Word != Unreachable || c.Status != check.Unknown {
				t.Errorf("%v, %v", o, c.Status)
			}
			if o := word(t, outcomes, "tiny-data-1.0"); o.Word != Signed {
				t.Errorf("what was not poisoned is %v", o)
			}
		})
	}
}

// A key that is no longer trusted does not live on in the cache.
func TestCacheTrust(t *testing.T) {
	all := items(t, "guix/images/tiny.tar.gz")
	cacheDir := t.TempDir()
	server, _ := fill(t, cacheDir, all)
	c, _ := checked(t, all, Options{Servers: []string{server}, Keys: secret(4).keys(t, "other"), CacheDir: cacheDir})
	if c.Status != check.Unknown || c.Bytes != 0 {
		t.Errorf("%v: %s", c.Status, reasonsOf(c))
	}
}

func TestCacheExpiry(t *testing.T) {
	all := items(t, "guix/images/tiny.tar.gz")
	for name, shift := range map[string]time.Duration{"old": -25 * time.Hour, "from the future": 48 * time.Hour} {
		cacheDir := t.TempDir()
		server, kept := fill(t, cacheDir, all)
		for _, file := range kept {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, time.Time{}, info.ModTime().Add(shift)); err != nil {
				t.Fatal(err)
			}
		}
		c, _ := checked(t, all, Options{Servers: []string{server}, Keys: farmKeys(t), Terms: madeForTiny(items(t, "guix/images/tiny.tar.gz")), CacheDir: cacheDir, MaxAge: 24 * time.Hour})
		if c.Status != check.Unknown {
			t.Errorf("%s: %v", name, c.Status)
		}
	}
}

// Each server has its own answers.
func TestCacheOfTwoServers(t *testing.T) {
	all := items(t, "guix/images/tiny.tar.gz")
	cacheDir := t.TempDir()
	fill(t, cacheDir, all)
	asked := false
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = true
		http.NotFound(w, r)
	}))
	c, _ := checked(t, all[:1], Options{Servers: []string{other}, Keys: farmKeys(t), Terms: madeForTiny(items(t, "guix/images/tiny.tar.gz")), CacheDir: cacheDir})
	if !asked || c.Status != check.Unknown {
		t.Errorf("asked %v, %v", asked, c.Status)
	}
}

// A cache that cannot be written is reported, and costs nothing else.
func TestCacheUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	c, _ := checked(t, items(t, "guix/images/tiny.tar.gz"), Options{Servers: []string{serve(t, dir(guixFarm))}, Keys: farmKeys(t), Terms: madeForTiny(items(t, "guix/images/tiny.tar.gz")), CacheDir: file})
	if last := c.Findings[len(c.Findings)-1]; c.Status != check.Pass || last.Code != "signatures/cache" || last.Level != check.Note {
		t.Errorf("%v, %+v", c.Status, last)
	}
}
