package compare

import (
	"slices"

	"audit/inspect"
)

// told is a cause that is listed for a path already.
type told struct {
	path  string
	cause Cause
}

// folded compares the root file systems that a container sees, where the place
// of layers or entries may decide what that is. What the entries told already
// is not told again.
func (w *walk) folded() {
	if !w.shuffled && !(w.reordered && w.entangled) {
		return
	}
	known := make(map[told]bool)
	for _, d := range w.out.Differences {
		known[told{d.Path, d.Cause}] = true
	}
	add := func(d Difference, a, b int) {
		if !known[told{d.Path, d.Cause}] {
			d.Evidence = append(evidence("difference/of-folded-layers"), d.Evidence...)
			w.tell(d, a, b)
		}
	}
	was, now := w.a.img.Files(), w.b.img.Files()
	for len(was) > 0 || len(now) > 0 {
		switch order := compareFiles(was, now); {
		case order < 0:
			add(Difference{Path: was[0].Path, Layer: was[0].Layer, Cause: Missing, Was: describe(was[0].Entry), Privileged: lendsRights(was[0].Entry)}, was[0].Layer, -1)
			was = was[1:]
		case order > 0:
			add(Difference{Path: now[0].Path, Layer: now[0].Layer, Cause: Extra, Now: describe(now[0].Entry), Privileged: lendsRights(now[0].Entry)}, -1, now[0].Layer)
			now = now[1:]
		default:
			a, b := at{was[0].Entry, was[0].Layer}, at{now[0].Entry, now[0].Layer}
			for _, d := range append(w.differences(a, b), w.leadsElsewhere(a, b)...) {
				add(d, a.layer, b.layer)
			}
			was, now = was[1:], now[1:]
		}
	}
}

// onlyHidden says whether the layers of images with different numbers of them
// differ, and what a container sees does not. Records of headers that no entry
// has (see framing) are not held against each other once more.
func (w *walk) onlyHidden() bool {
	harmless := func(d Difference) bool { return d.Cause.Harmless() }
	inLayers := func(d Difference) bool { return d.Layer >= 0 && !harmless(d) }
	record := func(d Difference) bool { return d.Path == "" && inLayers(d) || d.Cause == Xattr && len(d.Evidence) > 0 }
	all := w.out.Differences
	if len(w.a.img.Layers) == len(w.b.img.Layers) || !slices.ContainsFunc(all, inLayers) || slices.ContainsFunc(all, record) {
		return false
	}
	return slices.EqualFunc(w.a.img.Files(), w.b.img.Files(), func(x, y inspect.File) bool {
		a, b := at{x.Entry, x.Layer}, at{y.Entry, y.Layer}
		found := append(w.differences(a, b), w.leadsElsewhere(a, b)...)
		return x.Path == y.Path && !slices.ContainsFunc(found, func(d Difference) bool { return !harmless(d) })
	})
}

// compareFiles orders the first file of each list; the end comes last.
func compareFiles(was, now []inspect.File) int {
	switch {
	case len(was) == 0:
		return 1
	case len(now) == 0:
		return -1
	}
	return inspect.ComparePaths(was[0].Path, now[0].Path)
}

// leadsElsewhere compares the files behind two hard links of the same name and
// target. A link to a file of another layer is taken to lead elsewhere: which
// file that is depends on what changed places.
func (w *walk) leadsElsewhere(a, b at) []Difference {
	if kind(a.Entry) != hardLink || kind(b.Entry) != hardLink || target(a.Entry) != target(b.Entry) {
		return nil
	}
	d := Difference{Path: a.Path, Layer: a.layer, Cause: Link, Was: linkText(a.Entry), Now: linkText(b.Entry),
		Privileged: lendsRights(a.Entry) || lendsRights(b.Entry)}
	x, y := w.a.root(a), w.b.root(b)
	switch {
	case x == nil || y == nil:
		d.Evidence = evidence("difference/target-in-other-layer")
	case !sameContent(x, y):
		d.Evidence = evidence("difference/linked-files-differ")
	default:
		return nil
	}
	return []Difference{d}
}
