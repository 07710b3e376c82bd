package guix

import (
	"audit/provenance"
	"audit/provenance/guix/profile"
)

// describe fills in what a profile says of the recipe: channels, packages,
// files and problems. It returns the status that these allow.
func describe(recipe *provenance.Recipe, p *profile.Profile) provenance.Status {
	list := p.Channels()
	recipe.Channels = list.List
	recipe.Packages = p.Packages()
	recipe.Problems = append(recipe.Problems, p.Problems...)
	recipe.Problems = append(recipe.Problems, list.Problems...)
	recipe.Problems = append(recipe.Problems, p.Losses()...)
	if len(p.Entries) == 0 {
		recipe.Problems = append(recipe.Problems, "the profile lists no packages, so nothing tells which channels it was made with")
	}
	if len(list.List) > 0 {
		recipe.Files = append(recipe.Files, provenance.File{Name: "channels.scm", Text: list.File()})
	}
	recipe.Files = append(recipe.Files, provenance.File{Name: "manifest.scm", Text: p.ManifestFile()})
	if len(recipe.Problems) > 0 || len(list.List) == 0 {
		return provenance.Partial
	}
	return provenance.Complete
}
