package vouch

import (
	"strings"

	"audit/provenance/ospackages"
)

// Packages adds the words of the package databases that the image carries: nobody
// signed them, and anybody who changed a file could have changed its record. A link has
// one where the database records its target: see [ospackages.File.HasTarget].
func (t *Table) Packages(in *ospackages.Installed) {
	root := t.img.Root()
	for _, l := range t.img.Layers {
		for index, e := range l.Entries {
			i, ok := root.Search(e.Path)
			if !ok || root.File(i).Entry != e {
				if i, ok = root.Search(in.Place(e)); !ok || root.File(i).Entry != e {
					continue // removed or replaced by a higher layer
				}
			}
			found := in.Compare(l.Index, index)
			owner, file := in.Owner(e.Path)
			switch {
			case found.Standing == ospackages.OwnRecord:
				t.VouchAt(i, Word{Kind: Packaged, By: recordOf(found.Package, found.Version, owner)})
			case owner != nil && e.Type == '2' && file.HasTarget(e.Linkname):
				t.VouchAt(i, Word{Kind: Packaged, By: owner.Name + " " + owner.Version})
			}
		}
	}
}

// recordOf names the package whose record has a digest. dpkg's lists of digests do not say of
// which version they are: that is the one which is installed.
func recordOf(name, version string, owner *ospackages.Package) string {
	if version == "" && owner != nil && owner.Name == name {
		version = owner.Version
	}
	return strings.TrimSpace(name + " " + version)
}
