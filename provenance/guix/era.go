package guix

import (
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/paths"
	"audit/provenance/guix/profile"
)

// An era is a time in which guix pack made its images in one way.
type era int

const (
	era10   era = iota
	era2019     // the environment in the config: from 2019-07 to 2019-08
	era11       // /tmp, parents of symlinks
	era12       // a comment in the profile manifest
	era13       // no hard links
	era2021     // entries in the order of readdir: from 2021-06 to 2022-07
	era14       // manifest format 4
	era2024     // layered images, with real times and owners: from 2024-01 to 2025-01
	era2025     // a history in the config: from 2025-01 to 2025-06
	era15       // the extra folder first
)

var eraNames = [...]string{"1.0", "between 1.0 and 1.1", "1.1", "1.2", "1.3", "between 1.3 and 1.4", "1.4", "of 2024, between 1.4 and 1.5", "of 2025, before 1.5", "1.5"}

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

// A clue is a mark of an image that only the packers of some eras leave. A weak
// one is too easily changed to contradict anything.
type clue struct {
	what check.Message // a code "mark/…"
	span eraSpan
	weak bool
}

// era infers the packer's era from the marks that it left, the firmest first, and
// returns which of them narrowed it. A mark that the ones before it leave no room
// for is among the contradictions.
func (v *view) era(p *profile.Profile) (span eraSpan, because []check.Message, contradictions []check.Message) {
	span = eraSpan{era10, era15}
	for _, c := range slices.Concat(v.imageClues(), profileClues(p), commentClues(p), v.orderClues()) {
		before := span
		switch fits := span.narrow(c.span); {
		case !fits && !c.weak:
			contradictions = append(contradictions, check.Say("recipe/unknown-era", "era", before, "mark", c.what))
		case span != before:
			because = append(because, c.what)
		}
	}
	return span, because, contradictions
}

// imageClues are the marks of the image itself, by its form.
func (v *view) imageClues() []clue {
	switch {
	case len(v.img.Config.Raw) > 0:
		return v.configClues()
	case v.img.Transport == image.SquashFS:
		return v.squashfsClues()
	case v.img.Transport == image.RootFS:
		return v.tarballClues()
	}
	return nil
}

func (v *view) squashfsClues() []clue {
	if v.has(".singularity.d", '5') {
		return []clue{{what: check.Say("mark/singularity-folder"), span: eraSpan{era11, era15}}}
	}
	return []clue{{what: check.Say("mark/no-singularity-folder"), span: eraSpan{era10, era10}}}
}

// tarballClues are the marks of a tarball; what an engine exports has lost those
// of its packer.
func (v *view) tarballClues() []clue {
	store, ok := v.files.At("gnu/store")
	switch {
	case !ok || store.Mode != storeMode:
		return nil
	case v.has(".", '5'):
		return []clue{{what: check.Say("mark/root-entry"), span: eraSpan{era2021, era15}}}
	}
	return []clue{{what: check.Say("mark/no-root-entry"), span: eraSpan{era10, era13}}}
}

// configClues are the marks of an image with a config. One that another tool
// wrote has the marks of that tool, so only the layer that has the store items is left.
func (v *view) configClues() []clue {
	if !IsPacked(v.img) {
		return v.itemLayerClues()
	}
	var clues []clue
	switch history := len(v.img.Config.File.History) > 0; {
	case history && v.isLayered():
		clues = append(clues, clue{what: check.Say("mark/layers-and-history"), span: eraSpan{era15, era15}})
	case history:
		clues = append(clues, clue{what: check.Say("mark/history"), span: eraSpan{era2025, era15}})
	case v.isLayered():
		clues = append(clues, clue{what: check.Say("mark/layers-without-history"), span: eraSpan{era2024, era2024}})
	default:
		clues = append(clues, clue{what: check.Say("mark/no-history"), span: eraSpan{era10, era14}})
	}
	if v.img.Config.File.Config.Env == nil {
		clues = append(clues, clue{what: check.Say("mark/no-environment"), span: eraSpan{era10, era10}})
	} else {
		clues = append(clues, clue{what: check.Say("mark/environment"), span: eraSpan{era2019, era15}})
	}
	if len(v.img.Layers) == 1 {
		clues = append(clues, v.layerClues(v.img.Layers[0])...)
	}
	return clues
}

