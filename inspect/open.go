package inspect

import (
	"context"
	"errors"
)

// Options say how an image is read. The zero value reads with the default
// limits and keeps no contents.
type Options struct {
	// Keep says whether the content of the regular file at path (of the form
	// of Entry.Path) is to be kept for [Image.Body].
	Keep func(path string) bool
	// Limits bound the cost; nil means DefaultLimits.
	Limits *Limits
	// Progress, when set, is called now and then with the bytes read of the
	// source and its size (0 when unknown).
	Progress func(read, size int64)
	// TempDir holds the unlinked temporary files; "" means os.TempDir.
	TempDir string
}

// Open reads the image that reference names, in one pass.
func Open(ctx context.Context, reference string, opt Options) (*Image, error) {
	return nil, errors.New("not written yet")
}

// Body returns the content of the entry at path in a layer, when Options.Keep
// asked for it.
func (img *Image) Body(layer int, path string) ([]byte, bool) {
	return nil, false
}
