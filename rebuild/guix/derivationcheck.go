package guix

import (
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild/store"
)

// derivationCheck makes the check named derivation: it compares the store paths that
// Guix computes from the recipe with the store items of the image. A store path is
// made from all that goes into a build, down to the first compiler, so an item whose
// path is computed was made by that build, if it is genuine at all.
//
// Where the image does not say for which kind of machine it is, and nothing in it is
// what the recipe gives on this one, it may be for another.
func derivationCheck(g *store.Graph, root string, items []inspect.StoreItem, machineKnown bool) check.Check {
	c := check.Check{ID: check.Derivation, Status: check.Pass}
	if len(items) == 0 {
		c.Status = check.Unknown
		c.Because("derivation/no-items")
		return c
	}
	derived := g.Derived(items, root)
	c.Bytes, c.Findings = derived.Bytes, derived.Findings
	profile := profileOf(g, root)
	if profile != root {
		var list check.List
		list.Problem(layerOf(root, items), root, "derivation/profile-not-derived", "instead", profile)
		c.Findings = append(c.Findings, list.All()...)
	}
	differing := len(c.Findings)
	switch {
	case differing == 0:
		c.Because("derivation/all-derived", "items", len(items))
		return c
	case derived.Foreign == 0:
		c.Because("derivation/other-provenance")
	case !machineKnown && profile != "" && differing == len(items):
		c.Status = check.Unknown
		c.Because("derivation/other-machine")
		return c
	default:
		c.Because("derivation/not-derived", "count", differing, "items", len(items))
	}
	c.Status = check.Fail
	return c
}

// layerOf returns the layer of a store item, -1 where the image has none of that
// path.
func layerOf(path string, items []inspect.StoreItem) int {
	if i := slices.IndexFunc(items, func(it inspect.StoreItem) bool { return it.Path == path }); i >= 0 {
		return items[i].Layer
	}
	return -1
}
