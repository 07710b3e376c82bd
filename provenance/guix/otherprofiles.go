package guix

import (
	"fmt"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/profile"
	"audit/provenance/store"
)

// maxOthers bounds how many profiles beside an image's own are read.
const maxOthers = 16

// others adds what the image holds beside root and all that it leads to:
// profiles of their own, each of which is a recipe that no other one makes.
func (v *view) others(recipe *provenance.Recipe, root string) error {
	n := 0
	for _, item := range v.profilesBeside(root) {
		if n++; n > maxOthers {
			recipe.Missing = append(recipe.Missing, check.Say("recipe/more-profiles", "limit", maxOthers))
			break
		}
		if err := v.other(recipe, item, fmt.Sprintf("profile-%d", n+1)); err != nil {
			return err
		}
	}
	if n > 0 && recipe.Status == provenance.Complete {
		recipe.Status = provenance.Partial
	}
	return nil
}

// profilesBeside lists the profiles that root does not lead to, sorted, but for
// those that others of them lead to.
func (v *view) profilesBeside(root string) []string {
	reached := store.Reach(v.items, []string{root})
	var beside []string
	for i := range v.img.Items {
		if p := v.img.Items[i].Path; isRoot(p) && inspect.StoreName(p) == "profile" && !reached[p] {
			beside = append(beside, p)
		}
	}
	top := make(map[string]bool)
	for _, p := range v.unreferenced() {
		top[p] = true
	}
	inner := func(p string) bool { return !top[p] }
	if root == "" || slices.ContainsFunc(beside, func(p string) bool { return !inner(p) }) {
		beside = slices.DeleteFunc(beside, inner)
	}
	return beside
}

// other adds the recipe of another profile: its evidence, its files under names
// of their own, and a message with its packages.
func (v *view) other(recipe *provenance.Recipe, item, name string) error {
	var own provenance.Recipe
	p, err := v.profile(&own, item)
	if err != nil {
		return err
	}
	recipe.Sources = append(recipe.Sources, own.Sources...)
	if p == nil {
		recipe.Missing = append(recipe.Missing, check.Say("recipe/other-profile-unread", "item", item))
		recipe.Missing = append(recipe.Missing, own.Missing...)
		return nil
	}
	describe(&own, p)
	var files []string
	for _, f := range own.Files {
		f.Name = name + "." + f.Name
		files = append(files, f.Name)
		recipe.Files = append(recipe.Files, f)
	}
	recipe.Missing = append(recipe.Missing, check.Say("recipe/other-profile", "item", item, "files", files, "packages", packageNames(p)))
	return nil
}

// maxNamed bounds how many packages one message names.
const maxNamed = 20

func packageNames(p *profile.Profile) []string {
	var names []string
	for _, pkg := range p.Packages() {
		if len(names) == maxNamed {
			names = append(names, fmt.Sprintf("%d more", len(p.Packages())-maxNamed))
			break
		}
		names = append(names, quote(pkg.Name+" "+pkg.Version))
	}
	return names
}
