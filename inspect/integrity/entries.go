package integrity

import (
	"archive/tar"
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
		if !isKnown(e.Type) {
			found.Undecided(l.Index, e.Path, "integrity/entry-type-unknown", "type", string(rune(e.Type)))
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

// isKnown says whether engines know a type of entry. Of others they refuse the layer, and
// other readers take them for files (POSIX.1-2017, pax, "ustar Interchange Format").
func isKnown(kind byte) bool {
	return '0' <= kind && kind <= '6' || kind == tar.TypeXGlobalHeader || kind == image.Socket
}
