package explain

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"audit/inspect/check"
)

// A textDecoder explains text, in UTF-8 and without NUL, by a diff of its
// lines in the unified format (diff -u of GNU diffutils, without file names).
type textDecoder struct{}

func (textDecoder) decode(d *diff, was, now []byte) bool {
	if !isText(was) || !isText(now) {
		return false
	}
	if d.isNumber(was) && d.isNumber(now) {
		d = d.withNumbers()
	}
	d.lines(was, now)
	return true
}

// isText says whether data is text that a diff can show.
func isText(data []byte) bool {
	return utf8.Valid(data) && bytes.IndexByte(data, 0) < 0
}

// lines explains two texts, whatever format they are. That lines stand in another
// order is a difference of content as any, but in formats in which it means nothing.
func (d *diff) lines(was, now []byte) {
	if n := max(bytes.Count(was, []byte("\n")), bytes.Count(now, []byte("\n"))); n > maxLines {
		d.withoutDiff(was, now, check.Say("difference/too-many-lines", "lines", n))
		return
	}
	l := newLineDiff(string(was), string(now))
	if l.work() > d.work {
		d.withoutDiff(was, now, check.Say("difference/too-many-lines-differ", "line", l.skipped+1))
		return
	}
	d.work -= l.work()
	edits := l.edits()
	if d.unordered && sameLines(l.was, l.now) {
		d.add(lineAt(l.skipped), Order, strings.TrimSuffix(l.was[0], "\n"), strings.TrimSuffix(l.now[0], "\n"))
	} else {
		d.changes(edits, l.skipped-len(l.before))
	}
	text, cut := unified(edits, l.skipped-len(l.before)+1)
	if cut {
		d.show(Bytes(was, now))
	}
	d.show(check.Say("difference/lines", "diff", text))
}

// withoutDiff explains texts that are too long, and shows the first line that nothing
// explains.
func (d *diff) withoutDiff(was, now []byte, why check.Message) {
	first, all := d.align(was, now, byteAt)
	if !all {
		c := lineChange{bytes.Count(was[:first.was], []byte("\n")), lineAround(was, first.was), lineAround(now, first.now)}
		x, y := d.quotedLines(c.was, c.now)
		d.add(check.Say("difference/changed-line", "line", c.before+1), Content, x, y)
	}
	d.show(why)
	if !all {
		d.show(bytesAt(was, now, first))
	}
}

// lineAround is the line around a place, none at the end of a text.
func lineAround(text []byte, at int) []string {
	from, to := bytes.LastIndexByte(text[:at], '\n')+1, bytes.IndexByte(text[at:], '\n')+1
	if to == 0 {
		to = len(text) - at
	}
	if from == at+to {
		return nil
	}
	return []string{string(text[from : at+to])}
}

// sameLines says whether the same lines stand in another order.
func sameLines(was, now []string) bool {
	return len(was) == len(now) && len(was) > 1 &&
		slices.Equal(slices.Sorted(slices.Values(was)), slices.Sorted(slices.Values(now)))
}

// A lineChange is lines that went, and those that came in their place, after a number of
// lines. A text in which nothing is explained has one for each pair of lines, or for
// each block of lines that are not as many as before.
type lineChange struct {
	before   int
	was, now []string
}

// changes explains one change after the other: lines that went, with those
// that came in their place. Before the first edit stand some lines. All that nothing
// explains is one part.
func (d *diff) changes(edits []edit, before int) {
	var left []lineChange
	for len(edits) > 0 {
		n := 1
		for n < len(edits) && (edits[n].op == ' ') == (edits[0].op == ' ') {
			n++
		}
		gone, _ := count(edits[:n])
		if edits[0].op != ' ' {
			left = append(left, d.change(edits[:n], before)...)
		}
		edits, before = edits[n:], before+gone
	}
	if len(left) > 0 {
		d.unexplained(left)
	}
}

// change explains one change, after a number of lines, and returns what of it nothing
// explains. As many lines in place of as many are compared with each other one by one;
// of others those at both ends, as far as they are explained.
func (d *diff) change(edits []edit, before int) (left []lineChange) {
	c := lineChange{before: before}
	for _, e := range edits {
		if e.op == '-' {
			c.was = append(c.was, e.line)
		} else {
			c.now = append(c.now, e.line)
		}
	}
	if len(c.was) != len(c.now) {
		if d.explainedLines(strings.Join(c.was, ""), strings.Join(c.now, ""), before) {
			return nil
		}
		return []lineChange{d.ends(c)}
	}
	for i := range c.was {
		if !d.explainedLines(c.was[i], c.now[i], before+i) {
			left = append(left, lineChange{before + i, c.was[i : i+1], c.now[i : i+1]})
		}
	}
	return left
}

// explainedLines explains lines, after a number of others, in full or not at all.
func (d *diff) explainedLines(was, now string, before int) bool {
	label := func(at int) check.Message { return lineAt(before + strings.Count(was[:at], "\n")) }
	return was != "" && now != "" && d.explained([]byte(was), []byte(now), label)
}

