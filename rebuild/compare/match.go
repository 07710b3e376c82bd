package compare

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"audit/inspect"
)

// entries lets the entries of all layers without an equal meet by path, and
// notes what differs between those that met and which met none.
func (w *walk) entries() {
	w.a.readFrames(w.names)
	w.b.readFrames(w.names)
	w.partners = make([][]ref, len(w.a.img.Layers))
	for i, l := range w.a.img.Layers {
		if !w.a.equal[i] {
			w.partners[i] = slices.Repeat([]ref{nowhere}, len(l.Entries))
		}
	}
	for as, bs := range w.byPath() {
		w.meet(as, bs)
	}
	w.reportMoves()
	w.reportNotes()
}

func isBelow(path, folder string) bool {
	return folder != "" && len(path) > len(folder) && path[len(folder)] == '/' && path[:len(folder)] == folder
}

// meet compares the entries of one path; nearly always one on each side.
func (w *walk) meet(as, bs []ref) {
	if len(as) == 1 && len(bs) == 1 {
		w.matched(as[0], bs[0])
		return
	}
	met := w.assign(as, bs)
	inA, inB := make([]bool, len(as)), make([]bool, len(bs))
	for i, j := range met {
		if j >= 0 {
			inA[i], inB[j] = true, true
			w.matched(as[i], bs[j])
		}
	}
	w.unmet(&w.a, as, inA)
	w.unmet(&w.b, bs, inB)
	if len(as) > 1 || len(bs) > 1 {
		w.visible(as, bs, met)
	}
}

// maxRepeats bounds the pairs of entries of one path that are tried with each
// other; beyond, they meet in their order.
const maxRepeats = 1 << 12

// assign finds for each of as the one of bs that it meets, -1 for none. Those
// of layers that are compared with each other come first, and the same ones
// before others; else the last, which is the one that wins, meets the last.
func (w *walk) assign(as, bs []ref) []int {
	met := slices.Repeat([]int{-1}, len(as))
	if len(as)*len(bs) > maxRepeats {
		for i, j := len(as)-1, len(bs)-1; i >= 0 && j >= 0; i, j = i-1, j-1 {
			met[i] = j
		}
		return met
	}
	paired := func(a, b ref) bool { return w.a.partner[a.layer] == int(b.layer) }
	same := func(a, b ref) bool { return alike(w.a.at(a).Entry, w.b.at(b).Entry) }
	taken := make([]bool, len(bs))
	for _, fits := range []func(a, b ref) bool{
		func(a, b ref) bool { return paired(a, b) && same(a, b) },
		paired,
		same,
		func(a, b ref) bool { return true },
	} {
		assignWhere(as, bs, met, taken, fits)
	}
	return met
}

func assignWhere(as, bs []ref, met []int, taken []bool, fits func(a, b ref) bool) {
	for i := len(as) - 1; i >= 0; i-- {
		for j := len(bs) - 1; j >= 0 && met[i] < 0; j-- {
			if !taken[j] && fits(as[i], bs[j]) {
				met[i], taken[j] = j, true
			}
		}
	}
}

// matched compares two entries that met.
func (w *walk) matched(ra, rb ref) {
	w.partners[ra.layer][ra.index] = rb
	a, b := w.a.at(ra), w.b.at(rb)
	if w.a.partner[a.layer] != b.layer {
		w.moved(a, b)
	}
	for _, d := range w.differences(a, b) {
		w.report(d, a.layer, b.layer)
	}
	w.packaging(a, b)
	w.framing(a, b, w.a.shape(ra), w.b.shape(rb))
}

// visible compares the entries of one path that win in their layers, where
// these did not meet: the same entries in another order.
func (w *walk) visible(as, bs []ref, met []int) {
	last := make(map[int32]int, 1) // by layer of b: the position of its last entry
	for j, r := range bs {
		last[r.layer] = j
	}
	for i := range as {
		if i+1 < len(as) && as[i+1].layer == as[i].layer {
			continue
		}
		j, ok := last[int32(w.a.partner[as[i].layer])]
		if !ok || met[i] == j {
			continue
		}
		a, b := w.a.at(as[i]), w.b.at(bs[j])
		for _, d := range w.differences(a, b) {
			w.report(d, a.layer, b.layer)
		}
	}
}

// unmet notes the entries of one path that met none.
func (w *walk) unmet(s *side, refs []ref, met []bool) {
	if !slices.Contains(met, false) {
		return
	}
	count := make(map[int32]int, 1) // by layer
	for _, r := range refs {
		count[r.layer]++
	}
	for i, r := range refs {
		if !met[i] {
			w.alone(s, r, count[r.layer], s.again(refs, i, met))
		}
	}
}

