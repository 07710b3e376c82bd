package integrity

import (
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/paths"
	"slices"
	"strings"
)

// entryFindings lists entries that one tool reads otherwise than another.
func entryFindings(l *image.Layer, found *check.List) {
	seen := make(map[string]bool, len(l.Entries))
	for i := range l.Entries {
		e := &l.Entries[i]
		if paths.HasDotDot(e.Name) {
			found.Problem(l.Index, e.Path, "integrity/unsafe-name", "name", e.Name)
		}
		if strings.HasPrefix(e.Name, "/") {
			found.Note(l.Index, e.Path, "integrity/absolute-name", "name", e.Name)
		}
		if seen[e.Path] && e.Type != '5' {
			found.Note(l.Index, e.Path, "integrity/duplicate-entry")
		}
		if _, base := paths.Split(e.Path); strings.HasPrefix(base, image.WhiteoutPrefix) && !image.IsName(base[len(image.WhiteoutPrefix):]) {
			found.Problem(l.Index, e.Path, "integrity/invalid-whiteout")
		}
		seen[e.Path] = true
	}
}

// danglingLinks lists hard links whose target is no entry before them, in their
// layer or in a lower one: no engine can make them.
func danglingLinks(img *image.Image) []check.Finding {
	if !hasHardLinks(img) {
		return nil
	}
	var found check.List
	seen := make(map[string]bool)
	for _, l := range img.Layers {
		for i := range l.Entries {
			e := &l.Entries[i]
			if e.Type == '1' && !seen[paths.Clean(e.Linkname)] {
				found.Problem(l.Index, e.Path, "integrity/dangling-hard-link", "target", e.Linkname)
			}
			seen[e.Path] = true
		}
	}
	return found.All()
}

func hasHardLinks(img *image.Image) bool {
	for _, l := range img.Layers {
		if slices.ContainsFunc(l.Entries, func(e image.Entry) bool { return e.Type == '1' }) {
			return true
		}
	}
	return false
}
