package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"audit/rebuild/compare"
)

func TestPatterns(t *testing.T) {
	many := func(n int, path func(i int) string) []Difference {
		ds := make([]Difference, n)
		for i := range ds {
			ds[i] = Difference{Path: path(i), Cause: compare.Content}
		}
		return ds
	}
	const hash = "0123456789abcdfghijklmnpqrsvwxyz"
	letters := func(i int) string { return string([]byte{'a' + byte(i%26), 'a' + byte(i/26%26)}) }
	for name, c := range map[string]struct {
		of    []Difference
		want  string
		count int
	}{
		"numbers":      {many(100, func(i int) string { return fmt.Sprintf("usr/part%d/f%04d.dat", i%7, i) }), "usr/part*/f*.dat", 1},
		"store items":  {many(100, func(i int) string { return "gnu/store/" + hash + "-x-1.2/lib/" + fmt.Sprint(i) }), "gnu/store/*-x-*.*/lib/*", 1},
		"names":        {many(100, func(i int) string { return "usr/lib/" + letters(i) + ".pyc" }), "usr/lib/*.pyc", 1},
		"any names":    {many(100, func(i int) string { return "usr/lib/x." + letters(i) }), "usr/lib/*", 1},
		"folders":      {many(100, func(i int) string { return "usr/lib/" + letters(i) + "/a." + letters(i) }), "usr/lib/**", 1},
		"at the root":  {many(100, letters), "*", 1},
		"two patterns": {many(100, func(i int) string { return fmt.Sprintf("a%d/%s", i, []string{"x", "y", "y"}[i%3]) }), "a*/y", 2},
	} {
		got := patternsOf(c.of)
		total := 0
		for _, p := range got {
			total += p.Count
		}
		if len(got) != c.count || got[0].Glob != c.want || total != len(c.of) {
			t.Errorf("%s: %d patterns, the first %q, of %d differences in all", name, len(got), got[0].Glob, total)
		}
	}
}

// What lends rights is shown one by one, however many others there are.
func TestWeightiest(t *testing.T) {
	ds := make([]Difference, 600)
	for i := range ds {
		ds[i].Path, ds[i].Known = fmt.Sprint(i), "x"
	}
	ds[550].Known, ds[599].Privileged = "", true
	if got := byCause(ds)[0].Differences; got[0].Path != "599" || got[1].Path != "550" || got[2].Path != "0" {
		t.Errorf("the first %v", got[:3])
	}
	if got := samplePaths(byCause(ds)[0].Differences); got != "599 (lends rights), * (599)" {
		t.Error(got)
	}
}

// The report is written in parts, and yet as encoding/json writes all of it.
func TestJSONInParts(t *testing.T) {
	r := New(unreproducibleInput(t, 50))
	texts, err := withTexts(reflect.ValueOf(r), encodeText)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(texts.Interface()); err != nil {
		t.Fatal(err)
	}
	got := string(render(t, WriteJSON, r))
	if whole := hashCommand.ReplaceAllString(string(escapeUnprintable(want.Bytes())), `#\u0023$1`); got != whole {
		t.Errorf("%d bytes, as a whole %d", len(got), len(whole))
	}
	if text := string(render(t, WriteMarkdown, New(unreproducibleInput(t, 10_000)))); !strings.Contains(text, "By folder and pattern") {
		t.Error("the Markdown groups nothing")
	}
	if text := string(render(t, func(w io.Writer, r *Report) error { return WriteText(w, r, TextOptions{}) }, New(unreproducibleInput(t, 10_000)))); strings.Count(text, "\n") > textLines {
		t.Errorf("%d lines", strings.Count(text, "\n"))
	}
}
