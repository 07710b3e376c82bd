package store

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/check"
)

// An Item is a file or folder directly in a store.
type Item struct {
	Path       string        // "/STORE/HASH-NAME"
	Layer      int           // the layer that it is in
	NarHash    v1.Hash       // SHA-256 of its NAR; zero when it cannot be known
	NarSize    int64         // bytes of its NAR
	Bytes      int64         // that it takes in its layer, headers and contents
	Files      int           // entries
	References []string      // store paths in the image that its NAR names, sorted; itself included
	Problem    check.Message // why NarHash is zero, or References incomplete
}

// A Reference is a store path found in the bytes of the image.
type Reference struct {
	From  string // path of the entry that names it, "" for the config
	Layer int    // of From, -1 for the config
	To    string // the store path named
}
