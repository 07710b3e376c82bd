package compare

import (
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
	var below [2]string
	for as, bs := range w.byPath() {
		w.meet(as, bs)
		w.entangle(&w.a, as, &below[0])
		w.entangle(&w.b, bs, &below[1])
	}
	w.tellMoves()
	w.tellNotes()
}

// entangle notes where the position of entries matters: a layer lays a path
// down twice, or something lies below what is no folder. The path of the last
// entry that is no folder is kept in above.
func (w *walk) entangle(s *side, refs []ref, above *string) {
	for i, r := range refs {
		e := s.at(r)
		if i > 0 && refs[i-1].layer == r.layer || isBelow(e.Path, *above) {
			w.entangled = true
		}
		if kind(e.Entry) != folder {
			*above = e.Path
		}
	}
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
	taken := make([]bool, len(bs))
	for i, j := range met {
		if j >= 0 {
			taken[j] = true
			w.matched(as[i], bs[j])
		}
	}
	for i, j := range met {
		if j < 0 {
			w.alone(&w.a, as, i, func(k int) bool { return met[k] >= 0 })
		}
	}
	for j := range bs {
		if !taken[j] {
			w.alone(&w.b, bs, j, func(k int) bool { return taken[k] })
		}
	}
	if len(as) > 1 || len(bs) > 1 {
		w.visible(as, bs, met)
	}
}

// maxRepeats bounds the pairs of entries of one path that are tried with each
// other; beyond, they meet in their order.
const maxRepeats = 1 << 12

// assign finds for each of as the one of bs that it meets, -1 for none. Those
// of layers that are held against each other come first, and the same ones
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
		w.tell(d, a.layer, b.layer)
	}
	w.packaging(a, b)
	w.framing(a, b, w.a.shape(ra), w.b.shape(rb))
}

// visible compares the entries of one path that win in their layers, where
// these did not meet: the same entries in another order.
func (w *walk) visible(as, bs []ref, met []int) {
	for i := range as {
		if i+1 < len(as) && as[i+1].layer == as[i].layer {
			continue
		}
		j := lastOf(bs, int32(w.a.partner[as[i].layer]))
		if j < 0 || met[i] == j {
			continue
		}
		a, b := w.a.at(as[i]), w.b.at(bs[j])
		for _, d := range w.differences(a, b) {
			w.tell(d, a.layer, b.layer)
		}
	}
}

// lastOf returns the position of the last ref of a layer, -1 for none.
func lastOf(refs []ref, layer int32) int {
	for j := len(refs) - 1; j >= 0; j-- {
		if refs[j].layer == layer {
			return j
		}
	}
	return -1
}

// alone notes an entry that met none. A folder that another layer of the same
// image lays down as well, just so, is a matter of packaging, and so is a
// global extended header, which no container engine heeds.
func (w *walk) alone(s *side, refs []ref, i int, met func(int) bool) {
	e := s.at(refs[i])
	d := Difference{Path: e.Path, Layer: e.layer, Cause: Missing, Was: describe(e.Entry)}
	a, b := e.layer, s.partner[e.layer]
	if s == &w.b {
		a, b = b, a
		d = Difference{Path: e.Path, Layer: e.layer, Cause: Extra, Now: describe(e.Entry)}
	}
	d.Privileged = lendsRights(e.Entry)
	if n := repeats(s, refs, i); n > 1 {
		d.Evidence = evidence("difference/repeated-entry", "entries", n)
	}
	other := &w.b
	if s == other {
		other = &w.a
	}
	if kin := other.namesake(e.Path); kin != "" {
		d.Evidence = evidence("difference/item-of-same-name", "item", kin)
	}
	switch {
	case s.again(refs, i, met):
		d.Cause, d.Evidence = Packaging, evidence("difference/folder-again")
	case kind(e.Entry) == globalHeader:
		d.Cause = Packaging
	}
	w.tell(d, a, b)
}

// namesake returns the store item of an image that has the name, but not the
// hash, of the item at path: what the same package became with other inputs.
// It is "" for what is no item as a whole.
func (s *side) namesake(path string) string {
	item := inspect.ItemOf(path)
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

// repeats counts the entries of one path in the layer of the i-th of refs.
func repeats(s *side, refs []ref, i int) int {
	n := 0
	for _, r := range refs {
		if r.layer == refs[i].layer {
			n++
		}
	}
	return n
}

// again says whether the i-th of refs is a folder that another layer of the
// same image lays down as well, where it met one of the other image.
func (s *side) again(refs []ref, i int, met func(int) bool) bool {
	e := s.at(refs[i])
	if kind(e.Entry) != folder || len(refs) > maxRepeats {
		return false
	}
	for k, r := range refs {
		if r.layer != refs[i].layer && met(k) && alike(s.at(r).Entry, e.Entry) {
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
// else the topmost folder that went with it.
func (w *walk) moved(a, b at) {
	m := move{a.Path, a.layer, b.layer}
	if item := inspect.ItemOf(a.Path); item != "" {
		m.path = item[1:]
		w.moves[m]++
		return
	}
	for i, c := range []byte(a.Path) {
		if c != '/' {
			continue
		}
		if above := (move{a.Path[:i], a.layer, b.layer}); w.moves[above] > 0 {
			m = above
			break
		}
	}
	w.moves[m]++
}

func (w *walk) tellMoves() {
	for m, n := range w.moves {
		w.shuffled = true
		w.tell(Difference{Path: m.path, Layer: m.from, Cause: Order, Was: w.a.layerText(m.from, &w.b), Now: w.b.layerText(m.to, &w.a),
			Evidence: evidence("difference/moved-entries", "entries", n)}, m.from, m.to)
		if p := w.a.partner[m.from]; p >= 0 {
			w.b.told[p] = true
		}
		if p := w.b.partner[m.to]; p >= 0 {
			w.a.told[p] = true
		}
	}
}
