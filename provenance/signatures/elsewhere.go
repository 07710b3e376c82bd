package signatures

import (
	"maps"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// An Elsewhere is a store item of another image, as a report about that image has it:
// the word of whoever wrote the report.
type Elsewhere struct {
	Path    string
	NarHash string // "sha256:…"
	Image   string // for people: its name and digest
}

// Compared adds to the check named signatures what other images show. A store path is
// made from all that goes into a build, so two contents under one path mean that the
// package does not come out the same twice, or that one of the images was changed: that
// is undecided, and both are named. Where a trusted operator has signed what this image
// holds, it is a note. Own is how many reports are of this very image. Operators are those of [Operators].
func Compared(c check.Check, items []inspect.StoreItem, others []Elsewhere, own int, operators map[string][]string) check.Check {
	here := make(map[string]inspect.StoreItem, len(items))
	for _, item := range items {
		if item.NarHash.Hex != "" {
			here[item.Path] = item
		}
	}
	images, same := make(map[string]bool), make(map[string]bool)
	differs := make(map[string]map[string][]string) // by path and hash, the images
	for _, o := range others {
		item, known := here[o.Path]
		if !known || o.NarHash == "" {
			continue
		}
		images[o.Image] = true
		if o.NarHash == item.NarHash.String() {
			same[o.Path] = true
			continue
		}
		if differs[o.Path] == nil {
			differs[o.Path] = make(map[string][]string)
		}
		differs[o.Path][o.NarHash] = append(differs[o.Path][o.NarHash], o.Image)
	}
	var open, notes check.List
	for _, path := range slices.Sorted(maps.Keys(differs)) {
		item := here[path]
		args := []any{"here", item.NarHash.String(), "others", inImages(differs[path])}
		if by := operators[path]; len(by) > 0 {
			notes.Note(item.Layer, path, "signatures/other-image-differs", append(args, "operators", by)...)
			continue
		}
		open.Undecided(item.Layer, path, "signatures/other-image-differs", args...)
	}
	c.Findings = slices.Concat(c.Findings, open.All(), notes.All())
	compared := check.Say("signatures/other-images", "own", own, "images", len(images), "same", len(same), "differing", len(differs))
	if len(differs) > 0 {
		c.Reasons = slices.Insert(slices.Clone(c.Reasons), 0, compared)
	} else {
		c.Reasons = append(slices.Clone(c.Reasons), compared)
	}
	if open.Count(check.Undecided) > 0 && c.Status != check.Fail {
		c.Status = check.Unknown
	}
	return c
}

// namedImages bounds the images that are named for one hash.
const namedImages = 3

// inImages lists hashes with the images that have them: "sha256:… in a.tar, b.tar".
func inImages(by map[string][]string) (all []string) {
	for _, hash := range slices.Sorted(maps.Keys(by)) {
		images := slices.Compact(slices.Sorted(slices.Values(by[hash])))
		text := hash + " in " + strings.Join(images[:min(len(images), namedImages)], ", ")
		if len(images) > namedImages {
			text += ", …"
		}
		all = append(all, text)
	}
	return all
}
