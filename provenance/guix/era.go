package guix

import (
	"fmt"
	"path"
	"strings"

	"audit/inspect"
	"audit/provenance/guix/profile"
)

// An era is a time in which guix pack made its images in one way.
type era int

const (
	era10   era = iota
	era11       // the environment in the config, /tmp, parents of symlinks
	era12       // a comment in the profile manifest
	era13       // no hard links
	era14       // manifest format 4; entries in the order of readdir
	era2024     // layered images, with real times and owners: from 2024-01 to 2025-01
	era2025     // a history in the config: from 2025-01 to 2025-06
	era15       // the extra folder first
)

var eraNames = [...]string{"1.0", "1.1", "1.2", "1.3", "1.4", "of 2024, between 1.4 and 1.5", "of 2025, before 1.5", "1.5"}

// An eraSpan is a run of eras that the evidence leaves open.
type eraSpan struct{ first, last era }

// String names the eras: "1.5", "1.1 or 1.2", "1.1 to 1.3".
func (s eraSpan) String() string {
	switch s.last - s.first {
	case 0:
		return eraNames[s.first]
	case 1:
		return eraNames[s.first] + " or " + eraNames[s.last]
	}
	return eraNames[s.first] + " to " + eraNames[s.last]
}

// narrow leaves of s what is also in t; false says that nothing would be left.
func (s *eraSpan) narrow(t eraSpan) bool {
	u := eraSpan{max(s.first, t.first), min(s.last, t.last)}
	if u.first > u.last {
		return false
	}
	*s = u
	return true
}

// A clue is a mark of an image that only the packers of some eras leave.
type clue struct {
	what string
	span eraSpan
}

// era tells the packer's era by the marks that it left, the firmest first. A
// mark that the ones before it leave no room for is told apart.
func (v *view) era(p *profile.Profile) (span eraSpan, odd []string) {
	span = eraSpan{era10, era15}
	for _, c := range append(v.imageClues(), profileClues(p)...) {
		before := span
		if !span.narrow(c.span) {
			odd = append(odd, fmt.Sprintf("the packer's era for certain: the image is like those of Guix %v, but %s", before, c.what))
		}
	}
	if p != nil {
		narrowByComments(&span, p)
	}
	return span, odd
}

func (v *view) imageClues() []clue {
	if len(v.img.Config.Raw) == 0 {
		return nil
	}
	var clues []clue
	switch history := len(v.config.History) > 0; {
	case history && v.isLayered():
		clues = append(clues, clue{"it has layers and a history", eraSpan{era15, era15}})
	case history:
		clues = append(clues, clue{"its config has a history", eraSpan{era2025, era15}})
	case v.isLayered():
		clues = append(clues, clue{"it has layers and no history", eraSpan{era2024, era2024}})
	default:
		clues = append(clues, clue{"its config has no history", eraSpan{era10, era14}})
	}
	if v.config.Config.Env == nil {
		clues = append(clues, clue{"its config has no environment", eraSpan{era10, era10}})
	} else {
		clues = append(clues, clue{"its config has an environment", eraSpan{era11, era15}})
	}
	if len(v.img.Layers) == 1 {
		clues = append(clues, layerClues(v.img.Layers[0])...)
	}
	return clues
}

// layerClues are the marks of an image of one layer.
func layerClues(l *inspect.Layer) []clue {
	var clues []clue
	switch tmp, item := firstEntries(l); {
	case tmp < 0:
		clues = append(clues, clue{"there is no /tmp", eraSpan{era10, era10}})
	case tmp < item:
		clues = append(clues, clue{"/tmp comes before the store items", eraSpan{era15, era15}})
	default:
		clues = append(clues, clue{"/tmp comes after the store items", eraSpan{era11, era2025}})
	}
	if hasHardLinks(l) {
		clues = append(clues, clue{"there are hard links", eraSpan{era10, era12}})
	}
	if !isSorted(l) {
		clues = append(clues, clue{"entries of one folder are not sorted by name", eraSpan{era14, era15}})
	}
	return clues
}

// firstEntries returns the places of /tmp and of the first store item's first
// entry, -1 for a missing /tmp.
func firstEntries(l *inspect.Layer) (tmp, item int) {
	tmp, item = -1, len(l.Entries)
	for i := range l.Entries {
		switch p := l.Entries[i].Path; {
		case p == "tmp" && tmp < 0:
			tmp = i
		case item == len(l.Entries) && inspect.ItemOf(p) != "":
			item = i
		}
	}
	return tmp, item
}

func hasHardLinks(l *inspect.Layer) bool {
	for i := range l.Entries {
		if l.Entries[i].Type == '1' {
			return true
		}
	}
	return false
}

// isSorted says whether the entries of each folder inside a store item come in
// the order of their names, as tar --sort=name has them.
func isSorted(l *inspect.Layer) bool {
	last := make(map[string]string)
	for i := range l.Entries {
		e := &l.Entries[i]
		if item := inspect.ItemOf(e.Path); item == "" || item == "/"+e.Path {
			continue
		}
		dir, base := path.Dir(e.Path), path.Base(e.Path)
		if last[dir] > base {
			return false
		}
		last[dir] = base
	}
	return true
}

func profileClues(p *profile.Profile) []clue {
	switch {
	case p == nil:
		return nil
	case p.Version == 4:
		return []clue{{"its profile manifest is of version 4", eraSpan{era14, era15}}}
	case p.Version == 3:
		return []clue{{"its profile manifest is of version 3", eraSpan{era10, era13}}}
	}
	return []clue{{fmt.Sprintf("its profile manifest is of version %d, older than 1.0", p.Version), eraSpan{-1, -1}}}
}

// narrowByComments uses the comment that a profile manifest begins with: none
// up to 1.1, of two lines in 1.2, of four since. It is too easily changed to
// contradict anything.
func narrowByComments(span *eraSpan, p *profile.Profile) {
	switch p.Comments {
	case 0:
		span.narrow(eraSpan{era10, era11})
	case 2:
		span.narrow(eraSpan{era12, era12})
	case 4:
		span.narrow(eraSpan{era13, era15})
	}
}

// isLayered says whether the layers are as guix pack --max-layers makes them:
// by their names in the archive, or, when another tool wrote it again, since
// all but the last hold store items alone, and the last none.
func (v *view) isLayered() bool {
	n := len(v.img.Layers)
	if n < 2 {
		return false
	}
	named := true
	for _, l := range v.img.Layers {
		member := inspect.CleanPath(l.Member)
		named = named && strings.HasPrefix(member, "sha256:") && strings.HasSuffix(member, "/layer.tar")
	}
	return named || v.isSplit()
}

func (v *view) isSplit() bool {
	last := len(v.img.Layers) - 1
	for i, l := range v.img.Layers {
		for j := range l.Entries {
			inStore := strings.HasPrefix(inspect.ItemOf(l.Entries[j].Path), storeDir)
			if inStore == (i == last) {
				return false
			}
		}
	}
	return true
}
