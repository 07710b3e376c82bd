package deb822

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParagraphs(t *testing.T) {
	got := slices.Collect(Paragraphs([]byte(" stray\n# note\nA: 1\nB:\n two\n  three \nC : x\r\n\n\nD: 4\nnothing\n \t\nE:\n\n")))
	want := []Paragraph{{{"A", "1"}, {"B", "\n two\n  three"}, {"C", "x"}}, {{"D", "4"}}, {{"E", ""}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A field that is there twice is named, in whatever case it is, and the first counts.
func TestTwice(t *testing.T) {
	for text, want := range map[string]string{
		"Version: 1\nVersion: 2\n": "Version", "Version: 1\nversion : 2\n": "version", "Version: 1\nVersions: 2\n": "", "": "",
	} {
		for p := range Paragraphs([]byte(text)) {
			if got := p.Twice(); got != want || p.Get("VERSION") != "1" {
				t.Errorf("%q: %q, version %s", text, got, p.Get("VERSION"))
			}
		}
	}
}
