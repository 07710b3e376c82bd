package inspect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect/limit"
	"audit/inspect/pass"
)

// A counter notes how many bytes it was given, and the last of them.
type counter struct {
	n    int
	last byte
}

func (c *counter) Watch(p []byte) { c.n, c.last = c.n+len(p), p[len(p)-1] }

func (c *counter) Note() []byte {
	if c.n == 0 {
		return nil
	}
	return []byte(strings.Repeat(string(c.last), c.n))
}

func watchBin(e *Entry) pass.Watcher {
	if !strings.HasPrefix(e.Path, "bin/") {
		return nil
	}
	return new(counter)
}

// Notes are on contents, by whatever name; a layer that was read before without a
// watcher is read again for one; and past the limit of what can be done without there
// are none.
func TestWatch(t *testing.T) {
	name := filepath.Join(t.TempDir(), "image.tar")
	files := []fixtures.File{{Name: "bin/a", Body: "xyz"}, {Name: "bin/empty"}, {Name: "usr/b", Hard: "bin/a"}, {Name: "etc/c", Body: "other"}}
	if err := os.WriteFile(name, fixtures.Docker{Layers: [][]fixtures.File{files}}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	notes := func(opt Options) string {
		t.Helper()
		img, err := Open(t.Context(), name, opt)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for f := range img.Root().Files() {
			if f.Inode.Type == '0' {
				all = append(all, f.Path+"="+string(img.Root().Note(f)))
			}
		}
		return strings.Join(all, " ")
	}
	const none, all = "bin/a= bin/empty= etc/c= usr/b=", "bin/a=zzz bin/empty= etc/c= usr/b=zzz"
	known := pass.NewKnown()
	for _, tc := range []struct {
		opt  Options
		want string
	}{{Options{Known: known}, none}, {Options{Known: known, Watch: watchBin}, all}, {Options{Known: known, Watch: watchBin}, all}, {Options{Watch: watchBin}, all}} {
		if got := notes(tc.opt); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
	little := limit.DefaultLimits()
	little.NoteBytes = 2
	if got := notes(Options{Watch: watchBin, Limits: &little}); got != none {
		t.Errorf("past the limit: %q", got)
	}
}
