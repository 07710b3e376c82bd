package repack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/guix"
)

// The whole way: what provenance recovers from an image is what repack needs
// to pack it again.
func TestRecoveredRecipes(t *testing.T) {
	all := images(t)
	more, err := filepath.Glob(filepath.Join(samples, "longnames/*.tar.gz"))
	if err != nil || len(more) == 0 {
		t.Fatalf("no samples of long names: %v", err)
	}
	for _, path := range append(all, more...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			img := openAll(t, path)
			ev, err := guix.System{}.Recover(img, nil)
			if err != nil {
				t.Fatal(err)
			}
			c := Check(img, ev.Recipe)
			if c.Status != check.Pass {
				t.Errorf("era %s", callOf(ev.Recipe).Era)
				dump(t, c)
			}
		})
	}
}

// Every tampering is found with the recovered recipe, too.
func TestTamperingRecovered(t *testing.T) {
	for _, c := range tamperings() {
		t.Run(c.name, func(t *testing.T) {
			raw := apart(t, filepath.Join(samples, c.sample))
			c.change(t, raw)
			img := openAll(t, raw.pack(t))
			ev, err := guix.System{}.Recover(img, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := Check(img, ev.Recipe); got.Status != check.Fail {
				t.Errorf("era %s: %s, %s", callOf(ev.Recipe).Era, got.Status, summaryOf(got))
				dump(t, got)
			}
		})
	}
}

// Entries out of order are found where the recipe takes them for the marks of
// an era in which tar did not sort: 1.3 made no hard links that give it away.
func TestSwappedInGuix13(t *testing.T) {
	raw := apart(t, filepath.Join(samples, sortedImage))
	l := raw.layers[0]
	m := l.members[l.find(t, "/zoneinfo/Zulu")]
	utc := l.members[l.find(t, "/zoneinfo/UTC")].clone()
	clear(m.main()[157:257])
	m.set(156, "0")
	m.set(124, string(utc.main()[124:136])) // a copy, as --hard-dereference makes it
	l.members[l.find(t, "/zoneinfo/Zulu")] = rawMember{m.headers, utc.content}
	l.pad()
	for _, swapped := range []bool{false, true} {
		want := check.Pass
		if swapped {
			swap(0, "/zoneinfo/GMT", "/zoneinfo/UTC")(t, raw)
			want = check.Fail
		}
		img := openAll(t, raw.pack(t))
		ev, err := guix.System{}.Recover(img, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := Check(img, ev.Recipe); got.Status != want || strings.Contains(summaryOf(got), "readdir") {
			t.Errorf("swapped is %t, era %s", swapped, callOf(ev.Recipe).Era)
			dump(t, got)
		}
	}
}

// openAll reads an image with all that both packages want of it.
func openAll(t *testing.T, path string) *inspect.Image {
	t.Helper()
	keep := func(p string) bool { return Keep(p) || guix.Keep(p) }
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores(), Keep: keep, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Images made from a seed pass as the samples do.
func TestMadeImages(t *testing.T) {
	for seed := range uint64(6) {
		for _, layers := range []int{0, 2, 5, 40} {
			path := filepath.Join(t.TempDir(), "image.tar")
			out, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			if err := fixtures.Write(out, fixtures.Spec{Seed: seed, MaxLayers: layers}); err != nil {
				t.Fatal(err)
			}
			img := openAll(t, path)
			ev, err := guix.System{}.Recover(img, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c := Check(img, ev.Recipe); c.Status != check.Pass {
				t.Errorf("seed %d, at most %d layers", seed, layers)
				dump(t, c)
			}
		}
	}
}
