package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A part is a piece of what an image holds: a store item, a folder.
type part struct {
	Label string // short, for a picture
	Name  string // in full
	Kind  string // "package", "dependency", "folder" or "rest"
	Bytes int64
}

// Cells of a treemap at most, on a screen and on a phone; what is smaller is
// one cell.
const (
	wideCells   = 150
	narrowCells = 50
)

// A treemap is a rectangle cut into cells, each as large as its part.
type treemap struct {
	ID            string
	Width, Height float64
	Cells         []cell
}

// A cell is a rectangle of a treemap. Lines are what fits into it.
type cell struct {
	part
	X, Y, W, H float64
	Lines      []textLine
}

// A textLine is a line of letters; X and Y are where its base line begins.
type textLine struct {
	X, Y float64
	Text string
	Kind string // "name" or "size"
}

// Sizes of the letters in a cell, in units of the picture.
const (
	letterWidth = 7.2
	lineHeight  = 15
	cellMargin  = 6
)

// newTreemap lays parts out by the squarified algorithm (Bruls, Huizing, van
// Wijk: Squarified Treemaps, 2000): rows are filled along the shorter side as
// long as that makes cells more like squares.
func newTreemap(id string, parts []part, width, height float64, cells int) treemap {
	t := treemap{ID: id, Width: width, Height: height}
	parts = largest(parts, cells)
	var total int64
	for _, p := range parts {
		total += p.Bytes
	}
	if total == 0 {
		return t
	}
	scale := width * height / float64(total)
	left := area{0, 0, width, height}
	for len(parts) > 0 {
		n := left.row(parts, scale)
		t.Cells = append(t.Cells, left.cut(parts[:n], scale)...)
		parts = parts[n:]
	}
	for i := range t.Cells {
		t.Cells[i].label()
	}
	return t
}

// largest returns at most n parts that have bytes, the largest first; one of
// them stands for all that are left out.
func largest(parts []part, n int) []part {
	parts = slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.Bytes <= 0 })
	slices.SortStableFunc(parts, bySize)
	if len(parts) <= n {
		return parts
	}
	rest := part{Kind: "rest"}
	for _, p := range parts[n-1:] {
		rest.Bytes += p.Bytes
	}
	rest.Label = strconv.Itoa(len(parts)-n+1) + " smaller"
	rest.Name = rest.Label
	parts = append(parts[:n-1:n-1], rest)
	slices.SortStableFunc(parts, bySize)
	return parts
}

func bySize(a, b part) int {
	return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
}

// An area is what of the rectangle is not cut up yet.
type area struct{ x, y, w, h float64 }

// row returns how many parts make the best row along the shorter side.
func (a area) row(parts []part, scale float64) int {
	side := min(a.w, a.h)
	sum, best := 0.0, 0.0
	for i, p := range parts {
		sum += float64(p.Bytes) * scale
		first, last := float64(parts[0].Bytes)*scale, float64(p.Bytes)*scale
		// The worst proportion in the row: its first cell is the longest one
		// way, its last the longest the other way.
		worst := max(side*side*first/(sum*sum), sum*sum/(side*side*last))
		if i > 0 && worst > best {
			return i
		}
		best = worst
	}
	return len(parts)
}

// cut lays a row along the shorter side and takes it off the area.
func (a *area) cut(row []part, scale float64) []cell {
	sum := 0.0
	for _, p := range row {
		sum += float64(p.Bytes) * scale
	}
	var cells []cell
	at := 0.0
	upright := a.w >= a.h
	thick := sum / min(a.w, a.h)
	for _, p := range row {
		long := float64(p.Bytes) * scale / thick
		c := cell{part: p, X: a.x + at, Y: a.y, W: long, H: thick}
		if upright {
			c = cell{part: p, X: a.x, Y: a.y + at, W: thick, H: long}
		}
		cells = append(cells, c)
		at += long
	}
	if upright {
		a.x, a.w = a.x+thick, a.w-thick
	} else {
		a.y, a.h = a.y+thick, a.h-thick
	}
	return cells
}

// label writes into a cell what fits: the name, its size below it.
func (c *cell) label() {
	room := int((c.W - 2*cellMargin) / letterWidth)
	lines := int((c.H - cellMargin) / lineHeight)
	if room < 3 || lines < 1 {
		return
	}
	x, y := c.X+cellMargin, c.Y+lineHeight
	c.Lines = append(c.Lines, textLine{x, y, ellipsis(Printable(c.Label), room), "name"})
	if size := bytesWords(c.Bytes); lines > 1 && utf8.RuneCountInString(size) <= room {
		c.Lines = append(c.Lines, textLine{x, y + lineHeight, size, "size"})
	}
}

// ellipsis shortens s to n characters.
func ellipsis(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:n-1]), "-. ") + "…"
}