// ends returns a change without the lines at its start and at its end that are explained.
func (d *diff) ends(c lineChange) lineChange {
	for len(c.was) > 0 && len(c.now) > 0 && d.explainedLines(c.was[0], c.now[0], c.before) {
		c = lineChange{c.before + 1, c.was[1:], c.now[1:]}
	}
	for {
		m, n := len(c.was)-1, len(c.now)-1
		if m < 0 || n < 0 || !d.explainedLines(c.was[m], c.now[n], c.before+m) {
			return c
		}
		c.was, c.now = c.was[:m], c.now[:n]
	}
}

// unexplained notes the first of the lines that nothing explains, and how many more
// there are; of lines that only stand elsewhere no more than that they do.
func (d *diff) unexplained(left []lineChange) {
	rest, moved := withoutMoved(left)
	if len(rest) == 0 {
		was, _ := d.quotedLines(moved[0].was, nil)
		d.add(check.Say("difference/reordered-lines", "lines", len(moved), "line", moved[0].before+1), Content, was, "")
		return
	}
	others := -1
	for _, c := range rest {
		others += max(len(c.was), len(c.now))
	}
	args := []any{"line", rest[0].before + 1}
	if others > 0 {
		args = append(args, "others", others)
	}
	if len(moved) > 0 {
		args = append(args, "moved", len(moved))
	}
	was, now := d.quotedLines(rest[0].was, rest[0].now)
	d.add(check.Say("difference/changed-line", args...), Content, was, now)
}

// withoutMoved takes lines out of changes that went in one place and came in another, and
// returns them as well, those with something in them first.
func withoutMoved(left []lineChange) (rest, moved []lineChange) {
	gone, come := make(map[string]int), make(map[string]int)
	for _, c := range left {
		if !c.isEnding() {
			tally(gone, c.was)
			tally(come, c.now)
		}
	}
	for _, c := range left {
		if c.isEnding() {
			rest = append(rest, c)
			continue
		}
		was, went := apartFrom(c.was, come)
		now, _ := apartFrom(c.now, gone)
		first := 0
		for _, i := range went {
			moved = append(moved, lineChange{before: c.before + i, was: c.was[i : i+1]})
			if i == first {
				first++
			}
		}
		if len(was)+len(now) > 0 {
			rest = append(rest, lineChange{c.before + first, was, now})
		}
	}
	slices.SortStableFunc(moved, func(x, y lineChange) int { return isBlank(x.was[0]) - isBlank(y.was[0]) })
	return rest, moved
}

// isEnding says whether a change is of one line, and no more than how it ends.
func (c lineChange) isEnding() bool {
	return len(c.was) == 1 && len(c.now) == 1 && withoutEnd(c.was[0]) == withoutEnd(c.now[0])
}

func tally(count map[string]int, lines []string) {
	for _, line := range lines {
		count[withoutEnd(line)]++
	}
}

// apartFrom returns the lines that are not among others, which loses those that are, and
// the places of these.
func apartFrom(lines []string, others map[string]int) (kept []string, at []int) {
	for i, line := range lines {
		if others[withoutEnd(line)] == 0 {
			kept = append(kept, line)
			continue
		}
		others[withoutEnd(line)]--
		at = append(at, i)
	}
	return kept, at
}

func withoutEnd(line string) string { return strings.TrimSuffix(line, "\n") }

// isBlank is 1 for a line without anything in it, 0 for others.
func isBlank(line string) int {
	if strings.TrimSpace(line) == "" {
		return 1
	}
	return 0
}

// quotedLines are the first of the lines that went and that came in quotes, "" for none:
// without the space around them, and of long ones what is around the first difference that
// nothing explains.
func (d *diff) quotedLines(was, now []string) (x, y string) {
	a, b := strings.Join(was[:min(len(was), 1)], ""), strings.Join(now[:min(len(now), 1)], "")
	for _, simpler := range []func(string) string{withoutEnd, strings.TrimSpace} {
		if m, n := simpler(a), simpler(b); m != n {
			a, b = m, n
		}
	}
	if len(a) > mostOfLine || len(b) > mostOfLine {
		try := *d
		try.out = new(Explanation)
		if at, all := try.align([]byte(a), []byte(b), byteAt); !all {
			a, b = aroundPlace(a, at.was), aroundPlace(b, at.now)
		}
	}
	if len(was) > 0 {
		x = strconv.Quote(a)
	}
	if len(now) > 0 {
		y = strconv.Quote(b)
	}
	return x, y
}

// mostOfLine bounds the bytes of a line that are shown of a difference.
const mostOfLine = maxValue / 2

// aroundPlace cuts a line that is longer to what is around a place.
func aroundPlace(line string, at int) string {
	const before = 40
	from := max(0, at-before)
	if len(line) <= mostOfLine {
		return line
	}
	cut := strings.ToValidUTF8(line[from:min(len(line), from+mostOfLine)], "")
	if from > 0 {
		cut = "…" + cut
	}
	if from+mostOfLine < len(line) {
		cut += "…"
	}
	return cut
}

// lineAt labels the line after a number of lines.
func lineAt(before int) check.Message { return check.Say("difference/line", "line", before+1) }

// showLines shows a diff of two texts that are explained already.
func (d *diff) showLines(was, now []byte) {
	in := *d
	in.out = new(Explanation)
	in.inner = ""
	in.lines(was, now)
	for _, m := range in.out.Shown {
		d.show(m)
	}
}
