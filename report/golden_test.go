package report

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

type writeFunc func(io.Writer, *Report) error

func renderers() map[string]writeFunc {
	return map[string]writeFunc{
		"JSON": WriteJSON,
		"HTML": WriteHTML,
		"text": func(w io.Writer, r *Report) error {
			return WriteText(w, r, TextOptions{Folder: "tiny.audit"})
		},
		"Markdown":  WriteMarkdown,
		"SARIF":     WriteSARIF,
		"JUnit XML": WriteJUnit,
	}
}

func render(t testing.TB, write writeFunc, r *Report) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := write(&buf, r); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestGolden renders the stored reports of testdata again. With -update they
// are made anew from the inputs of the same names, and so is what they render to.
func TestGolden(t *testing.T) {
	for _, name := range []string{"unverified", "reproducible", "equivalent", "vouched", "unreproducible", "given", "hostile"} {
		base := filepath.Join("testdata", name)
		if *update {
			golden(t, base+".json", asJSON(t, New(inputs(t)[name])))
		}
		doc, err := os.ReadFile(base + ".json")
		if err != nil {
			t.Fatal(err)
		}
		r, err := ReadJSON(bytes.NewReader(doc), testSystems()...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, base+".json", asJSON(t, r))
		golden(t, base+".txt", render(t, renderers()["text"], r))
		golden(t, base+".html", render(t, WriteHTML, r))
		golden(t, base+".md", render(t, WriteMarkdown, r))
		golden(t, base+".sarif", render(t, WriteSARIF, r))
		golden(t, base+".xml", render(t, WriteJUnit, r))
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (update with -update):\n%s", name, diff)
	}
}