// alone notes an entry that met none, which is one of some of its path in its
// layer. A folder that another layer of the same image has as well, just so, is a
// matter of packaging, and so is a global extended header, which no container
// engine obeys.
func (w *walk) alone(s *side, r ref, entries int, again bool) {
	e := s.at(r)
	d := Difference{Path: e.Path, Layer: e.layer, Cause: Missing, Was: wholeEntry{e.Entry}, Privileged: lendsRights(e.Entry), file: stateOf(e.Entry)}
	a, b, other := e.layer, s.partner[e.layer], &w.b
	if s == &w.b {
		a, b, other = b, a, &w.a
		d.Cause, d.Was, d.Now = Extra, nil, d.Was
	}
	if entries > 1 {
		d.Evidence = evidence("difference/repeated-entry", "entries", entries)
	}
	if kin := other.namesake(e.Path); kin != "" {
		d.Evidence = evidence("difference/item-of-same-name", "item", kin)
	}
	switch {
	case again:
		d.Cause, d.Evidence = Packaging, evidence("difference/folder-again")
	case entries == 1 && isImplied(e.Entry, other.img.Root()) && w.addsNothing(s.shape(r)):
		d.Cause, d.Evidence = Packaging, evidence(impliedFolder)
	case kind(e.Entry) == globalHeader:
		d.Cause = Packaging
	}
	w.report(d, a, b)
}

// impliedFolder is the code of a folder that one image lists, and that what lies in it implies
// in the other.
const impliedFolder = "difference/implied-folder"

// isImplied says whether a folder is one that engines make of their own where a root file
// system has something in it and no entry for it: of mode 0755, and root's (moby,
// archive.ImpliedDirectoryMode; containerd, archive/tar.go, mkparent).
func isImplied(e *inspect.Entry, root *inspect.Root) bool {
	a := e.Attr()
	if kind(e) != folder || e.Mode != 0o755 || a.UID != 0 || a.GID != 0 || len(a.Xattrs) > 0 || !isRootName(a.UID, a.Uname) || !isRootName(a.GID, a.Gname) {
		return false
	}
	i, ok := root.Search(e.Path)
	if e.Path == "." {
		return !ok && root.Len() > 0
	}
	return !ok && i < root.Len() && isBelow(root.File(i).Path, e.Path)
}

// addsNothing says whether headers have nothing that a container sees beside what the entry
// has, such as access control lists.
func (w *walk) addsNothing(shape shapeID) bool {
	const plain = 0
	return shape == plain || !slices.ContainsFunc(w.names.differences(shape, plain), func(d headerDifference) bool { return !d.cause.Harmless() })
}

// namesake returns the store item of an image that has the name, but not the
// hash, of the item at path: what the same package became with other inputs.
// It is "" for what is no item as a whole.
func (s *side) namesake(path string) string {
	item := s.img.Stores.ItemOf(path)
	if item == "" || item[1:] != path {
		return ""
	}
	if s.byName == nil {
		s.byName = make(map[string]string)
		for _, it := range s.img.Items {
			s.byName[itemName(it.Path)] = it.Path
		}
	}
	if kin := s.byName[itemName(item)]; kin != item {
		return kin
	}
	return ""
}

// itemName returns the store path without its hash.
func itemName(item string) string {
	_, name, _ := strings.Cut(item, "-")
	return name
}

// maxAgain bounds the entries of one path that are compared with a folder that met
// none.
const maxAgain = 64

// again says whether the i-th of refs is a folder that another layer of the same
// image has as well, where it met one of the other image. Of more than 64 entries
// of a path it is not known.
func (s *side) again(refs []ref, i int, met []bool) bool {
	e := s.at(refs[i])
	if kind(e.Entry) != folder || len(refs) > maxAgain {
		return false
	}
	for k, r := range refs {
		if r.layer != refs[i].layer && met[k] && alike(s.at(r).Entry, e.Entry) {
			return true
		}
	}
	return false
}

// A move is a part of the tree that went from one layer to another.
type move struct {
	path     string
	from, to int
}

// moved notes an entry that went to another layer, under the store item or
// else the topmost folder that went with it. Entries come in the order of paths.
func (w *walk) moved(a, b at) {
	m := move{a.Path, a.layer, b.layer}
	if item := w.a.img.Stores.ItemOf(a.Path); item != "" {
		m.path = item[1:]
	} else if above := w.above[[2]int{m.from, m.to}]; isBelow(a.Path, above) {
		m.path = above
	} else {
		w.above[[2]int{m.from, m.to}] = a.Path
	}
	w.moves[m]++
}

func compareMoves(x, y move) int {
	return cmp.Or(strings.Compare(x.path, y.path), cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to))
}

func (w *walk) reportMoves() {
	for _, m := range slices.SortedFunc(maps.Keys(w.moves), compareMoves) {
		w.shuffled = true
		w.report(Difference{Path: m.path, Layer: m.from, Cause: Order, Was: w.a.layerPlace(m.from, &w.b), Now: w.b.layerPlace(m.to, &w.a),
			Evidence: evidence("difference/moved-entries", "entries", w.moves[m])}, m.from, m.to)
		if p := w.a.partner[m.from]; p >= 0 {
			w.b.reported[p] = true
		}
		if p := w.b.partner[m.to]; p >= 0 {
			w.a.reported[p] = true
		}
	}
}
