package compare

import (
	"slices"
	"strings"
)

// entryOrder compares the order in which two layers have the entries that met.
func (w *walk) entryOrder() {
	for i, j := range w.a.partner {
		if j < 0 || w.a.equal[i] {
			continue
		}
		if w.orderIn(i, j) {
			w.linksInOrder(i, j)
		}
	}
}

// orderIn notes the first place where the common entries of two layers part.
func (w *walk) orderIn(i, j int) bool {
	var was, now []int32 // of the entries that met, positions in a and b
	for k, r := range w.partners[i] {
		if int(r.layer) == j {
			was, now = append(was, int32(k)), append(now, r.index)
		}
	}
	sorted := slices.Sorted(slices.Values(now))
	first, elsewhere := -1, 0
	for k := range now {
		if now[k] != sorted[k] {
			if elsewhere++; first < 0 {
				first = k
			}
		}
	}
	if first < 0 {
		return false
	}
	x := w.a.img.Layers[i].Entries[was[first]].Path
	y := w.b.img.Layers[j].Entries[sorted[first]].Path
	w.report(Difference{Path: above(x, y), Layer: i, Cause: Order, Was: Text(nameText(x)), Now: Text(nameText(y)),
		Evidence: evidence("difference/entry-order", "entry", int64(was[first]), "moved", elsewhere, "common", len(now))}, i, j)
	return true
}

// above returns the deepest folder that holds both paths, "" for the root.
func above(x, y string) string {
	xs, ys := strings.Split(x, "/"), strings.Split(y, "/")
	n := 0
	for n < min(len(xs), len(ys))-1 && xs[n] == ys[n] {
		n++
	}
	return strings.Join(xs[:n], "/")
}

// linksInOrder notes the hard links that lead elsewhere since the entries
// around them changed places: a link means what stood before it.
func (w *walk) linksInOrder(i, j int) {
	was, now := w.a.targetsBefore(i), w.b.targetsBefore(j)
	for k, r := range w.partners[i] {
		n, ok := was[int32(k)]
		m, okNow := now[r.index]
		if !ok || !okNow || int(r.layer) != j || n == m {
			continue
		}
		a, b := w.a.at(ref{int32(i), int32(k)}), w.b.at(r)
		if target(a.Entry) == target(b.Entry) {
			w.report(Difference{Path: a.Path, Layer: i, Cause: Link, Was: entryContent{a.Entry}, Now: entryContent{b.Entry},
				Evidence: evidence("difference/targets-before-link", "was-before", n, "now-before", m)}, i, j)
		}
	}
}

// targetsBefore counts, for each hard link of a layer, the entries of its
// target's path that stand before it.
func (s *side) targetsBefore(layer int) map[int32]int {
	entries := s.img.Layers[layer].Entries
	count := make(map[string]int)
	for i := range entries {
		if kind(&entries[i]) == hardLink {
			count[target(&entries[i])] = 0
		}
	}
	before := make(map[int32]int)
	for i := range entries {
		if kind(&entries[i]) == hardLink {
			before[int32(i)] = count[target(&entries[i])]
		}
		if n, ok := count[entries[i].Path]; ok {
			count[entries[i].Path] = n + 1
		}
	}
	return before
}
