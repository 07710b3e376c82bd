package guix

import (
	"audit/inspect"
	"audit/provenance/guix"
	"audit/rebuild/compare"
)

// Freedoms are what guix pack -f docker leaves to chance, where it made both images
// (guix/scripts/pack.scm and guix/docker.scm of the versions that the sentences
// name).
func (System) Freedoms(a, b *inspect.Image) []compare.Freedom {
	if !guix.IsPacked(a) || !guix.IsPacked(b) {
		return nil
	}
	isOrder := func(d *compare.Difference) bool { return d.Cause == compare.Order }
	layered := func(l compare.Layering) bool { return l.Original > 1 && l.Original == l.Rebuilt }
	old := len(a.Config.File.History) == 0 && len(b.Config.File.History) == 0 // Guix writes one since January 2025
	return []compare.Freedom{
		{Code: "known/guix-readdir-order", Explains: isOrder, When: func(l compare.Layering) bool { return l.SiblingsOnly }},
		{Code: "known/guix-layer-sizes", Explains: isOrder, When: func(l compare.Layering) bool { return layered(l) && l.WholeItemsMoved }},
		{Code: "known/guix-layered-2024", When: func(l compare.Layering) bool { return layered(l) && old },
			Explains: func(d *compare.Difference) bool {
				return d.Cause == compare.Timestamp || d.Cause == compare.Owner || d.Cause == compare.Mode || isOrder(d)
			}},
		{Code: "known/guix-deduplication", Explains: func(d *compare.Difference) bool { return d.Shows(compare.LinkOrCopy) || d.Shows(compare.SameFile) }},
	}
}