func (v *view) itemLayerClues() []clue {
	holding := slices.DeleteFunc(slices.Clone(v.img.Layers), func(l *inspect.Layer) bool { return !v.holdsItems(l) })
	if len(holding) != 1 {
		return nil
	}
	if tmp, _ := v.firstEntries(holding[0]); tmp < 0 { // it may be in another layer
		return nil
	}
	return v.layerClues(holding[0])
}

// layerClues are the marks of an image of one layer.
func (v *view) layerClues(l *inspect.Layer) []clue {
	var clues []clue
	switch tmp, item := v.firstEntries(l); {
	case tmp < 0:
		clues = append(clues, clue{what: check.Say("mark/no-tmp"), span: eraSpan{era10, era2019}})
	case tmp < item:
		clues = append(clues, clue{what: check.Say("mark/tmp-first"), span: eraSpan{era15, era15}})
	default:
		clues = append(clues, clue{what: check.Say("mark/tmp-last"), span: eraSpan{era11, era2025}})
	}
	if hasHardLinks(l) {
		clues = append(clues, clue{what: check.Say("mark/hard-links"), span: eraSpan{era10, era12}})
	}
	if !v.isSorted(l) {
		clues = append(clues, clue{what: check.Say("mark/unsorted"), span: eraSpan{era2021, era15}})
	}
	return clues
}

// orderClues uses the order of an image of one layer, where it is that of
// names; chance may have made it too.
func (v *view) orderClues() []clue {
	if len(v.img.Layers) != 1 || len(v.img.Config.Raw) == 0 || !v.isSorted(v.img.Layers[0]) {
		return nil
	}
	return []clue{{what: check.Say("mark/sorted"), span: eraSpan{era10, era13}, weak: true}}
}

// firstEntries returns the places of /tmp and of the first store item's first
// entry, -1 for a missing /tmp.
func (v *view) firstEntries(l *inspect.Layer) (tmp, item int) {
	tmp, item = -1, len(l.Entries)
	for i := range l.Entries {
		switch p := l.Entries[i].Path; {
		case p == "tmp" && tmp < 0:
			tmp = i
		case item == len(l.Entries) && v.img.Stores.InItem(p):
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
func (v *view) isSorted(l *inspect.Layer) bool {
	last := make(map[string]string)
	for i := range l.Entries {
		e := l.Entries[i]
		if item := v.img.Stores.ItemOf(e.Path); item == "" || item == "/"+e.Path {
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
		return []clue{{what: check.Say("mark/manifest-version", "version", p.Version), span: eraSpan{era14, era15}}}
	case p.Version == 3:
		return []clue{{what: check.Say("mark/manifest-version", "version", p.Version), span: eraSpan{era10, era2021}}}
	}
	return []clue{{what: check.Say("mark/old-manifest", "version", p.Version), span: eraSpan{-1, -1}}}
}

// commentClues uses the comment that a profile manifest begins with: none up to
// 1.1, of two lines in 1.2, of four since.
func commentClues(p *profile.Profile) []clue {
	if p == nil {
		return nil
	}
	switch p.Comments {
	case 0:
		return []clue{{what: check.Say("mark/no-comment"), span: eraSpan{era10, era11}, weak: true}}
	case 2:
		return []clue{{what: check.Say("mark/comment-two"), span: eraSpan{era12, era12}, weak: true}}
	case 4:
		return []clue{{what: check.Say("mark/comment-four"), span: eraSpan{era13, era15}, weak: true}}
	}
	return nil
}

// isLayered says whether the layers are as guix pack --max-layers makes them:
// by their names in the archive, or, when another tool wrote it again, since
// all but the last have store items alone, and the last none.
func (v *view) isLayered() bool {
	n := len(v.img.Layers)
	if n < 2 {
		return false
	}
	named := true
	for _, l := range v.img.Layers {
		member := paths.Clean(l.Member)
		named = named && strings.HasPrefix(member, "sha256:") && strings.HasSuffix(member, "/layer.tar")
	}
	return named || v.isSplit()
}

func (v *view) isSplit() bool {
	last := len(v.img.Layers) - 1
	for i, l := range v.img.Layers {
		for j := range l.Entries {
			inStore := profile.Store().ItemOf(l.Entries[j].Path) != ""
			if inStore == (i == last) {
				return false
			}
		}
	}
	return true
}
