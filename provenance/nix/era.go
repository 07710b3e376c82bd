package nix

import (
	"slices"

	"audit/inspect"
)

// era says in words of what time the packer is, as far as its layers show; ""
// when they show nothing.
func (v *view) era(p packer) string {
	switch p {
	case streamLayered:
		return v.streamEra()
	case buildLayered:
		return "nixpkgs 18.09 to 20.03"
	case buildImage:
		return v.buildImageEra()
	case nix2container:
		return v.nix2containerEra()
	}
	return ""
}

// sinceOwners is the time since when streamLayeredImage can be given an owner, and
// takes in only what the root and the config refer to.
const sinceOwners = "nixpkgs 24.05 and later"

// streamEra goes by the mode of /nix in the layers of store items: it came
// with the default mode of Python's tarfile for some weeks, then as 0555, and
// since owners can be chosen as 0755.
func (v *view) streamEra() string {
	folder := v.entry(pythonWriter, "nix")
	switch {
	case folder == nil:
		return ""
	case folder.Mode == 0o755:
		return sinceOwners
	case folder.Mode == 0o555:
		return "nixpkgs 20.09 to 23.11"
	case folder.Mode == 0o644:
		return "nixpkgs of July 2020"
	}
	return ""
}

// buildImageEra goes by the entries for /nix and /nix/store, which were added
// so that users other than root could read the store.
func (v *view) buildImageEra() string {
	l := v.img.Layers[len(v.img.Layers)-1]
	for i := range l.Entries {
		if l.Entries[i].Path == "nix/store" {
			return "nixpkgs 18.09 and later"
		}
	}
	return ""
}

// nix2containerEra goes by the date of the files, and by the history.
func (v *view) nix2containerEra() string {
	folder := v.entry(goTree, ".")
	switch {
	case folder == nil:
		return ""
	case folder.ModTime == 1:
		return "of July 2024 and later"
	case len(v.config.History) > 0:
		return "of December 2022 to July 2024"
	}
	return "of October to December 2022"
}

// entry finds the first entry at a path in the layers of a writer.
func (v *view) entry(w writer, path string) *inspect.Entry {
	for i, l := range v.img.Layers {
		if v.writers[i] != w {
			continue
		}
		at := slices.IndexFunc(l.Entries, func(e *inspect.Entry) bool { return e.Path == path })
		if at >= 0 {
			return l.Entries[at]
		}
	}
	return nil
}
