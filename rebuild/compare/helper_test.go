package compare

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
)

// An item is an entry of a layer of a test, with its content.
type item struct {
	tar.Header
	body string
}

// f, d, l and h are a file, a folder, a symlink and a hard link; change alters
// an item.
func f(name, body string) item {
	return item{tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0644, Size: int64(len(body)), ModTime: time.Unix(1, 0)}, body}
}

func d(name string) item {
	return item{tar.Header{Name: name + "/", Typeflag: tar.TypeDir, Mode: 0755, ModTime: time.Unix(1, 0)}, ""}
}

func l(name, target string) item {
	return item{tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0777, ModTime: time.Unix(1, 0)}, ""}
}

func h(name, target string) item {
	return item{tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target, Mode: 0644, ModTime: time.Unix(1, 0)}, ""}
}

func (i item) change(how func(h *tar.Header)) item {
	how(&i.Header)
	return i
}

// xattr gives an item an extended attribute.
func (i item) xattr(key, value string) item {
	return i.change(func(h *tar.Header) {
		h.Format = tar.FormatPAX
		h.PAXRecords = map[string]string{"SCHILY.xattr." + key: value}
	})
}

// layer packs items as a tar.
func layer(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, i := range items {
		if err := w.WriteHeader(&i.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(i.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// config writes an image config for layers, with fields of its "config".
func config(fields string, layers ...[]byte) string {
	var ids []string
	for _, l := range layers {
		ids = append(ids, fmt.Sprintf(`"sha256:%x"`, sha256.Sum256(l)))
	}
	return fmt.Sprintf(`{"architecture":"amd64","os":"linux","config":{%s},"rootfs":{"type":"layers","diff_ids":[%s]}}`, fields, strings.Join(ids, ","))
}

// archive packs layers as a docker-archive in a file and returns its path.
func archive(t testing.TB, config string, layers ...[]byte) string {
	t.Helper()
	names := make([]string, 0, len(layers))
	var items []item
	for i, l := range layers {
		names = append(names, fmt.Sprintf("%d/layer.tar", i))
		items = append(items, f(names[i], string(l)))
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": nil, "Layers": names}})
	if err != nil {
		t.Fatal(err)
	}
	items = append(items, f("config.json", config), f("manifest.json", string(manifest)))
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, layer(t, items...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string, keep func(string) bool) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(context.Background(), path, inspect.Options{Stores: fixtures.Stores(), Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// imageOf opens an image made of layers.
func imageOf(t testing.TB, layers ...[]byte) *inspect.Image {
	t.Helper()
	return open(t, archive(t, config("", layers...), layers...), nil)
}

// files compares two images in files and explains their contents.
func files(t testing.TB, was, now string) *Comparison {
	t.Helper()
	c := Images(open(t, was, nil), open(t, now, nil), nil)
	if keep := c.Keep(); keep != nil {
		c.Explain(open(t, was, keep), open(t, now, keep), time.Time{})
	}
	return c
}

// show writes differences down, one a line.
func show(c *Comparison) string {
	var b strings.Builder
	for _, f := range c.Config {
		fmt.Fprintf(&b, "config %s %s: %s → %s\n", f.Field, f.Cause, f.Was, f.Now)
	}
	for _, d := range c.Differences {
		fmt.Fprintf(&b, "%d %q %s: %s → %s (%s)\n", d.Layer, d.Path, d.Cause, shown(d.Was), shown(d.Now), evidenceText(d.Evidence))
	}
	return b.String()
}

// shown writes a value down: a text, a mode, or the code of what it is with its
// arguments.
func shown(v Value) string {
	if v == nil {
		return ""
	}
	return messageText(v.Message())
}

func messageText(m check.Message) string {
	switch m.Code {
	case "value/text":
		return m.Args.String("text")
	case "value/mode":
		return strings.TrimSpace(m.Args.String("mode") + " " + m.Args.String("bits"))
	}
	text := strings.TrimPrefix(m.Code, "value/")
	for _, name := range slices.Sorted(maps.Keys(m.Args)) {
		text += " " + name + "=" + argumentText(m.Args, name)
	}
	return text
}

func argumentText(args check.Args, name string) string {
	if m, ok := args[name].(check.Message); ok {
		return "(" + messageText(m) + ")"
	}
	return args.String(name)
}

// evidenceText writes messages down: the code of each, and its arguments by name.
func evidenceText(messages []check.Message) string {
	var all []string
	for _, m := range messages {
		text := strings.TrimPrefix(m.Code, "difference/")
		for _, name := range slices.Sorted(maps.Keys(m.Args)) {
			text += " " + name + "=" + argumentText(m.Args, name)
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// causes lists the causes of a comparison, sorted as Causes has them.
func causes(c *Comparison) string {
	var found []string
	for _, n := range c.Causes() {
		found = append(found, fmt.Sprintf("%d %s", n.Count, n.Cause))
	}
	return strings.Join(found, ", ")
}
