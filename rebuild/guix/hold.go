package guix

import (
	"fmt"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
)

// hold makes the check named derivation: it holds the store paths that Guix
// computes from the recipe against the store items of the image. A store path
// is made from all that goes into a build, down to the first compiler, so an
// item whose path is computed was made by that build, if it is genuine at all.
//
// Where the image does not tell for which kind of machine it is, and nothing in
// it is what the recipe gives on this one, it may be for another.
func hold(g *graph, root string, items []inspect.StoreItem, machineKnown bool) check.Check {
	c := check.Check{ID: check.Derivation, Status: check.Pass}
	if len(items) == 0 {
		c.Status, c.Summary = check.Unknown, "the image has no store items to hold against the recipe"
		return c
	}
	var others int // items that differ beside the profile
	for _, item := range items {
		if item.Path == root || g.makes(item.Path) {
			continue
		}
		others++
		c.Findings = append(c.Findings, foreign(g, item))
	}
	profile := g.profile(root)
	if profile != root {
		c.Findings = append(c.Findings, otherProfile(profile, root, items))
	}
	for _, item := range items {
		if g.makes(item.Path) {
			c.Bytes += item.Bytes
		}
	}
	switch {
	case others == 0 && profile == root:
		c.Summary = fmt.Sprintf("evaluating the recipe gives the store paths of the image, all %d", len(items))
		return c
	case others == 0:
		c.Summary = "the same packages with other provenance text: every store path but the profile's is what the recipe gives"
	case !machineKnown && profile != "" && len(c.Findings) == len(items):
		c.Summary = "no store path of the image is what the recipe gives on this machine; the image does not tell for which kind of machine it is, so it may be for another"
		c.Status = check.Unknown
		return c
	default:
		c.Summary = fmt.Sprintf("%d of %d store items have other paths than the recipe gives", len(c.Findings), len(items))
	}
	c.Status = check.Fail
	return c
}

// foreign is the finding about an item that no derivation of the recipe makes.
func foreign(g *graph, item inspect.StoreItem) check.Finding {
	message := "no derivation of the recipe makes it"
	if same := g.namesakes(item.Path); len(same) > 0 {
		message += "; Guix computes " + same[0] + " instead"
	}
	return check.Finding{Rule: "item-not-derived", Level: check.Problem, Layer: item.Layer, Path: item.Path, Words: message}
}

// otherProfile is the finding about a profile that the recipe does not give.
func otherProfile(got, want string, items []inspect.StoreItem) check.Finding {
	f := check.Finding{Rule: "profile-not-derived", Level: check.Problem, Layer: -1, Path: want}
	if i := slices.IndexFunc(items, func(it inspect.StoreItem) bool { return it.Path == want }); i >= 0 {
		f.Layer = items[i].Layer
	}
	if got == "" {
		f.Words = "the image's derivation is made from no profile"
		return f
	}
	f.Words = "Guix computes " + got + " instead; a profile's path depends on every word of its manifest, " +
		"the addresses of the channels among them (a time-machine kept from another address for the same commits gives other words)"
	return f
}
