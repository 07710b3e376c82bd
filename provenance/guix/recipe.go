package guix

import (
	"audit/provenance"
)

// describe fills in what a profile says of the recipe: channels, packages,
// files and problems. It returns the status that these allow.
func describe(recipe *provenance.Recipe, p *Profile) provenance.Status {
	list := listChannels(p)
	recipe.Channels = list.written
	recipe.Packages = packages(p)
	recipe.Problems = append(recipe.Problems, p.Problems...)
	recipe.Problems = append(recipe.Problems, list.problems...)
	recipe.Problems = append(recipe.Problems, losses(p.Entries)...)
	if len(list.written) > 0 {
		recipe.Files = append(recipe.Files, provenance.File{Name: "channels.scm", Text: channelsFile(list)})
	}
	recipe.Files = append(recipe.Files, provenance.File{Name: "manifest.scm", Text: manifestFile(p.Entries)})
	if len(recipe.Problems) > 0 || len(list.written) == 0 || len(p.Entries) == 0 {
		return provenance.Partial
	}
	return provenance.Complete
}

// packages lists the entries of a profile. Of an entry's channels the last is
// the one that defines the package.
func packages(p *Profile) []provenance.Package {
	list := make([]provenance.Package, len(p.Entries))
	for i, e := range p.Entries {
		list[i] = provenance.Package{Name: e.Name, Version: e.Version, Output: e.Output, Path: e.Path}
		if channels, _ := e.origins(p.Where); len(channels) > 0 {
			list[i].Origin = &channels[len(channels)-1]
			list[i].Channel = list[i].Origin.Name
		}
	}
	return list
}
