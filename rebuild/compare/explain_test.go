package compare

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"audit/inspect"
)

// TestExplain explains the files of two images, and says why where it does not.
func TestExplain(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", maxContent/16)
	was := layer(t, f("binary", "\x00\x01"), f("large", large+"1"), f("text", "a\n"), f("twice", "1"), f("twice", "2"))
	now := layer(t, f("binary", "\x00\x02"), f("large", large+"2"), f("text", "b\n"), f("twice", "3"), f("twice", "4"))
	c := files(t, archive(t, config("", was), was), archive(t, config("", now), now))
	var got []string
	for _, d := range c.Differences {
		got = append(got, fmt.Sprintf("%s %s %s", d.Path, d.Cause, evidenceText(d.Evidence[:1])))
	}
	want := `binary content bytes common=2 differ=1 last=1 now-size=2 now-window=00 02  "\x00\x02" offset=1 was-size=2 was-window=00 01  "\x00\x01"
large content too-large limit=16777216 size=16777217
text content changed-line line=1 now="b" was="a"
twice content not-at-hand
twice content changed-line line=1 now="4" was="2"`
	if all := strings.Join(got, "\n"); all != want {
		t.Errorf("got\n%s\nwant\n%s", all, want)
	}
}

// TestExplainWithoutBodies holds that details never pretend.
func TestExplainWithoutBodies(t *testing.T) {
	a, b := imageOf(t, layer(t, f("text", "a\n"))), imageOf(t, layer(t, f("text", "b\n")))
	c := Images(a, b, nil)
	c.Explain(a, b, time.Time{})
	if got := evidenceText(c.Differences[0].Evidence); got != "not-at-hand" {
		t.Error(got)
	}
}

// TestContentBudget holds that Keep never asks for more than its bound.
func TestContentBudget(t *testing.T) {
	made := func(sum byte) *inspect.Image {
		l := &inspect.Layer{DiffID: inspect.Sum{sum}.Hash()}
		for i := range 10 {
			name := fmt.Sprint(i)
			l.Entries = append(l.Entries, &inspect.Entry{Path: name, Type: '0', Size: 15 << 20, Digest: inspect.Sum{sum}})
		}
		return &inspect.Image{Layers: []*inspect.Layer{l}}
	}
	keep := Images(made(1), made(2), nil).Keep()
	if !keep("0") || !keep("7") || keep("8") || keep("other") {
		t.Errorf("8 files of 15 MiB are to be kept: the first, not %v %v %v %v", keep("0"), keep("7"), keep("8"), keep("other"))
	}
	if Images(made(1), made(1), nil).Keep() != nil {
		t.Error("nothing differs, yet something is to be kept")
	}
}
