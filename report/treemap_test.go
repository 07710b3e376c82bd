package report

import (
	"fmt"
	"math"
	"testing"
)

// TestTreemapTiles: the cells fill the rectangle, do not overlap, and each is
// as large as its part.
func TestTreemapTiles(t *testing.T) {
	var steps, many []part
	for i := range 30 {
		steps = append(steps, part{Label: fmt.Sprint(i), Bytes: int64(i * i)})
	}
	for i := range 500 {
		many = append(many, part{Label: fmt.Sprint(i), Bytes: 1 + int64(i%7)})
	}
	for name, parts := range map[string][]part{
		"one":       {{Label: "x", Bytes: 3}},
		"equal":     {{Bytes: 5}, {Bytes: 5}, {Bytes: 5}, {Bytes: 5}},
		"uneven":    {{Bytes: 1 << 40}, {Bytes: 1}, {Bytes: 1}},
		"in steps":  steps,
		"many":      many,
		"with none": {{Bytes: 0}, {Bytes: 7}, {Bytes: -3}},
	} {
		m := newTreemap("wide", parts, 900, 400, 48)
		var total, area float64
		for _, c := range m.Cells {
			total += float64(c.Bytes)
		}
		for i, c := range m.Cells {
			area += c.W * c.H
			if share := float64(c.Bytes) / total; math.Abs(c.W*c.H/(900*400)-share) > 1e-6 {
				t.Errorf("%s: cell %d has %f of the picture, and %f of the bytes", name, i, c.W*c.H/(900*400), share)
			}
			if c.X < -1e-6 || c.Y < -1e-6 || c.X+c.W > 900+1e-6 || c.Y+c.H > 400+1e-6 {
				t.Errorf("%s: cell %d lies outside: %+v", name, i, c)
			}
			for _, d := range m.Cells[:i] {
				if min(c.X+c.W, d.X+d.W)-max(c.X, d.X) > 1e-6 && min(c.Y+c.H, d.Y+d.H)-max(c.Y, d.Y) > 1e-6 {
					t.Errorf("%s: two cells overlap: %+v, %+v", name, c, d)
				}
			}
		}
		if math.Abs(area-900*400) > 1e-3 || len(m.Cells) > 48 {
			t.Errorf("%s: %d cells fill %f", name, len(m.Cells), area)
		}
	}
	if m := newTreemap("wide", nil, 900, 400, 48); m.Cells != nil {
		t.Error("nothing has cells")
	}
}

func TestTreemapLosesNothing(t *testing.T) {
	var parts []part
	var want int64
	for i := range 300 {
		parts = append(parts, part{Label: fmt.Sprint(i), Bytes: int64(i)})
		want += int64(i)
	}
	var got int64
	rest := false
	for _, c := range newTreemap("wide", parts, 900, 400, 48).Cells {
		got += c.Bytes
		rest = rest || c.Label == "252 smaller" && c.Kind == "rest"
	}
	if got != want || !rest {
		t.Errorf("the cells hold %d of %d bytes; the rest is named: %v", got, want, rest)
	}
}

func TestTreemapLabelsFit(t *testing.T) {
	c := cell{part: part{Label: "a-very-long-name-of-a-package-1.0", Bytes: 2048}, W: 100, H: 40}
	c.label()
	if len(c.Lines) != 2 || c.Lines[0].Text != "a-very-long…" || c.Lines[1].Text != "2.0 KiB" {
		t.Errorf("the lines are %+v", c.Lines)
	}
	c = cell{part: part{Label: "name", Bytes: 1}, W: 20, H: 40}
	c.label()
	if c.Lines != nil {
		t.Errorf("the lines are %+v", c.Lines)
	}
}
