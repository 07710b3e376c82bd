package packages

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/inspect/digest"
	"audit/inspect/limit"
)

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"pool/a.deb": "a", "Release": "release"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolder(t *testing.T) {
	dir := folder(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{dir, "file://" + dir, link} {
		s, err := Open(where, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.IsServer() || !slices.Equal(s.Files(), []string{"Release", "pool/a.deb"}) {
			t.Errorf("%s: %q", s, s.Files())
		}
		if text, err := s.Read(t.Context(), "Release", 100); err != nil || string(text) != "release" {
			t.Errorf("%q, %v", text, err)
		}
		if _, err := s.Read(t.Context(), "none", 100); !errors.Is(err, ErrAbsent) {
			t.Errorf("%v", err)
		}
		if _, err := s.Read(t.Context(), "Release", 3); !isLimit(err) {
			t.Errorf("%v", err)
		}
		for _, name := range []string{"", "/etc/passwd", "../x", "pool/../../x"} {
			if _, err := s.Read(t.Context(), name, 100); err == nil || errors.Is(err, ErrAbsent) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

func isLimit(err error) bool {
	_, ok := errors.AsType[*limit.Error](err)
	return ok
}

func TestOpenRefuses(t *testing.T) {
	for _, where := range []string{filepath.Join(folder(t), "none"), filepath.Join(folder(t), "Release"), "https://", "https://example.org/x?y", "https://example.org/#z"} {
		if s, err := Open(where, Options{}); err == nil {
			t.Errorf("%s: %v", where, s)
		}
	}
}

func TestPasswordIsNotShown(t *testing.T) {
	s, err := Open("https://me:secret@example.org/debian/", Options{})
	if err != nil || strings.Contains(s.String(), "secret") {
		t.Errorf("%s, %v", s, err)
	}
}

// What comes from a server has the digest that an index names, and is fetched once.
func TestServer(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path != "/debian/pool/a+b.deb" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, "content")
	}))
	defer server.Close()
	cache := t.TempDir()
	s, err := Open(server.URL+"/debian/", Options{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	sum := digest.Sum(sha256.Sum256([]byte("content")))
	for range 2 {
		if got := content(t, s, "pool/a+b.deb", sum, 7); got != "content" {
			t.Errorf("%q", got)
		}
	}
	if asked != 1 {
		t.Errorf("it was asked %d times", asked)
	}
	if _, err := s.Open(t.Context(), "pool/none.deb", digest.Sum{1}, 7); !errors.Is(err, ErrAbsent) {
		t.Errorf("%v", err)
	}
	for size, sum := range map[int64]digest.Sum{6: sum, 8: sum, 7: {1}} {
		bare, _ := Open(server.URL+"/debian", Options{})
		if _, err := bare.Open(t.Context(), "pool/a+b.deb", sum, size); err == nil {
			t.Errorf("size %d, digest %s: no error", size, sum)
		}
	}
	left, err := os.ReadDir(cache)
	if err != nil || len(left) != 1 {
		t.Errorf("the cache has %v, %v", left, err)
	}
}

func content(t *testing.T, s *Source, name string, sum digest.Sum, size int64) string {
	t.Helper()
	r, err := s.Open(context.Background(), name, sum, size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestServerThatFailsIsAskedNoMore(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	s, err := Open(server.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := s.Read(t.Context(), "Release", 10); err == nil || errors.Is(err, ErrAbsent) {
			t.Errorf("%v", err)
		}
	}
	if asked != patience {
		t.Errorf("it was asked %d times, want %d", asked, patience)
	}
}
