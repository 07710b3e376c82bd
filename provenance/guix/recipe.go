package guix

import (
	"slices"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/profile"
)

// describe fills in what a profile says of the recipe: channels, packages,
// files and what they cannot say. It returns the status that these allow.
func describe(recipe *provenance.Recipe, p *profile.Profile) provenance.Status {
	list := p.Channels()
	recipe.Channels = list.List
	recipe.Packages = p.Packages()
	recipe.Missing = slices.Concat(recipe.Missing, p.Problems, list.Problems, p.Losses())
	if len(p.Entries) == 0 {
		recipe.Missing = append(recipe.Missing, check.Say("recipe/no-packages"))
	}
	if len(list.List) > 0 {
		recipe.Files = append(recipe.Files, provenance.File{Name: "channels.scm", Text: list.File()})
	}
	recipe.Files = append(recipe.Files, provenance.File{Name: "manifest.scm", Text: p.ManifestFile()})
	if len(recipe.Missing) > 0 || len(list.List) == 0 {
		return provenance.Partial
	}
	return provenance.Complete
}
