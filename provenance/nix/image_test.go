package nix

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

const fixturesDir = "../../fixtures/nix"

// open reads an image as audit does for this package.
func open(t testing.TB, file string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), file, inspect.Options{Stores: fixtures.Stores(), Keep: Keep})
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

// sample returns the file of a sample.
func sample(name string) string { return filepath.Join(fixturesDir, name) }

// tampered writes a sample with edits applied, and returns the file.
func tampered(t *testing.T, name string, edits ...fixtures.Edit) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image.tar")
	if err := fixtures.TamperFile(sample(name), out, edits...); err != nil {
		t.Fatal(err)
	}
	return out
}

// wantFindings fails the test unless the check has these findings beside notes, and no
// others; each is written "RULE PATH".
func wantFindings(t *testing.T, c check.Check, want ...string) {
	t.Helper()
	var got []string
	for _, f := range c.Findings {
		if f.Level != check.Note {
			_, rule, _ := strings.Cut(f.Code, "/")
			got = append(got, rule+" "+f.Path)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("findings:\n%q\nwant:\n%q\nin full: %+v", got, want, c.Findings)
	}
}
