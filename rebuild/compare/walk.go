package compare

import (
	"cmp"
	"iter"
	"slices"

	"audit/inspect"
	"audit/inspect/image"
	"audit/inspect/paths"
)

// A walk is one comparison under way. What it holds grows with the number of
// entries, never with their contents.
type walk struct {
	a, b  side // the original and the rebuild
	out   *Comparison
	names *shapeNames

	partners [][]ref           // by layer and entry of a: the entry of b it met
	moves    map[move]int      // entries that met one of another layer
	notes    map[note]*seen    // differences of packaging, one a layer and kind
	above    map[[2]int]string // by layers: the path of the last entry that went from one to the other

	shuffled   bool                      // layers, or items between layers, changed places
	hidden     bool                      // a difference of the layers is none of the root file systems
	rootPaths  map[string]bool           // of files that a container sees otherwise
	rootInodes map[image.InodeID]bool    // these files
	named      map[[2]image.InodeID]bool // see sameNames
}

// A side is one of the two images.
type side struct {
	img      *inspect.Image
	partner  []int       // by layer: its partner in the other image, -1 for none
	equal    []bool      // by layer: the partner is the same bytes
	reported []bool      // by layer: a difference speaks of it
	refs     []ref       // entries of the unequal layers by path, layer, position
	shapes   [][]shapeID // by layer and entry: what no field explains of the headers
	tails    []tail      // by layer: what follows its last entry
	roots    []rootsByPath
	byName   map[string]string          // store items by their name without hash
	first    map[uint64]int             // by hash of a path: the lowest layer that has it
	byEntry  map[*inspect.Entry]shapeID // of all layers, where root file systems are compared with each other
}

// A ref is an entry by its layer and its position there.
type ref struct{ layer, index int32 }

// nowhere is the ref of no entry.
var nowhere = ref{-1, -1}

// An at is an entry and the layer that has it.
type at struct {
	*inspect.Entry
	layer int
}

func newWalk(original, rebuilt *inspect.Image) *walk {
	return &walk{
		a: newSide(original), b: newSide(rebuilt),
		out:        new(Comparison),
		names:      newShapeNames(),
		moves:      make(map[move]int),
		above:      make(map[[2]int]string),
		notes:      make(map[note]*seen),
		rootPaths:  make(map[string]bool),
		rootInodes: make(map[image.InodeID]bool),
		named:      make(map[[2]image.InodeID]bool),
	}
}

func newSide(img *inspect.Image) side {
	n := len(img.Layers)
	return side{
		img: img, partner: slices.Repeat([]int{-1}, n), equal: make([]bool, n), reported: make([]bool, n),
		shapes: make([][]shapeID, n), tails: make([]tail, n), roots: make([]rootsByPath, n),
	}
}

// add notes a difference of no layer.
func (w *walk) add(d Difference) { w.out.Differences = append(w.out.Differences, d) }

// report notes a difference between a layer of each image; -1 stands for none.
func (w *walk) report(d Difference, a, b int) {
	w.add(d)
	if a >= 0 {
		w.a.reported[a] = true
	}
	if b >= 0 {
		w.b.reported[b] = true
	}
}

func (s *side) at(r ref) at {
	return at{s.img.Layers[r.layer].Entries[r.index], int(r.layer)}
}

// list gathers the entries of all layers that have no equal, sorted by path,
// then layer, then position.
func (s *side) list() {
	for i, l := range s.img.Layers {
		if s.equal[i] {
			continue
		}
		s.refs = slices.Grow(s.refs, len(l.Entries))
		for j := range l.Entries {
			s.refs = append(s.refs, ref{int32(i), int32(j)})
		}
	}
	slices.SortFunc(s.refs, func(x, y ref) int {
		return cmp.Or(paths.Compare(s.path(x), s.path(y)), cmp.Compare(x.layer, y.layer), cmp.Compare(x.index, y.index))
	})
}

func (s *side) path(r ref) string { return s.img.Layers[r.layer].Entries[r.index].Path }

// run returns how many refs at the start of refs have the same path.
func (s *side) run(refs []ref) int {
	n := 1
	for n < len(refs) && s.path(refs[n]) == s.path(refs[0]) {
		n++
	}
	return n
}

// byPath yields, path by path, the entries of both sides that have it.
func (w *walk) byPath() iter.Seq2[[]ref, []ref] {
	return func(yield func([]ref, []ref) bool) {
		a, b := w.a.refs, w.b.refs
		for len(a) > 0 || len(b) > 0 {
			order := cmp.Compare(len(b), 0) - cmp.Compare(len(a), 0)
			if len(a) > 0 && len(b) > 0 {
				order = paths.Compare(w.a.path(a[0]), w.b.path(b[0]))
			}
			m, n := 0, 0
			if order <= 0 {
				m = w.a.run(a)
			}
			if order >= 0 {
				n = w.b.run(b)
			}
			if !yield(a[:m], b[:n]) {
				return
			}
			a, b = a[m:], b[n:]
		}
	}
}
