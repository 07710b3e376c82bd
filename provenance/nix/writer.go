package nix

import (
	"io"
	"strings"

	"audit/inspect"
	"audit/inspect/store"
)

// A writer is what wrote a layer's tar, known by its headers and names.
type writer int

// The writers.
const (
	otherWriter  writer = iota
	pythonWriter        // tarfile: POSIX headers, names with a slash in front, folders with one behind
	gnuStore            // GNU tar, names with a slash in front: only store items
	gnuRoot             // GNU tar, names "./x": a root, and perhaps store items after it
	gnuBare             // GNU tar, "./" and then names without it: a root
	gnuPlain            // GNU tar, names such as "nix/store"
	goTree              // archive/tar: a folder "/" first, names with a slash in front, folders with none behind
	goFiles             // archive/tar: names with a slash in front, no folders
)

// Magic numbers and versions of tar headers (POSIX.1-2017 pax; GNU tar 1.35,
// src/tar.h, OLDGNU_MAGIC).
const (
	posixMagic = "ustar\x0000"
	gnuMagic   = "ustar  \x00"
)

func newWriter(l *inspect.Layer, stores store.Dirs) writer {
	if len(l.Entries) == 0 {
		return otherWriter
	}
	first := l.Entries[0].Name()
	switch magic(l) {
	case gnuMagic:
		return gnuWriter(l, stores, first)
	case posixMagic:
		switch {
		case first == "/" && l.Entries[0].Type == '5':
			return goTree
		case first == "/nix/" || first == "/nix":
			return pythonWriter
		case strings.HasPrefix(first, storeDir) && !hasFolders(l):
			return goFiles
		}
	}
	return otherWriter
}

func gnuWriter(l *inspect.Layer, stores store.Dirs, first string) writer {
	switch {
	case first == "/nix/":
		return gnuStore
	case first == "./" && len(l.Entries) > 1 && !strings.HasPrefix(l.Entries[1].Name(), "./") && stores.ItemOf(l.Entries[1].Path) == "":
		return gnuBare
	case first == "./":
		return gnuRoot
	case strings.HasPrefix(first, "nix"):
		return gnuPlain
	}
	return otherWriter
}

// magic returns magic number and version of a layer's first header.
func magic(l *inspect.Layer) string {
	var block [512]byte
	if _, err := io.ReadFull(l.Frame.Open(), block[:]); err != nil {
		return ""
	}
	return string(block[257:265])
}

func hasFolders(l *inspect.Layer) bool {
	for i := range l.Entries {
		if l.Entries[i].Type == '5' {
			return true
		}
	}
	return false
}
