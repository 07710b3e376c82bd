package inspect

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/inspect/limit"
	"audit/inspect/pass"
)

// TestContents checks that contents that are read later are those of the first
// reading, of every form that is among the samples.
func TestContents(t *testing.T) {
	keep := func(path string) bool {
		return filepath.Base(path) == "manifest" || filepath.Base(path) == "tiny-hello"
	}
	seen := 0
	for _, pattern := range []string{"images/tiny*", "forms/tiny*", "eras/*layers5*.tar.gz", "realpack/*.tar.gz"} {
		names, err := filepath.Glob("../fixtures/guix/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			whole, err := Open(context.Background(), name, pass.Options{Stores: fixtures.Stores(), Keep: keep})
			if err != nil {
				continue // no image: another file of the samples
			}
			only, err := Contents(context.Background(), whole, keep, Options{Stores: fixtures.Stores()})
			if err != nil {
				t.Fatal(err)
			}
			for i, l := range whole.Layers {
				for _, e := range l.Entries {
					body, ok := whole.Body(i, e.Path)
					if !ok {
						continue
					}
					seen++
					if got, ok := only.Body(i, e.Path); !ok || string(got) != string(body) {
						t.Errorf("%s: %s is not the same", name, e.Path)
					}
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d contents were seen", seen)
	}
}

// Of what came as a stream nothing is fetched again: contents are in the copy that
// was made, or in the cache of layers, or they are not there. One that has another digest is an error.
func TestContentsOfStreams(t *testing.T) {
	layer := string(tarOf(t, regular("a", "1"), regular("b", "2"), regular("a", "3")))
	other := string(tarOf(t, regular("c", "4")))
	config := configOf(t, layer, other)
	m := manifestOf(t, config, layer, other)
	requests := 0
	host := serve(t, layoutOf(indexOf(t, descriptorOf(manifestType, m)), m, config, layer, other), func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		requests++
		honest.ServeHTTP(w, r)
	})
	keep := func(path string) bool { return path == "a" }
	limits := limit.DefaultLimits()
	emptied := t.TempDir()
	for name, test := range map[string]struct {
		most  int64
		cache string
		want  error
	}{
		"kept": {1 << 20, "", nil}, "not asked for": {0, "", ErrNotKept}, "too large": {10, "", ErrNotKept},
		"in a cache": {10, t.TempDir(), nil}, "in a cache that keeps nothing": {1 << 20, writeBytes(t, nil), nil}, "in a cache that was emptied": {10, emptied, nil}, "not asked for, in a cache": {0, t.TempDir(), ErrNotKept},
	} {
		limits.CopyBytes = test.most
		img, err := Open(t.Context(), "docker://"+host+"/lab/image:1", Options{Stores: fixtures.Stores(), Limits: &limits, LayerCache: test.cache})
		if err != nil {
			t.Fatal(err)
		}
		if test.cache == emptied {
			if err := os.RemoveAll(emptied); err != nil {
				t.Fatal(err)
			}
		}
		before := requests
		found, err := Contents(t.Context(), img, keep, Options{Stores: fixtures.Stores()})
		if !errors.Is(err, test.want) || requests != before {
			t.Errorf("%s: error %v, want %v; %d more requests", name, err, test.want, requests-before)
		}
		if test.want != nil {
			continue
		}
		if content, ok := found.Body(0, "a"); !ok || string(content) != "3" {
			t.Errorf("%s: content %q", name, content)
		}
		if _, ok := found.Body(0, "b"); ok || len(found.Layers[1].Entries) > 0 {
			t.Errorf("%s: more was read than was asked for", name)
		}
		img.Layers[0].Entries[2].Digest[0] ^= 1
		if _, err := Contents(t.Context(), img, keep, Options{Stores: fixtures.Stores()}); err == nil {
			t.Errorf("%s: a content with another digest is taken", name)
		}
	}
}

// A file that has become another one in between is an error.
func TestContentsOfAChangedFile(t *testing.T) {
	path := writeBytes(t, tarOf(t, imageOf(t, tarOf(t, regular("a", "1")))...))
	img, err := Open(t.Context(), path, Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, tarOf(t, imageOf(t, tarOf(t, regular("a", "2")))...), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Contents(t.Context(), img, func(string) bool { return true }, Options{Stores: fixtures.Stores()}); err == nil {
		t.Error("another content is taken for that of the image")
	}
}
