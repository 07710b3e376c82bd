package nix

import (
	"crypto/sha256"
	"io"
	"path"
	"strings"

	"audit/inspect"
)

// stateDir is where Nix keeps what it knows, beside the store.
const stateDir = "nix/var"

// Files of the store's database (Nix 2.8, libstore/local-store.cc).
const (
	schemaPath   = "nix/var/nix/db/schema"   // the number of the schema
	lockPath     = "nix/var/nix/db/big-lock" // empty
	reservedPath = "nix/var/nix/db/reserved" // one byte over and over, to be freed when the disk is full
)

// isStoreState says whether a file is part of what Nix notes about the store.
func isStoreState(p string) bool { return p == stateDir || strings.HasPrefix(p, stateDir+"/") }

// storeFolder says whether a path is one of the folders above the store items.
func storeFolder(p string) bool {
	return p == "." || p == "nix" || p == "nix/store" || p == "nix/store/.links"
}

// StoreFolderMode says whether a mode is one that packers give to /nix and
// /nix/store, by their time: 0755 and 0555; 0775 to a root that was made writable; those of a builder's own
// store, whose mode buildImage takes over; 01777 for a store to build in; and
// tarfile's default.
func StoreFolderMode(mode int64) bool {
	switch mode {
	case 0o755, 0o555, 0o775, 0o1775, 0o1777, 0o1755, 0o644:
		return true
	}
	return false
}

// stateFolders are the folders that nix-store --load-db makes. Below those that
// end in a slash there is one for each user.
func stateFolder(p string) bool {
	switch p {
	case "nix/var", "nix/var/nix", "nix/var/nix/db", "nix/var/nix/gcroots", "nix/var/nix/gcroots/docker", "nix/var/nix/gcroots/auto",
		"nix/var/nix/gcroots/per-user", "nix/var/nix/profiles", "nix/var/nix/profiles/per-user", "nix/var/nix/temproots",
		"nix/var/nix/userpool", "nix/var/nix/userpool2", "nix/var/nix/daemon-socket", "nix/var/log", "nix/var/log/nix", "nix/var/log/nix/drvs":
		return true
	}
	dir := path.Dir(p)
	return dir == "nix/var/nix/gcroots/per-user" || dir == "nix/var/nix/profiles/per-user"
}

// isLoadedState says whether a file below nix/var is as nix-store --load-db
// makes it: nothing else can be in it.
func (v *view) isLoadedState(layer int, e *inspect.Entry) bool {
	switch {
	case e.Type == '5':
		return stateFolder(e.Path) && e.Mode&^0o1777 == 0
	case e.Type == '2':
		return v.isGCRoot(e)
	case e.Type != '0' || e.Mode&^0o755 != 0:
		return false
	case e.Path == DatabasePath:
		return true // its rows are compared
	case e.Path == schemaPath:
		data, ok := v.img.Body(layer, e.Path)
		return ok && isNumber(strings.TrimSpace(string(data)))
	case e.Path == reservedPath:
		return repeats(e)
	}
	return e.Path == lockPath && e.Size == 0
}

// isGCRoot says whether a symlink is a root of the garbage collector, which protects store items: of an item
// of the image by its name, or of the profiles, in whose target the folder of
// the build stands.
func (v *view) isGCRoot(e *inspect.Entry) bool {
	if e.Path == "nix/var/nix/gcroots/profiles" {
		return strings.HasSuffix(e.Linkname, "/nix/var/nix/profiles")
	}
	return path.Dir(e.Path) == "nix/var/nix/gcroots/docker" && e.Linkname == storeDir+path.Base(e.Path) && v.items[e.Linkname] != nil
}

func isNumber(s string) bool {
	return s != "" && len(s) < 4 && strings.Trim(s, "0123456789") == ""
}

// mostRepeated bounds a file that is hashed again.
const mostRepeated = 64 << 20

// repeats says whether a file is one byte over and over: Nix writes the letter
// X, and others zeros.
func repeats(e *inspect.Entry) bool {
	if e.Size > mostRepeated {
		return false
	}
	for _, b := range []byte{'X', 0} {
		h := sha256.New()
		io.CopyN(h, byteReader(b), e.Size) // neither can fail
		if inspect.Sum(h.Sum(nil)) == e.Digest {
			return true
		}
	}
	return false
}

// A byteReader reads as that byte, without end.
type byteReader byte

func (b byteReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}
