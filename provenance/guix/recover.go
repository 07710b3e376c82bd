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
	root, odd := v.root()
	if root == "" && v.config.Comment != generator {
		return nil, provenance.ErrNotMine
	}
	ev := &provenance.Evidence{Recipe: provenance.Recipe{System: provenance.Guix, Status: provenance.None}}
	ev.Recipe.Problems = odd
	v.addSource(&ev.Recipe)
	p, err := v.recipe(&ev.Recipe, root)
	if err == nil {
		err = v.others(&ev.Recipe, root)
	}
	if err != nil {
		return nil, err
	}
	ev.Recover = v.recipeCheck(&ev.Recipe)
	ev.Closure = v.closure(&ev.Recipe, p)
	return ev, nil
}

// recipe fills in the recipe of an image that was made of root. It returns the
// profile, nil when there is none that can be read.
func (v *view) recipe(recipe *provenance.Recipe, root string) (*profile.Profile, error) {
	switch {
	case root == "":
		recipe.Packer = "GNU Guix, as the config says"
		recipe.Problems = append(recipe.Problems, "nothing in the image names the profile that it is made of")
		return nil, nil
	case storeName(root) == "system":
		return nil, v.systemRecipe(recipe, root)
	}
	p, err := v.profile(recipe, root)
	recipe.Pack = v.call(root, p)
	recipe.Packer = packer(recipe.Pack)
	if err != nil || p == nil {
		return nil, err
	}
	if recipe.Pack.Format == formatLayers {
		recipe.Problems = append(recipe.Problems, v.besideLayers(root))
	}
	recipe.Status = describe(recipe, p)
	return p, nil
}

// besideLayers says which layers of an image are none of a pack.
func (v *view) besideLayers(root string) string {
	var others []string
	for _, l := range v.img.Layers {
		if !v.holdsItems(l) && !v.packLayer(l) {
			others = append(others, strconv.Itoa(l.Index))
		}
	}
	if others == nil {
		return "another tool than guix pack put the image together, and the layers with store items have other files, too"
	}
	return fmt.Sprintf("another tool than guix pack put the image together: the recipe is that of %s, and nothing here tells that of the layers without store items (%s)",
		root, strings.Join(others, ", "))
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
		recipe.Problems = append(recipe.Problems, fmt.Sprintf("the image has no file %s, which lists the packages", where))
		return nil, nil
	}
	recipe.Sources = append(recipe.Sources, provenance.Source{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
	p, err := profile.Parse(where, text)
	if err != nil {
		recipe.Problems = append(recipe.Problems, "the profile manifest cannot be read: "+err.Error())
		return nil, nil
	}
	return p, nil
}

// addSource names the config as evidence where it bears Guix's mark.
func (v *view) addSource(recipe *provenance.Recipe) {
	if v.config.Comment != generator {
		return
	}
	digest := sha256.Sum256(v.img.Config.Raw)
	recipe.Sources = append(recipe.Sources, provenance.Source{Layer: -1, Path: v.img.Config.Member, Digest: digest})
}

// recipeCheck is the check named recipe: does the image carry, or reveal, how
// it was built? What is missing from a recipe contradicts nothing.
func (v *view) recipeCheck(recipe *provenance.Recipe) check.Check {
	c := check.Check{ID: check.Recipe, Status: check.Unknown}
	for _, problem := range recipe.Problems {
		c.Findings = append(c.Findings, check.Finding{Rule: "recipe-incomplete", Level: check.Problem, Layer: -1, Words: problem})
	}
	for _, s := range recipe.Sources {
		c.Findings = append(c.Findings, check.Finding{Rule: "recipe-evidence", Level: check.Note, Layer: s.Layer, Path: s.Path, Words: "says how the image was made; " + s.Digest.String()})
	}
	if len(v.because) > 0 {
		c.Findings = append(c.Findings, check.Finding{Rule: "recipe-era", Level: check.Note, Layer: -1,
			Words: fmt.Sprintf("the packer is that of Guix %s, since %s", recipe.Pack.Era, strings.Join(v.because, " and "))})
	}
	what := fmt.Sprintf("%s from %s", provenance.Count(len(recipe.Packages), "package"), provenance.Count(len(recipe.Channels), "channel"))
	switch recipe.Status {
	case provenance.Complete:
		c.Status = check.Pass
		c.Summary = fmt.Sprintf("complete: %s, made by %s", what, recipe.Packer)
	case provenance.Partial:
		c.Summary = fmt.Sprintf("partial: %s, made by %s; %s", what, recipe.Packer, provenance.Count(len(recipe.Problems), "problem"))
	default:
		c.Summary = "no recipe: " + strings.Join(recipe.Problems, "; ")
	}
	return c
}
