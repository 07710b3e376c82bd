package nix

import (
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	storepath "audit/inspect/store"
	"audit/rebuild/store"
)

// checkDerivation makes the check named derivation: it compares the store paths
// that Nix computes from the recipe with those in the image. Root is the store
// path of the customisation layer, "" when the image does not reveal it: it
// depends on what the image's author has put at the root, too.
func checkDerivation(g *store.Graph, root string, img *inspect.Image) check.Check {
	derived := g.Derived(img.Items, "")
	c := check.Check{ID: check.Derivation, Status: check.Pass, Bytes: derived.Bytes, Findings: derived.Findings}
	otherRoot := root != "" && !g.Makes(root)
	if otherRoot {
		c.Findings = append(c.Findings, g.NotDerived(len(img.Layers)-1, root, "derivation/customisation-not-derived"))
	}
	differs := derived.Foreign > 0 || otherRoot
	switch {
	case len(img.Items) == 0 && root == "":
		c.Status = check.Unknown
		c.Because("derivation/no-items")
	case differs && g.Open:
		c.Status = check.Unknown
		for i := range c.Findings {
			c.Findings[i].Level = check.Undecided
		}
		c.Because("derivation/known-after-build", "items", len(c.Findings))
	case derived.Foreign > 0:
		c.Status = check.Fail
		c.Because("derivation/items-differ", "differing", derived.Foreign, "items", len(img.Items))
	case otherRoot:
		c.Status = check.Fail
		c.Because("derivation/customisation-differs")
	default:
		c.Because("derivation/all-derived", "items", len(img.Items))
		if root != "" {
			c.Because("derivation/customisation-derived")
		}
	}
	c.Findings = append(c.Findings, tagged(g, img)...)
	return c
}

// tagged notes when the tag of the image is the hash of a store path: that is what
// dockerTools gives an image whose author gave it none.
func tagged(g *store.Graph, img *inspect.Image) []check.Finding {
	for _, name := range img.Tags {
		tag := name[strings.LastIndexByte(name, ':')+1:]
		if !storepath.IsStoreName(tag + "-x") {
			continue
		}
		f := check.Find(check.Note, -1, img.Config.Member, "derivation/tag-of-none", "tag", tag)
		if item := g.ByHash(tag); item != "" {
			f = check.Find(check.Note, -1, img.Config.Member, "derivation/tag-of-derivation", "item", item)
		}
		return []check.Finding{f}
	}
	return nil
}
