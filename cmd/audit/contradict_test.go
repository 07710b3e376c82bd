package main

import (
	"os"
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// A rebuild that comes out otherwise, or whose tar names owners, takes no word from the
// files of signed packages. It does from others.
func TestRebuildLeavesSignedFiles(t *testing.T) {
	open := func(name string, files ...fixtures.File) *inspect.Image {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, fixtures.Docker{Layers: [][]fixtures.File{files}}.Archive(), 0o600); err != nil {
			t.Fatal(err)
		}
		img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	was := open("was.tar", fixtures.File{Name: "usr/bin/tool", Body: "old"}, fixtures.File{Name: "usr/lib/list", Body: "old"}, fixtures.File{Name: "srv/own", Body: "old"})
	now := open("now.tar", fixtures.File{Name: "usr/bin/tool", Body: "new"}, fixtures.File{Name: "usr/lib/list", Body: "old", UID: 7}, fixtures.File{Name: "srv/own", Body: "new"})
	a := &audit{image: was, result: new(rebuild.Result), comparison: compare.Images(was, now, nil), vouched: vouch.New(was)}
	a.vouched.Vouch("usr/bin/tool", vouch.Word{Kind: vouch.Signed, By: "deb tool 1"})
	a.vouched.Vouch("usr/lib/list", vouch.Word{Kind: vouch.Made, By: "deb tool 1", Rule: "dpkg-list"})
	a.vouched.Vouch("srv/own", vouch.Word{Kind: vouch.Instruction, By: "COPY"})
	a.contradict()
	for path, want := range map[string]vouch.Kind{"usr/bin/tool": vouch.Signed, "usr/lib/list": vouch.Made, "srv/own": vouch.Differs} {
		if w, _ := a.vouched.Word(path); w.Kind != want {
			t.Errorf("%s: %s, not %s", path, w.Kind, want)
		}
	}
}
