package inspect

import (
	"fmt"
	"slices"
	"strings"
)

// gathered is a store item with what its bytes name.
type gathered struct {
	StoreItem
	seen *sightings
}

// A directory finds the store items of the image by the fingerprint of their
// hash; several may have the same.
type directory map[uint64][]string

func newDirectory(items []StoreItem, b *budget) directory {
	d := make(directory, len(items))
	for _, it := range items {
		key := b.key([]byte(storeHash(it.Path)))
		d[key] = append(d[key], it.Path)
	}
	return d
}

// among returns the store paths whose hashes were sighted, sorted.
func (s *sightings) among(known directory) []string {
	var found []string
	for key := range s.hashes {
		found = append(found, known[key]...)
	}
	slices.Sort(found)
	return found
}

// missing returns the store paths that were sighted and are not in the image.
func (s *sightings) missing(known directory, layer int) []Reference {
	var found []Reference
	for path, from := range s.paths {
		if known[s.budget.key([]byte(storeHash(path)))] == nil {
			found = append(found, Reference{From: from, Layer: layer, To: path})
		}
	}
	return found
}

func sortReferences(refs []Reference) {
	slices.SortFunc(refs, func(a, b Reference) int {
		if c := strings.Compare(a.To, b.To); c != 0 {
			return c
		}
		if c := strings.Compare(a.From, b.From); c != 0 {
			return c
		}
		return a.Layer - b.Layer
	})
}

func merge(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// mergeItems lists the store items of all layers, each once. One that several
// layers hold has a NAR hash only when they agree on it: a layer that adds to
// a store item makes it another one.
func mergeItems(layers []*Layer) []StoreItem {
	var items []StoreItem
	at := make(map[string]int)
	for _, l := range layers {
		for _, g := range l.items {
			g.StoreItem.Layer = l.Index
			i, ok := at[g.Path]
			if !ok {
				at[g.Path] = len(items)
				items = append(items, g.StoreItem)
				continue
			}
			if items[i].NarHash != g.NarHash {
				items[i].Problem = fmt.Sprintf("layers %d and %d both have entries of it, and not the same ones", items[i].Layer, l.Index)
				items[i].NarHash, items[i].NarSize = StoreItem{}.NarHash, 0
			}
		}
	}
	slices.SortFunc(items, func(a, b StoreItem) int { return strings.Compare(a.Path, b.Path) })
	return items
}

// storeHash returns the 32 characters of a store path that are its hash.
func storeHash(path string) string {
	_, base := splitPath(path)
	return base[:hashChars]
}

func (s *sightings) empty() bool { return len(s.hashes) == 0 && len(s.paths) == 0 }
