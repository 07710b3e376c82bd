package drv

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
)

// A Content is what the name of a store item can be computed from.
type Content struct {
	NAR  [sha256.Size]byte // hash of its NAR
	Flat [sha256.Size]byte // hash of its bytes, where it is a regular file; else zero
	// References are the store paths that it names, sorted, itself not included.
	References []string
}

// Fits says whether a store item is named after its content: as a source or as a
// text, with its references or without, or as a file whose hash was given (Nix 2.8,
// libstore/store-api.cc, makeFixedOutputPath and makeTextPath; Guix has the same).
// Then its path is its hash, and it can be nothing else.
func (c Content) Fits(p string) bool {
	dir, name := path.Dir(p), storeName(p)
	if name == "" {
		return false
	}
	references := []string{""}
	if len(c.References) > 0 {
		references = append(references, ":"+strings.Join(c.References, ":"))
	}
	for _, r := range references {
		if storePath(dir, "source"+r, c.NAR[:], name) == p {
			return true
		}
		if c.Flat != [sha256.Size]byte{} && storePath(dir, "text"+r, c.Flat[:], name) == p {
			return true
		}
	}
	inner := sha256.Sum256([]byte("fixed:out:sha256:" + hex.EncodeToString(c.Flat[:]) + ":"))
	return c.Flat != [sha256.Size]byte{} && storePath(dir, "output:out", inner[:], name) == p
}
