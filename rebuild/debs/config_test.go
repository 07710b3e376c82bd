package debs

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// What packages make is compared under the config of the original, which is an input: an
// image differs by its files alone. A bare root stays one.
func TestWithConfig(t *testing.T) {
	dir := t.TempDir()
	open := func(path string) *inspect.Image {
		img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	files := []fixtures.File{{Name: "bin/sh", Body: "sh", Mode: 0o755}, {Name: "etc/x", Body: "x"}}
	changed := append([]fixtures.File{{Name: "etc/w", Body: "w"}}, files...)
	var bare bytes.Buffer
	w := tar.NewWriter(&bare)
	for _, f := range files {
		mode := f.Mode
		if mode == 0 {
			mode = 0o644
		}
		if err := w.WriteHeader(&tar.Header{Name: f.Name, Mode: mode, Size: int64(len(f.Body)), Format: tar.FormatGNU}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.Body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	root := write("root.tar", bare.Bytes())
	two := open(write("two.tar", fixtures.Docker{Layers: [][]fixtures.File{files[:1], files[1:]}, History: []fixtures.Step{{By: "ADD x"}, {By: "RUN y"}}}.Archive()))
	other := open(write("other.tar", fixtures.Docker{Layers: [][]fixtures.File{changed}}.Archive()))

	for name, test := range map[string]struct {
		original *inspect.Image
		want     compare.Result
	}{"two layers": {two, compare.Equivalent}, "another file": {other, compare.Different}} {
		path, inputs, err := withConfig(test.original, root, filepath.Join(dir, "image.tar"))
		if err != nil || len(inputs) != 1 || inputs[0].How != rebuild.Pinned {
			t.Fatalf("%s: %v, %v", name, inputs, err)
		}
		c := compare.Images(test.original, open(path), nil)
		if c.Result() != test.want {
			t.Errorf("%s: %s, %+v %+v", name, c.Result(), c.Config, c.Differences)
		}
		for _, f := range c.Config {
			if !f.Cause.Harmless() {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
	if path, inputs, err := withConfig(open(root), root, filepath.Join(dir, "none")); path != root || inputs != nil || err != nil {
		t.Errorf("%s, %v, %v", path, inputs, err)
	}
}
