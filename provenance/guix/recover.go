package guix

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/profile"
)

// System recovers the recipes of images that GNU Guix made. The image must have
// been opened with [Keep].
type System struct{}

// Recover returns what the image says about how Guix made it, or
// [provenance.ErrNotMine] when it bears no trace of having been made by Guix.
// Store items alone are none: they are in every image that has Guix installed.
func (System) Recover(img, _ *inspect.Image) (*provenance.Evidence, error) {
	v := newView(img)
	root, contradictions := v.root()
	if root == "" && !IsPacked(v.img) {
		return nil, provenance.ErrNotMine
	}
	ev := &provenance.Evidence{Recipe: provenance.Recipe{System: Name, Status: provenance.None}}
	ev.Recipe.Missing = contradictions
	v.addSource(&ev.Recipe)
	p, err := v.recipe(&ev.Recipe, root)
	if err == nil {
		err = v.others(&ev.Recipe, root)
	}
	if err != nil {
		return nil, err
	}
	ev.Recover = v.recipeCheck(&ev.Recipe)
	ev.Closure, ev.Derived = v.closure(&ev.Recipe, p)
	ev.Installed = v.installed
	return ev, nil
}

// recipe fills in the recipe of an image that was made of root. It returns the
// profile, nil when there is none that can be read.
func (v *view) recipe(recipe *provenance.Recipe, root string) (*profile.Profile, error) {
	switch {
	case root == "":
		recipe.Packer = "GNU Guix, as the config says"
		recipe.Missing = append(recipe.Missing, check.Say("recipe/no-root"))
		return nil, nil
	case inspect.StoreName(root) == "system":
		return nil, v.systemRecipe(recipe, root)
	}
	p, err := v.profile(recipe, root)
	pack := v.call(root, p)
	setPack(recipe, pack)
	if err != nil || p == nil {
		return nil, err
	}
	if pack.Format == formatLayers {
		recipe.Missing = append(recipe.Missing, v.besideLayers(root))
	}
	recipe.Status = describe(recipe, p)
	return p, nil
}

// besideLayers says which layers of an image are none of a pack.
func (v *view) besideLayers(root string) check.Message {
	var others []string
	for _, l := range v.img.Layers {
		if !v.holdsItems(l) && !v.packLayer(l) {
			others = append(others, strconv.Itoa(l.Index))
		}
	}
	if others == nil {
		return check.Say("recipe/other-tools-image")
	}
	return check.Say("recipe/layers-without-recipe", "root", root, "layers", others)
}

// profile reads the profile manifest of root, and says what is wrong with it.
// The error is that of a caller who did not keep the file.
func (v *view) profile(recipe *provenance.Recipe, root string) (*profile.Profile, error) {
	where := strings.TrimPrefix(root, "/") + "/manifest"
	text, f, ok := v.body(where)
	if !ok {
		if f.Entry != nil && f.Type == '0' && Keep(f.Path) {
			return nil, fmt.Errorf("reading %s: the image was opened without keeping it", where)
		}
		recipe.Missing = append(recipe.Missing, check.Say("recipe/no-manifest", "file", where))
		return nil, nil
	}
	recipe.Sources = append(recipe.Sources, provenance.Source{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
	p, err := profile.Parse(where, text)
	if err != nil {
		recipe.Missing = append(recipe.Missing, check.Say("recipe/manifest-unreadable", "error", err))
		return nil, nil
	}
	return p, nil
}

// addSource names the config as evidence where it bears Guix's mark.
func (v *view) addSource(recipe *provenance.Recipe) {
	if !IsPacked(v.img) {
		return
	}
	digest := sha256.Sum256(v.img.Config.Raw)
	recipe.Sources = append(recipe.Sources, provenance.Source{Layer: -1, Path: v.img.Config.Member, Digest: digest})
}

// recipeCheck is the check named recipe: does the image carry, or reveal, how
// it was built? What is missing from a recipe contradicts nothing.
func (v *view) recipeCheck(recipe *provenance.Recipe) check.Check {
	list := check.List{Notes: check.Alike} // each is about evidence of its own
	for _, m := range recipe.Missing {
		list.Append(check.Finding{Message: m, Level: check.Undecided, Layer: -1})
	}
	for _, s := range recipe.Sources {
		list.Note(s.Layer, s.Path, "recipe/evidence", "digest", s.Digest)
	}
	for _, c := range recipe.Channels {
		if IsLocal(c.URL) {
			list.Note(-1, "", "recipe/local-channel", "channel", c.Name, "address", c.URL)
		}
	}
	if pack, _ := PackOf(*recipe); len(v.because) > 0 {
		list.Note(-1, "", "recipe/era", "era", pack.Era, "marks", v.because)
	}
	c := check.Check{ID: check.Recipe, Status: check.Unknown, Findings: list.All()}
	packages, channels := len(recipe.Packages), len(recipe.Channels)
	switch recipe.Status {
	case provenance.Complete:
		c.Status = check.Pass
		c.Because("recipe/complete", "packages", packages, "channels", channels, "packer", recipe.Packer)
	case provenance.Partial:
		c.Because("recipe/partial", "packages", packages, "channels", channels, "packer", recipe.Packer, "missing", len(recipe.Missing))
	default:
		c.Because("recipe/none")
		c.Reasons = append(c.Reasons, recipe.Missing...)
	}
	return c
}
