package integrity

import (
	"strings"

	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/paths"
)

// entryFindings lists entries that one tool reads otherwise than another.
func entryFindings(l *image.Layer, found *check.List) {
	seen := make(map[string]bool, len(l.Entries))
	for i := range l.Entries {
		e := l.Entries[i]
		if paths.HasDotDot(e.Name()) {
			found.Problem(l.Index, e.Path, "integrity/unsafe-name", "name", e.Name())
		}
		if strings.HasPrefix(e.Name(), "/") {
			found.Note(l.Index, e.Path, "integrity/absolute-name", "name", e.Name())
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
