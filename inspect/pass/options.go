package pass

import (
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/registry/access"
	"audit/inspect/store"
)

// A Watcher reads the content of a file along with the pass.
type Watcher interface {
	// Watch takes the next bytes of the content, which it must not keep.
	Watch(p []byte)
	// Note returns what is worth keeping at the end of the content; nil for nothing.
	// Where all notes are more than Limits.NoteBytes, none is kept.
	Note() []byte
}

// Options say how an image is read. The zero value reads with the default
// limits and keeps no contents.
type Options struct {
	// Keep says whether the content of the regular file at path (of the form
	// of Entry.Path) is to be kept for Image.Body.
	Keep func(path string) bool
	// Optional says of a path that Keep asks for whether one can do without. Where
	// the contents of those are more than Limits.OptionalBytes in all, none of them
	// is kept, and Image.Dropped lists them.
	Optional func(path string) bool
	// Weak, when set, is called for each layer and returns what says for each of its
	// entries in turn, by its path, which digests of the content are wanted beside
	// SHA-256: see [image.Layer.Weak]. Inside of store items none are taken.
	Weak func() func(path string) digest.Kinds
	// Watch, when set, is asked for each regular file, before its content, and returns
	// what reads along, nil for nothing: see [image.Root.Note]. Its size is a promise.
	Watch func(e *image.Entry) Watcher
	// Stores are where store items lie in the image: see [store.Dirs].
	Stores store.Dirs
	// Platform chooses among the images of an index, such as "linux/arm64";
	// "" means that of this machine, else the only one.
	Platform string
	// Limits bound the cost; nil means DefaultLimits.
	Limits *limit.Limits
	// Progress, when set, is called now and then with the bytes read of a
	// source and its size (0 when unknown), from one or more goroutines.
	Progress func(read, size int64)
	// File is read in place of the reference: what was fetched from there; "" for none.
	File string
	// Access says how registries are reached; nil is with the credentials of docker login.
	Access *access.Options
	// LayerCache is a folder with blobs of layers that need not be fetched from a
	// registry, and into which those go that are; "" for none.
	LayerCache string
	// Known, when set, has layers that were read for other images before, and takes
	// those of this one.
	Known *Known
	// TempDir is the folder of the unlinked temporary files; "" means os.TempDir.
	TempDir string
}
