package explain

import (
	"bytes"
	"slices"
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
	if isNumber(was) && isNumber(now) {
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

// withoutDiff explains texts that are too long.
func (d *diff) withoutDiff(was, now []byte, why check.Message) {
	if !d.tokens(was, now, byteAt) {
		d.add(check.Message{}, Content, "", "")
	}
	d.show(why)
	d.show(Bytes(was, now))
}

// sameLines says whether the same lines stand in another order.
func sameLines(was, now []string) bool {
	return len(was) == len(now) && len(was) > 1 &&
		slices.Equal(slices.Sorted(slices.Values(was)), slices.Sorted(slices.Values(now)))
}

// changes explains one change after the other: lines that went, with those
// that came in their place. Before the first edit stand some lines.
func (d *diff) changes(edits []edit, before int) {
	for len(edits) > 0 {
		n := 1
		for n < len(edits) && (edits[n].op == ' ') == (edits[0].op == ' ') {
			n++
		}
		gone, _ := count(edits[:n])
		if edits[0].op != ' ' {
			d.change(edits[:n], before)
		}
		edits, before = edits[n:], before+gone
	}
}

// change explains one change, after a number of lines. As many lines in place
// of as many are compared with each other one by one.
func (d *diff) change(edits []edit, before int) {
	var was, now []string
	for _, e := range edits {
		if e.op == '-' {
			was = append(was, e.line)
		} else {
			now = append(now, e.line)
		}
	}
	if len(was) != len(now) {
		was, now = []string{strings.Join(was, "")}, []string{strings.Join(now, "")}
	}
	for i := range was {
		label := func(at int) check.Message { return lineAt(before + i + strings.Count(was[i][:at], "\n")) }
		if was[i] == "" || now[i] == "" || !d.explained([]byte(was[i]), []byte(now[i]), label) {
			d.add(check.Message{}, Content, "", "")
		}
	}
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
