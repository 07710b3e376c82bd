package inspect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures"
)

func spareImage(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	archive := fixtures.Docker{Layers: [][]fixtures.File{{{Name: "spare", Body: strings.Repeat("s", 5000)}, {Name: "firm", Body: "firm"}}, {{Name: "spare2", Body: strings.Repeat("t", 5000)}}}}.Archive()
	if err := os.WriteFile(name, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// What can be done without is kept as a whole or not at all, and never a reason to
// fail; what was not kept can be had afterwards.
func TestSpareContents(t *testing.T) {
	opt := Options{Keep: func(string) bool { return true }, Spare: func(p string) bool { return strings.HasPrefix(p, "spare") }}
	for _, tc := range []struct {
		room int64
		kept string
	}{{20_000, "firm spare spare2"}, {9_000, "firm"}} {
		limits := DefaultLimits()
		limits.KeptBytes = tc.room
		opt.Limits = &limits
		img, err := Open(t.Context(), spareImage(t), opt)
		if err != nil {
			t.Fatal(err)
		}
		if got := contentsOf(img); got != tc.kept {
			t.Errorf("with room for %d bytes: %q, want %q", tc.room, got, tc.kept)
		}
		if err := Contents(t.Context(), img, Options{}, img.Root().Files()); err != nil {
			t.Fatal(err)
		}
		if got := contentsOf(img); got != "firm spare spare2" {
			t.Errorf("after a second look: %q", got)
		}
	}
}

func contentsOf(img *Image) string {
	var kept []string
	for _, f := range img.Root().Files() {
		if _, _, ok := img.Root().Content(f.Path); ok {
			kept = append(kept, f.Path)
		}
	}
	return strings.Join(kept, " ")
}

// Another content than at first is none.
func TestContentsOfAnotherFile(t *testing.T) {
	name := spareImage(t)
	img, err := Open(t.Context(), name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	archive := fixtures.Docker{Layers: [][]fixtures.File{{{Name: "spare", Body: "another"}, {Name: "firm", Body: "firm"}}, {}}}.Archive()
	if err := os.WriteFile(name, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Contents(t.Context(), img, Options{}, img.Root().Files()); err != nil {
		t.Fatal(err)
	}
	if got := contentsOf(img); got != "firm" {
		t.Errorf("%q, want only what is the same", got)
	}
}
