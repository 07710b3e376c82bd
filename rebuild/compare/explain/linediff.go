package explain

import (
	"fmt"
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// Bounds on the diff of a text. What goes past the first two is explained
// without one, and a line says so.
const (
	maxLines     = 200_000   // of a text
	maxLineWork  = 400 << 20 // pairs of lines that may be compared, over all files
	maxDiffLines = 120       // that are shown
	maxLineBytes = 400       // of a line that are shown
	contextLines = 3
)

// A lineDiff is the part of two texts between what they share at their start
// and at their end.
type lineDiff struct {
	was, now      []string
	before, after []string // shared lines beside it, for context
	skipped       int      // lines shared at the start
}

func newLineDiff(was, now string) lineDiff {
	x, y := splitLines(was), splitLines(now)
	n := 0
	for n < min(len(x), len(y)) && x[n] == y[n] {
		n++
	}
	d := lineDiff{before: x[max(0, n-contextLines):n], skipped: n}
	x, y = x[n:], y[n:]
	n = 0
	for n < min(len(x), len(y)) && x[len(x)-1-n] == y[len(y)-1-n] {
		n++
	}
	d.after = x[len(x)-n:][:min(n, contextLines)]
	d.was, d.now = x[:len(x)-n], y[:len(y)-n]
	return d
}

// splitLines splits a text after each line feed.
func splitLines(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// work is what a diff may cost: in the worst case the algorithm compares each
// line with each.
func (d lineDiff) work() int { return (len(d.was) + 1) * (len(d.now) + 1) }

// An edit is a line that stays (' '), goes ('-') or comes ('+').
type edit struct {
	op   byte
	line string
}

// edits finds the lines that go and come, with some that stay on both ends. It
// has no deadline, so that the same texts always have the same diff.
func (d lineDiff) edits() []edit {
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0
	x, y, lines := dmp.DiffLinesToRunes(strings.Join(d.was, ""), strings.Join(d.now, ""))
	edits := appendEdits(nil, ' ', d.before)
	for _, part := range dmp.DiffCharsToLines(dmp.DiffMainRunes(x, y, false), lines) {
		edits = appendEdits(edits, opOf(part.Type), splitLines(part.Text))
	}
	return appendEdits(edits, ' ', d.after)
}

func opOf(t diffmatchpatch.Operation) byte {
	switch t {
	case diffmatchpatch.DiffDelete:
		return '-'
	case diffmatchpatch.DiffInsert:
		return '+'
	}
	return ' '
}

func appendEdits(edits []edit, op byte, lines []string) []edit {
	for _, line := range lines {
		edits = append(edits, edit{op, line})
	}
	return edits
}

// unified writes edits as hunks with some lines of context; first is the number
// of the first line. It says whether a line that changed was cut.
func unified(edits []edit, first int) (text string, cut bool) {
	var b strings.Builder
	was, now, shown := first, first, 0
	for len(edits) > 0 {
		lead, size := hunk(edits)
		was, now = was+lead, now+lead
		edits = edits[lead:]
		if size == 0 {
			break
		}
		gone, come := count(edits[:size])
		fmt.Fprintf(&b, "@@ -%s +%s @@\n", lineRange(was, gone), lineRange(now, come))
		for _, e := range edits[:size] {
			if shown++; shown > maxDiffLines {
				fmt.Fprintf(&b, "… the diff is longer than %d lines\n", maxDiffLines)
				return b.String(), cut
			}
			cut = e.write(&b) && e.op != ' ' || cut
		}
		was, now, edits = was+gone, now+come, edits[size:]
	}
	return b.String(), cut
}

// hunk returns how many lines to skip before the next hunk, and how many it
// has: changes that are less than two contexts apart belong together.
func hunk(edits []edit) (lead, size int) {
	first, last := -1, -1
	for i, e := range edits {
		if e.op == ' ' && (last < 0 || i-last <= 2*contextLines) {
			continue
		}
		if e.op == ' ' {
			break
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	if first < 0 {
		return len(edits), 0
	}
	lead = max(0, first-contextLines)
	return lead, min(len(edits), last+1+contextLines) - lead
}

// count counts the lines that a hunk has in the old and in the new text.
func count(hunk []edit) (was, now int) {
	for _, e := range hunk {
		if e.op != '+' {
			was++
		}
		if e.op != '-' {
			now++
		}
	}
	return was, now
}

// lineRange writes the place of a hunk; that of no lines is the line before.
func lineRange(start, n int) string {
	switch n {
	case 0:
		return fmt.Sprintf("%d,0", start-1)
	case 1:
		return fmt.Sprint(start)
	}
	return fmt.Sprintf("%d,%d", start, n)
}

// write writes a line and says whether it was too long to be shown whole.
func (e edit) write(b *strings.Builder) bool {
	line, whole := strings.CutSuffix(e.line, "\n")
	cut := len(line) > maxLineBytes
	if cut {
		line = strings.ToValidUTF8(line[:maxLineBytes], "") + fmt.Sprintf("… (%d bytes)", len(line))
	}
	b.WriteByte(e.op)
	b.WriteString(line)
	b.WriteByte('\n')
	if !whole {
		b.WriteString("\\ No newline at end of file\n")
	}
	return cut
}
