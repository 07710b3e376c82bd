package nix

import (
	"fmt"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// hold makes the check named derivation: it holds the store paths that Nix
// computes from the recipe against the image. A store path is made from all
// that goes into a build, down to the first compiler, so an item whose path is
// computed was made by that build, if it is genuine at all. root is the store
// path of the customisation layer, "" when the image does not tell it: it
// depends on what the image's author has put at the root, too.
func hold(g *graph, root string, img *inspect.Image) check.Check {
	c := check.Check{ID: check.Derivation, Status: check.Pass}
	missing := 0
	for _, item := range img.Items {
		if g.makes(item.Path) {
			c.Bytes += item.Bytes
			continue
		}
		missing++
		c.Findings = append(c.Findings, foreign(g, item))
	}
	if root != "" && !g.makes(root) {
		c.Findings = append(c.Findings, otherRoot(g, root, len(img.Layers)-1))
	}
	problems := len(c.Findings)
	c.Findings = append(c.Findings, tagged(g, img)...)
	switch {
	case len(img.Items) == 0 && root == "":
		c.Status, c.Summary = check.Unknown, "the image has no store items to hold against the recipe"
	case problems > 0 && g.open:
		c.Status = check.Unknown
		c.Summary = fmt.Sprintf("%d store paths of the image are none that the recipe gives, and some of the recipe's are known only after the build", problems)
	case missing > 0:
		c.Status, c.Summary = check.Fail, fmt.Sprintf("%d of %d store items have other paths than the recipe gives", missing, len(img.Items))
	case problems > 0:
		c.Status, c.Summary = check.Fail, "the same packages, and another customisation layer than the recipe gives"
	case root != "":
		c.Summary = fmt.Sprintf("evaluating the recipe gives the store paths of the image, all %d, and that of its customisation layer", len(img.Items))
	default:
		c.Summary = fmt.Sprintf("evaluating the recipe gives the store paths of the image, all %d", len(img.Items))
	}
	return c
}

// foreign is the finding about an item that no derivation of the recipe makes.
func foreign(g *graph, item inspect.StoreItem) check.Finding {
	return check.Finding{Rule: "item-not-derived", Level: check.Problem, Layer: item.Layer, Path: item.Path, Words: instead(g, item.Path)}
}

// otherRoot is the finding about a customisation layer that the recipe does not
// give.
func otherRoot(g *graph, root string, layer int) check.Finding {
	return check.Finding{Rule: "customisation-not-derived", Level: check.Problem, Layer: layer, Path: root,
		Words: "the history says that the last layer was made from it, and " + instead(g, root)}
}

func instead(g *graph, item string) string {
	if same := g.namesakes(item); len(same) > 0 {
		return "no derivation of the recipe makes it; Nix computes " + same[0] + " instead"
	}
	return "no derivation of the recipe makes it"
}

// tagged notes when the tag of the image is the hash of a store path of the
// recipe: that is what dockerTools gives an image whose author gave it none.
func tagged(g *graph, img *inspect.Image) []check.Finding {
	for _, name := range img.Tags {
		tag := name[strings.LastIndexByte(name, ':')+1:]
		if !inspect.IsStoreName(tag + "-x") {
			continue
		}
		message := "the tag " + tag + " has the form of a store path's hash, and none of the recipe has it: the image got it from another derivation, or by hand"
		if item := g.byHash(tag); item != "" {
			message = "the tag is the hash of " + item + ", which the recipe makes"
		}
		return []check.Finding{{Rule: "tag-of-derivation", Level: check.Note, Layer: -1, Path: img.Config.Member, Words: message}}
	}
	return nil
}
