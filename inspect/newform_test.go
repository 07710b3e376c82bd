package inspect

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/layers"
)

// listForm is a made-up form: a line "LIST" and then a file on each line, NAME and
// CONTENT.
func listForm() form.Form {
	magic := []byte("LIST\n")
	return form.Form{
		Transport: "list", Argument: "PATH",
		Match: form.HasHead(func(head []byte) bool { return bytes.HasPrefix(head, magic) }),
		Open: func(in *form.Input) (*image.Image, error) {
			head, err := in.Head()
			if err != nil {
				return nil, err
			}
			layer := &image.Layer{Member: "list"}
			sink := layers.NewSink(in.Pass, layer)
			for line := range strings.Lines(string(head[len(magic):])) {
				name, content, _ := strings.Cut(strings.TrimSpace(line), " ")
				e := &image.Entry{Path: name, Type: '0', Mode: 0o644}
				if err := sink.Add(e, strings.NewReader(content)); err != nil {
					return nil, err
				}
			}
			return &image.Image{Transport: "list", Layers: []*image.Layer{layer}}, sink.Close()
		},
	}
}

// A new form is one line in the list: it is found by its content and by its name,
// and its image is like any other.
func TestNewForm(t *testing.T) {
	forms := append([]form.Form{listForm()}, Forms()...)
	path := writeBytes(t, []byte("LIST\netc/a one\netc/b two "+hashA+"\n"))
	for _, reference := range []string{path, "list:" + path} {
		img, err := openAs(t.Context(), reference, Options{Stores: fixtures.Stores(), Keep: func(p string) bool { return p == "etc/b" }}, forms)
		if err != nil {
			t.Fatal(err)
		}
		files := img.Files()
		content, f, ok := img.Root().Content("/etc/b")
		if len(files) != 2 || !ok || !strings.HasPrefix(string(content), "two") || f.Digest.IsZero() {
			t.Errorf("%s: %v, content %q", reference, files, content)
		}
		if c := img.Integrity(); img.Transport != "list" || c.Status != check.Unknown || len(c.Reasons) == 0 {
			t.Errorf("%s: transport %s, integrity %v", reference, img.Transport, c)
		}
	}
	if _, err := Open(t.Context(), path, Options{Stores: fixtures.Stores()}); err == nil {
		t.Error("a form that is not in the list is read")
	}
}

// No two forms have the same name, and all have help.
func TestForms(t *testing.T) {
	var names []image.Transport
	for _, f := range Forms() {
		names = append(names, f.Transport)
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(Forms()) {
		t.Errorf("transports %v of %d forms", names, len(Forms()))
	}
	for _, f := range Forms() {
		if f.Argument == "" || f.Open == nil {
			t.Errorf("%s lacks help or cannot be opened", f.Transport)
		}
	}
}

func writeBytes(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
