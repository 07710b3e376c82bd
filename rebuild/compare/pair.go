package compare

import (
	"cmp"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
)

// pairLayers finds a partner for each layer: one of the same bytes, else the
// one that shares most entries with it, else the next that is left over.
func (w *walk) pairLayers() {
	w.pairEqual()
	w.a.list()
	w.b.list()
	w.pairAlike()
	w.pairLeft()
}

func (w *walk) join(a, b int, equal bool) {
	w.a.partner[a], w.b.partner[b] = b, a
	w.a.equal[a], w.b.equal[b] = equal, equal
}

// pairEqual joins layers that are the same bytes, in their order.
func (w *walk) pairEqual() {
	waiting := make(map[v1.Hash][]int)
	for j, l := range w.b.img.Layers {
		waiting[identity(l)] = append(waiting[identity(l)], j)
	}
	delete(waiting, v1.Hash{})
	for i, l := range w.a.img.Layers {
		if js := waiting[identity(l)]; len(js) > 0 {
			w.join(i, js[0], true)
			waiting[identity(l)] = js[1:]
		}
	}
}

// identity is the digest that tells whether two layers are the same bytes: that
// of the blob, where the layer is no tar, or could be read only in part, so that
// the diffID is none or may cover only a part.
func identity(l *inspect.Layer) v1.Hash {
	if l.Broken != nil || l.DiffID == (v1.Hash{}) {
		return l.Digest
	}
	return l.DiffID
}

// Bounds on what hostile images may make of pairing.
const (
	maxPairedLayers = 512 // with more, layers are paired by position alone
	maxPairedRepeat = 64  // pairs of entries of one path that count
)

type affinity struct{ a, b, score int }

// pairAlike joins the layers that share entries, those with most in common
// first, then those nearest to each other.
func (w *walk) pairAlike() {
	if max(left(w.a.partner), left(w.b.partner)) > maxPairedLayers {
		return
	}
	scores := w.affinities()
	slices.SortFunc(scores, func(x, y affinity) int {
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(distance(x), distance(y)), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	for _, s := range scores {
		if w.a.partner[s.a] < 0 && w.b.partner[s.b] < 0 {
			w.join(s.a, s.b, false)
		}
	}
}

func distance(s affinity) int { return max(s.a-s.b, s.b-s.a) }

func left(partner []int) int {
	n := 0
	for _, p := range partner {
		if p < 0 {
			n++
		}
	}
	return n
}

// affinities scores each pair of layers: one for each path that both have, and
// another one when what is there is no folder and the same.
func (w *walk) affinities() []affinity {
	count := make(map[[2]int]int)
	for as, bs := range w.byPath() {
		if len(as)*len(bs) > maxPairedRepeat {
			continue
		}
		for _, x := range as {
			for _, y := range bs {
				pair := [2]int{int(x.layer), int(y.layer)}
				count[pair]++
				if a, b := w.a.at(x), w.b.at(y); kind(a.Entry) != folder && alike(a.Entry, b.Entry) {
					count[pair]++
				}
			}
		}
	}
	scores := make([]affinity, 0, len(count))
	for pair, n := range count {
		scores = append(scores, affinity{pair[0], pair[1], n})
	}
	return scores
}

// pairLeft joins what is left over, in order.
func (w *walk) pairLeft() {
	j := 0
	for i, p := range w.a.partner {
		if p >= 0 {
			continue
		}
		for j < len(w.b.partner) && w.b.partner[j] >= 0 {
			j++
		}
		if j == len(w.b.partner) {
			return
		}
		w.join(i, j, false)
	}
}

// layerPairs lists the pairs as the comparison has them.
func (w *walk) layerPairs() []LayerPair {
	var pairs []LayerPair
	for i, l := range w.a.img.Layers {
		p := LayerPair{Index: i, Original: name(l), Equal: w.a.equal[i], Size: l.UncompressedSize}
		if j := w.a.partner[i]; j >= 0 {
			p.Rebuilt = name(w.b.img.Layers[j])
		}
		pairs = append(pairs, p)
	}
	for j, l := range w.b.img.Layers {
		if w.b.partner[j] < 0 {
			pairs = append(pairs, LayerPair{Index: j, Rebuilt: name(l)})
		}
	}
	return pairs
}

// name is the diffID of a layer, or the digest of its blob where it has none.
func name(l *inspect.Layer) string {
	if l.DiffID == (v1.Hash{}) {
		return l.Digest.String()
	}
	return l.DiffID.String()
}

// layerOrder notes the layers that stand elsewhere among those with a partner.
func (w *walk) layerOrder() {
	var now []int
	for _, p := range w.a.partner {
		if p >= 0 {
			now = append(now, p)
		}
	}
	sorted := slices.Sorted(slices.Values(now))
	k := 0
	for i, p := range w.a.partner {
		if p < 0 {
			continue
		}
		if p != sorted[k] {
			w.shuffled = true
			w.report(Difference{Layer: i, Cause: Order, Was: w.a.layerPlace(i, &w.b), Now: w.b.layerPlace(p, &w.a),
				Evidence: evidence("difference/layer-order")}, i, p)
		}
		k++
	}
}

// layerPlace is the place of a layer, with the number of layers where the other
// image has another.
func (s *side) layerPlace(i int, other *side) Value {
	if n := len(s.img.Layers); n != len(other.img.Layers) {
		return coded(check.Say("value/layer", "layer", i, "layers", n))
	}
	return coded(check.Say("value/layer", "layer", i))
}
