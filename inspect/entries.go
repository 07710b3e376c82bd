package inspect

import (
	"slices"
	"strings"

	"audit/inspect/check"
)

// entryFindings lists entries that one tool reads otherwise than another.
func (l *Layer) entryFindings(found *check.List) {
	seen := make(map[string]bool, len(l.Entries))
	for i := range l.Entries {
		e := &l.Entries[i]
		if hasDotDot(e.Name) {
			found.Problem(l.Index, e.Path, "integrity/unsafe-name", "name", e.Name)
		}
		if strings.HasPrefix(e.Name, "/") {
			found.Note(l.Index, e.Path, "integrity/absolute-name", "name", e.Name)
		}
		if seen[e.Path] && e.Type != '5' {
			found.Note(l.Index, e.Path, "integrity/duplicate-entry")
		}
		if _, base := splitPath(e.Path); strings.HasPrefix(base, whiteoutPrefix) && !isName(base[len(whiteoutPrefix):]) {
			found.Problem(l.Index, e.Path, "integrity/invalid-whiteout")
		}
		seen[e.Path] = true
	}
}

// danglingLinks lists hard links whose target is no entry before them, in their
// layer or in a lower one: no engine can make them.
func (img *Image) danglingLinks() []check.Finding {
	if !img.hasHardLinks() {
		return nil
	}
	var found check.List
	seen := make(map[string]bool)
	for _, l := range img.Layers {
		for i := range l.Entries {
			e := &l.Entries[i]
			if e.Type == '1' && !seen[cleanPath(e.Linkname)] {
				found.Problem(l.Index, e.Path, "integrity/dangling-hard-link", "target", e.Linkname)
			}
			seen[e.Path] = true
		}
	}
	return found.All()
}

func (img *Image) hasHardLinks() bool {
	for _, l := range img.Layers {
		if slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Type == '1' }) {
			return true
		}
	}
	return false
}
