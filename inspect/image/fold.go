package image

import (
	"audit/inspect/paths"
	"cmp"
	"slices"
	"strings"
)

// A File is an entry of the folded root file system: what a container sees
// when all layers lie on each other.
type File struct {
	*Entry
	Layer int // the layer whose entry won
}

// Whiteouts, as the OCI image-spec v1.1 (layer.md) has them.
const (
	WhiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
)

// Files folds the layers into the root file system and returns it sorted by
// path, parents first. Whiteouts and opaque folders are obeyed and do not
// appear themselves. In one layer a later entry of the same path wins.
func (img *Image) Files() []File {
	marks := img.marks()
	slices.SortFunc(marks, compareMarks)
	f := fold{files: make([]File, 0, len(marks))}
	for len(marks) > 0 {
		n := 1
		for n < len(marks) && marks[n].path == marks[0].path {
			n++
		}
		f.path(marks[:n])
		marks = marks[n:]
	}
	return f.files
}

// A mark is what one entry says about a path.
type mark struct {
	path  string // "" for the root
	kind  markKind
	layer int
	at    int64  // place among all entries, the lowest layer's first
	entry *Entry // of markEntry
}

type markKind byte

const (
	markEntry    markKind = iota // there is an entry
	markWhiteout                 // what lower layers have there, and below it, is hidden
	markOpaque                   // what lower layers have below it is hidden
)

// marks returns what all layers say, in their order.
func (img *Image) marks() []mark {
	count := 0
	for _, layer := range img.Layers {
		count += len(layer.Entries)
	}
	marks := make([]mark, 0, count)
	for _, layer := range img.Layers {
		for i := range layer.Entries {
			if m, ok := markOf(&layer.Entries[i]); ok {
				m.layer, m.at = layer.Index, int64(len(marks))
				marks = append(marks, m)
			}
		}
	}
	return marks
}

// markOf returns what an entry says; false for a whiteout of nothing.
func markOf(e *Entry) (mark, bool) {
	dir, base := paths.Split(e.Path)
	hidden, ok := strings.CutPrefix(base, WhiteoutPrefix)
	switch {
	case !ok:
		return mark{path: paths.Rooted(e.Path), entry: e}, true
	case base == opaqueMarker:
		return mark{path: paths.Rooted(dir), kind: markOpaque}, true
	}
	return mark{path: paths.Join(dir, hidden), kind: markWhiteout}, IsName(hidden)
}

// IsName says whether a whiteout can hide something of this name: not the
// folder that it is in, nor the one above.
func IsName(hidden string) bool { return hidden != "" && hidden != "." && hidden != ".." }

func compareMarks(a, b mark) int {
	if c := paths.Compare(a.path, b.path); c != 0 {
		return c
	}
	return cmp.Compare(a.at, b.at)
}

// A fold goes through the marks, path by path, folders first.
type fold struct {
	files  []File
	shades []shade // of the folders above
}

// A shade is what is hidden below a path.
type shade struct {
	path   string
	layers int   // entries of lower layers than this
	before int64 // entries before this one: it is no folder
}

// path takes all marks of one path.
func (f *fold) path(marks []mark) {
	above := f.above(marks[0].path)
	self, below := above, above
	var last *mark
	for i := range marks {
		m := &marks[i]
		switch m.kind {
		case markWhiteout:
			self.layers = max(self.layers, m.layer)
		case markOpaque:
			below.layers = max(below.layers, m.layer)
		default:
			last = m
			if m.entry.Type != '5' {
				below.before = m.at
			}
		}
	}
	if last != nil && last.layer >= self.layers && last.at >= above.before {
		f.files = append(f.files, File{last.entry, last.layer})
	}
	below.path, below.layers = marks[0].path, max(below.layers, self.layers)
	below.before = max(below.before, above.before)
	f.shades = append(f.shades, below)
}

// above returns the shade that lies on a path, and forgets those of folders
// that the fold has left.
func (f *fold) above(path string) shade {
	for n := len(f.shades); n > 0; n-- {
		if s := f.shades[n-1]; s.path == "" || strings.HasPrefix(path, s.path) && path[len(s.path)] == '/' {
			return s
		}
		f.shades = f.shades[:n-1]
	}
	return shade{}
}
