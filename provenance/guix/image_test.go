package guix

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

const fixturesDir = "../../fixtures/guix"

// open reads an image as audit does for this package.
func open(t testing.TB, file string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(context.Background(), file, inspect.Options{Stores: fixtures.Stores(), Keep: Keep})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func recoverFrom(t testing.TB, file string) *provenance.Evidence {
	t.Helper()
	ev, err := System{}.Recover(open(t, file), nil)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// tampered writes a sample with edits applied, and returns the file.
func tampered(t *testing.T, sample string, edits ...fixtures.Edit) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image.tar")
	if err := fixtures.TamperFile(filepath.Join(fixturesDir, sample), out, edits...); err != nil {
		t.Fatal(err)
	}
	return out
}

// writeMade writes an image that the fixtures make, and returns the file.
func writeMade(t *testing.T, spec fixtures.Spec) string {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "image.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := fixtures.Write(out, spec); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}

// callOf returns how the packer of an image was called.
func callOf(ev *provenance.Evidence) Pack {
	pack, _ := PackOf(ev.Recipe)
	return pack
}

// texts writes messages one a line.
func texts(messages []check.Message) string {
	var lines []string
	for _, m := range messages {
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "\n")
}

// nameOf is the code of a finding without its check.
func nameOf(f check.Finding) string {
	_, name, _ := strings.Cut(f.Code, "/")
	return name
}

// wantFindings fails the test unless the check has these findings and no
// others; each is written "RULE PATH".
func wantFindings(t *testing.T, c check.Check, want ...string) {
	t.Helper()
	var got []string
	for _, f := range c.Findings {
		got = append(got, nameOf(f)+" "+f.Path)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: findings\n%s\nwant\n%s", texts(c.Reasons), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// An entry of a made-up layer. A name that ends in a slash is a folder, one
// with a link a symlink, and any other a file.
type entry struct {
	name, link, body string
	mode             int64
}

// An archive is a made-up docker-archive of one layer, as guix pack makes it.
type archive struct {
	folder  string // that holds the layer
	tag     string
	config  map[string]any
	entries []entry
}

// packOf returns an archive of the profile root, with what Guix 1.5 writes
// around entries.
func packOf(root string, entries ...entry) *archive {
	id := sha256.Sum256([]byte(root))
	extra := []entry{{name: "gnu/", mode: 0o755}, {name: "gnu/store/", mode: 0o755}, {name: "tmp/", mode: 0o1777}}
	return &archive{
		folder: hex.EncodeToString(id[:]),
		tag:    "a:latest",
		config: map[string]any{
			"architecture": "amd64",
			"comment":      generator,
			"config":       map[string]any{"env": []string{"PATH=" + root + "/bin"}},
			"history":      []any{map[string]any{"created_by": "guix pack -f docker"}},
			"os":           "linux",
		},
		entries: append(extra, entries...),
	}
}

// setConfig sets a field of the config's config.
func (a *archive) setConfig(key string, value any) *archive {
	a.config["config"].(map[string]any)[key] = value
	return a
}

func (a *archive) write(t *testing.T) string {
	t.Helper()
	layer := writeTar(t, a.entries)
	diffID := sha256.Sum256(layer)
	a.config["rootfs"] = map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(diffID[:])}}
	member := "./" + a.folder + "/layer.tar"
	text := writeTar(t, []entry{
		{name: member, body: string(layer)},
		{name: "./config.json", body: marshal(t, a.config)},
		{name: "./manifest.json", body: marshal(t, []any{map[string]any{"Config": "config.json", "RepoTags": []string{a.tag}, "Layers": []string{a.folder + "/layer.tar"}}})},
	})
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeTar(t *testing.T, entries []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.body)), Typeflag: tar.TypeReg, Format: tar.FormatGNU}
		switch {
		case e.link != "":
			h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.link, 0o777
		case e.name[len(e.name)-1] == '/':
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// item returns the entries of a store item with one file.
func item(path, file, body string) []entry {
	return []entry{{name: path[1:] + "/", mode: 0o555}, {name: path[1:] + "/" + file, body: body, mode: 0o444}}
}
