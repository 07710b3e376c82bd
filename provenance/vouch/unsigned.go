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
				version := found.Version
				if owner != nil && owner.Name == found.Package { // the sums of dpkg have no version
					version = owner.Version
				}
				t.VouchAt(i, Word{Kind: Packaged, By: strings.TrimSpace(found.Package + " " + version)})
			case owner != nil && e.Type == '2' && file.HasTarget(e.Linkname):
				t.VouchAt(i, Word{Kind: Packaged, By: owner.Name + " " + owner.Version})
			}
		}
	}
}
