package explain

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func numbers(n int, change func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if line := change(i); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func TestTextDiff(t *testing.T) {
	line := func(i int) string { return fmt.Sprint("line ", i+1) }
	twenty := numbers(20, line)
	for _, tc := range []struct{ name, was, now, want string }{
		{"one line", "a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n"},
		{"no newline at the end", "a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		{"from nothing", "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
		{"to nothing", "a\n", "", "@@ -1 +0,0 @@\n-a\n"},
		{"a line in the middle", twenty, strings.Replace(twenty, "line 10\n", "other\n", 1),
			"@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-line 10\n+other\n line 11\n line 12\n line 13\n"},
		{"two places", twenty, strings.Replace(strings.Replace(twenty, "line 2\n", "", 1), "line 19\n", "line 19\nmore\n", 1),
			"@@ -1,5 +1,4 @@\n line 1\n-line 2\n line 3\n line 4\n line 5\n@@ -17,4 +16,5 @@\n line 17\n line 18\n line 19\n+more\n line 20\n"},
		{"two places near each other", twenty, strings.Replace(strings.Replace(twenty, "line 5\n", "five\n", 1), "line 12\n", "twelve\n", 1),
			"@@ -2,14 +2,14 @@\n line 2\n line 3\n line 4\n-line 5\n+five\n line 6\n line 7\n line 8\n line 9\n line 10\n line 11\n-line 12\n+twelve\n line 13\n line 14\n line 15\n"},
		{"letters beyond ASCII", "größe\nπ\n", "größe\nτ\n", "@@ -1,2 +1,2 @@\n größe\n-π\n+τ\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := diffText(maxLineWork, tc.was, tc.now)
			if !ok || got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestTextBounds(t *testing.T) {
	for _, tc := range []struct {
		name, was, now string
		work           int
		want           string
	}{
		{"too many lines", strings.Repeat("\n", maxLines+1), "\n", maxLineWork, "too-many-lines lines=200001\nbytes now-size=1 now-window=the end, at byte 1 offset=1 "},
		{"too much work", "s\na\nb\n", "s\nc\nd\n", 8, "too-many-lines-differ line=2\nbytes common=6 differ=2 last=4 "},
		{"long lines", strings.Repeat("x", 1000) + "a", strings.Repeat("x", 1000) + "b", maxLineWork, "bytes common=1001 differ=1 last=1000 "},
		{"long diff", numbers(200, func(i int) string { return fmt.Sprint("a", i) }), numbers(200, func(i int) string { return fmt.Sprint("b", i) }), maxLineWork, "lines diff=@@ -1,200 +1,200 @@\n-a0\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, ok := explainText(tc.work, tc.was, tc.now)
			got := shownText(e)
			if !ok || !strings.HasPrefix(got, tc.want) {
				t.Errorf("got %s\nwant %s", got, tc.want)
			}
			if len(got) > maxDiffLines*(maxLineBytes+30) {
				t.Errorf("%d bytes of detail", len(got))
			}
		})
	}
}

// TestFirstUnexplained: of what is too long for a diff, of a long line and of other bytes the
// first difference is shown that is no date, however many dates stand before it.
func TestFirstUnexplained(t *testing.T) {
	const was, now = "2024-01-01T10:00:00Z", "2024-01-02T10:00:00Z"
	const lookups = 50
	long := strings.Repeat("x\n", maxLines)
	dates := func(date string) string { return strings.Repeat("at "+date+" x\n", lookups+10) }
	for name, tc := range map[string]struct {
		was, now string
		work     int
		want     string // the part of content
		offset   int64
	}{
		"too many lines":   {was + "\n" + long + "good\n", now + "\n" + long + "evil\n", maxLineWork, `changed-line line=200002 "good" "evil"`, 400021},
		"of other lengths": {was + "\n" + long + "good\n", now + "\n" + long + "evil is here\n", maxLineWork, `changed-line line=200002 "good" "evil is here"`, 400021},
		"lines at the end": {was + "\n" + long, now + "\n" + long + "evil\n", maxLineWork, `changed-line line=200002  "evil"`, 400021},
		"too much work":    {was + "\na\nb\n", now + "\nc\nd\n", 8, `changed-line line=2 "a" "c"`, 21}, // the first of both
		"too many dates":   {dates(was) + long + "good\n", dates(now) + long + "evil\n", maxLineWork, `changed-line line=200061 "good" "evil"`, 401560},
		"a long line":      {was + strings.Repeat(" x", 500) + " good", now + strings.Repeat(" x", 500) + " evil", maxLineWork, `changed-line line=1 "…x x x x`, -1},
	} {
		t.Run(name, func(t *testing.T) {
			x := New(time.Time{})
			x.work, x.lookups = tc.work, lookups
			d := &diff{Explainer: x, finders: x.finders, out: new(Explanation)}
			ok, e := textDecoder{}.decode(d, []byte(tc.was), []byte(tc.now)), d.out
			var got []string
			for _, p := range e.Parts {
				if p.Reason == Content {
					got = append(got, strings.TrimSpace(place(p.What)+" "+p.Was+" "+p.Now))
				}
			}
			if !ok || len(got) != 1 || !strings.HasPrefix(got[0], tc.want) || strings.Contains(tc.now, "evil") != strings.Contains(got[0], "evil") {
				t.Errorf("%q, want %q", got, tc.want)
			}
			for _, m := range e.Shown {
				if m.Code == "difference/bytes" && tc.offset >= 0 && m.Args.Int("unexplained") != tc.offset {
					t.Errorf("what is shown is at byte %d, want %d", m.Args.Int("unexplained"), tc.offset)
				}
			}
			if e.Has(Date) == (name == "a long line") {
				t.Error("the date is named of its own, or is not")
			}
		})
	}
	e := New(time.Time{}).Explain("x", []byte("\x00"+was+"\x00good"), []byte("\x00"+now+"\x00evil"))
	if at := e.Shown[0].Args.Int("unexplained"); at != 22 {
		t.Errorf("of other bytes those at %d are shown", at)
	}
}

// patch applies a diff that shows all its lines to a text.
func patch(t *testing.T, was, diff string) string {
	t.Helper()
	old, at := splitLines(was), 0
	var now []string
	for _, line := range splitLines(diff) {
		switch line[0] {
		case '@':
			var start, n int
			if _, err := fmt.Sscanf(line, "@@ -%d,%d", &start, &n); err != nil {
				n = 1
			}
			if n == 0 {
				start++
			}
			for ; at < start-1; at++ {
				now = append(now, old[at])
			}
		case '\\':
		case '+':
			now = append(now, line[1:])
		default:
			if old[at] != line[1:] {
				t.Fatalf("the diff has %q where the text has %q", line, old[at])
			}
			if at++; line[0] == ' ' {
				now = append(now, line[1:])
			}
		}
	}
	return strings.Join(append(now, old[at:]...), "")
}

// FuzzTextDiff holds that a diff turns the one text into the other, and that
// the same texts always have the same diff.
func FuzzTextDiff(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nd\n")
	f.Add(strings.Repeat("x\ny\n", 12), strings.Repeat("y\nx\n", 12))
	f.Fuzz(func(t *testing.T, was, now string) {
		if len(was)+len(now) > maxDiffLines-10 {
			return
		}
		was, now = was+"\n", now+"\n"
		diff, ok := diffText(maxLineWork, was, now)
		if !ok || was == now {
			return
		}
		if got := patch(t, was, diff); got != now {
			t.Errorf("%q patched is %q, want %q:\n%s", was, got, now, diff)
		}
		if again, _ := diffText(maxLineWork, was, now); again != diff {
			t.Errorf("two diffs of the same:\n%s\n%s", diff, again)
		}
	})
}

// explainText explains two texts within some work.
func explainText(work int, was, now string) (*Explanation, bool) {
	x := New(time.Time{})
	x.work = work
	d := &diff{Explainer: x, finders: x.finders, out: new(Explanation)}
	ok := textDecoder{}.decode(d, []byte(was), []byte(now))
	return d.out, ok
}

// diffText is the diff of two texts; ok is false where one of them is none.
func diffText(work int, was, now string) (string, bool) {
	e, ok := explainText(work, was, now)
	if !ok {
		return "", false
	}
	return e.Shown[len(e.Shown)-1].Args.String("diff"), ok
}

func TestBytes(t *testing.T) {
	got := place(Bytes([]byte("\x00abcdefghij"), []byte("\x00abcdXfgYij+")))
	want := "bytes common=11 differ=2 last=8 now-size=12 now-window=00 61 62 63 64 58 66 67 59 69 6a 2b  \"\\x00abcdXfgYij+\" offset=5 " +
		"was-size=11 was-window=00 61 62 63 64 65 66 67 68 69 6a  \"\\x00abcdefghij\""
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := place(Bytes([]byte("ab"), []byte("abc"))); !strings.Contains(got, "the end, at byte 2") {
		t.Error(got)
	}
}
