package store

import (
	"audit/inspect"
	"audit/inspect/check"
)

// Derived is how the store items of an image compare with the store paths that
// evaluating its recipe gives.
type Derived struct {
	Bytes    int64 // of items that the recipe makes
	Foreign  int   // items that it does not make
	Findings []check.Finding
}

// Derived compares the items of an image with what the derivations make. A store
// path is made from all that goes into a build, down to the first compiler, so an
// item whose path the recipe gives was made by that build, if it is genuine at
// all. An item that may differ, such as a profile that has a finding of its own,
// is left out.
func (g *Graph) Derived(items []inspect.StoreItem, except string) Derived {
	var d Derived
	var found check.List
	for _, item := range items {
		switch {
		case g.Makes(item.Path):
			d.Bytes += item.Bytes
		case item.Path != except:
			d.Foreign++
			found.Problem(item.Layer, item.Path, "derivation/item-not-derived", g.instead(item.Path)...)
		}
	}
	d.Findings = found.All()
	return d
}

// instead names what the recipe makes in place of an item, if anything.
func (g *Graph) instead(item string) []any {
	if same := g.Namesakes(item); len(same) > 0 {
		return []any{"instead", same[0]}
	}
	return nil
}

// NotDerived is the finding, of a code of the system's own, about an item that the
// recipe does not give.
func (g *Graph) NotDerived(layer int, item, code string) check.Finding {
	return check.Find(check.Problem, layer, item, code, g.instead(item)...)
}
