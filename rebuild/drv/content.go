package drv

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"audit/inspect/store"
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
	dir, name := path.Dir(p), store.NameOf(p)
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

// HashesIn returns each run of 32 characters of base 32 in a text: what can be the
// hash of a store path (Nix 2.8, libstore/references.cc).
func HashesIn(text []byte) map[string]bool {
	found := make(map[string]bool)
	run := 0
	for i, c := range text {
		if strings.IndexByte("0123456789abcdfghijklmnpqrsvwxyz", c) < 0 {
			run = 0
			continue
		}
		if run++; run >= 32 {
			found[string(text[i-31:i+1])] = true
		}
	}
	return found
}
