package store

import (
	"cmp"
	"slices"
	"strings"

	"audit/inspect/check"
)

// Found is what the bytes of one layer have of stores: its items, with what each
// names, and what the files outside of stores name.
type Found struct {
	Items []Gathered // sorted by path
	Loose []*Sightings
}

// Cost is what was spent of the budget for it.
func (f Found) Cost() (n int64) {
	for _, g := range f.Items {
		n += g.Seen.cost()
	}
	for _, seen := range f.Loose {
		n += seen.cost()
	}
	return n
}

func (s *Sightings) cost() int64 { return int64(len(s.hashes) + pathCost*len(s.paths)) }

// Gathered is a store item with what its bytes name.
type Gathered struct {
	Item
	Seen *Sightings
}

// Links is what layers and config name of each other's store items.
type Links struct {
	Items    []Item      // of all layers, sorted by path, with their references
	Dangling []Reference // to store paths that no layer has, sorted
	Loose    []Reference // to store items, from outside of stores, sorted
}

// Link finds out which store items name which: that is known only when all layers,
// lowest first, have been read.
func Link(layers []Found, config []byte, b *Budget) Links {
	l := linker{known: make(map[uint64][]string)}
	l.Items = mergeItems(layers)
	owners := make(map[string]*Item, len(l.Items))
	for i := range l.Items {
		path := l.Items[i].Path
		owners[path] = &l.Items[i]
		key := b.key([]byte(hashOf(path)))
		l.known[key] = append(l.known[key], path)
	}
	for i, found := range layers {
		for _, g := range found.Items {
			owner := owners[g.Path]
			owner.References = append(owner.References, l.among(g.Seen)...)
			l.missing(g.Seen, i)
		}
		for _, seen := range found.Loose {
			l.loose(seen, i)
		}
	}
	l.config(config, b)
	for i := range l.Items {
		slices.Sort(l.Items[i].References)
		l.Items[i].References = slices.Compact(l.Items[i].References)
	}
	sortReferences(l.Dangling)
	sortReferences(l.Loose)
	if b.left.Load() < 0 {
		l.incomplete()
	}
	return l.Links
}

// A linker finds the store items of an image by the fingerprint of their hash;
// several may have the same.
type linker struct {
	Links
	known map[uint64][]string
}

// incomplete says of every store item that its references are not known. What
// was found before the budget ran out depends on which layer was read first.
func (l *linker) incomplete() {
	for i := range l.Items {
		l.Items[i].Problem, l.Items[i].References = check.Say("item/too-many-hashes"), nil
	}
	l.Dangling, l.Loose = nil, nil
}

func (l *linker) config(raw []byte, b *Budget) {
	seen := &Sightings{Budget: b}
	scan := Scanner{Seen: seen}
	scan.Write(raw)
	scan.Close()
	l.loose(seen, -1)
}

func (l *linker) loose(seen *Sightings, layer int) {
	for _, to := range l.among(seen) {
		l.Loose = append(l.Loose, Reference{From: seen.From, Layer: layer, To: to})
	}
	l.missing(seen, layer)
}

// among returns the store paths whose hashes were sighted.
func (l *linker) among(s *Sightings) []string {
	var found []string
	for key := range s.hashes {
		found = append(found, l.known[key]...)
	}
	return found
}

// missing adds the store paths that were sighted and are not in the image.
func (l *linker) missing(s *Sightings, layer int) {
	for path, from := range s.paths {
		if l.known[s.Budget.key([]byte(hashOf(path)))] == nil {
			l.Dangling = append(l.Dangling, Reference{From: from, Layer: layer, To: path})
		}
	}
}

func sortReferences(refs []Reference) {
	slices.SortFunc(refs, func(a, b Reference) int {
		return cmp.Or(strings.Compare(a.To, b.To), strings.Compare(a.From, b.From), a.Layer-b.Layer)
	})
}

// mergeItems lists the store items of all layers, each once. One that several
// layers have has a NAR hash only when they agree on it: a layer that adds to
// a store item makes it another one.
func mergeItems(layers []Found) []Item {
	var items []Item
	at := make(map[string]int)
	for layer, found := range layers {
		for _, g := range found.Items {
			g.Item.Layer = layer
			i, ok := at[g.Path]
			if !ok {
				at[g.Path] = len(items)
				items = append(items, g.Item)
				continue
			}
			if items[i].NarHash != g.NarHash {
				items[i].Problem = check.Say("item/layers-differ", "layer", items[i].Layer, "other", layer)
				items[i].NarHash, items[i].NarSize = Item{}.NarHash, 0
			}
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.Path, b.Path) })
	return items
}

// hashOf returns the part of a store path that is its hash.
func hashOf(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	return base[:hashChars]
}
