package inspect

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/layers"
	"audit/inspect/limit"
	"audit/inspect/pass"
)

// ErrNotKept says that an image came as a stream, and that nothing of it was copied
// to be read again.
var ErrNotKept = errors.New("the image came as a stream and was not kept")

// Contents reads contents of an image that has been read, and gives an image which
// has nothing but them: see [Image.Body]. Only layers that have a file which keep
// asks for are read, and each content has to have the digest that it had. A file is
// read where it lies; of what came from a registry, an engine or standard input
// nothing is fetched again: it is in the copy that Limits.CopyBytes allowed, or
// the error is [ErrNotKept].
func Contents(ctx context.Context, img *Image, keep func(path string) bool, opt Options) (*Image, error) {
	wanted := make(map[string]bool)
	for _, l := range img.Layers {
		if slices.ContainsFunc(l.Entries, func(e *Entry) bool { return e.Type == '0' && keep(e.Path) }) {
			wanted[l.Member] = true
		}
	}
	opt.Keep, opt.Optional, opt.Weak, opt.Stores = keep, nil, nil, img.Stores
	p := pass.New(ctx, opt)
	p.Only = func(member string) bool { return wanted[member] }
	p.Copies = nil
	found, err := readAgain(p, img, wanted)
	if err != nil {
		return nil, fmt.Errorf("reading contents of %s: %w", img.Reference, err)
	}
	return found, verify(img, found, keep)
}

// Complete reads the contents of these files of an image as [Contents] does, and
// keeps them in the image.
func Complete(ctx context.Context, img *Image, files []File, opt Options) error {
	if len(files) == 0 {
		return nil
	}
	wanted := make(map[string]bool, len(files))
	for _, f := range files {
		wanted[f.Inode.Entry.Path] = true
	}
	found, err := Contents(ctx, img, func(path string) bool { return wanted[path] }, opt)
	if err != nil {
		return err
	}
	for _, f := range files {
		e := f.Inode.Entry
		if content, ok := found.Body(f.Inode.Layer, e.Path); ok && digest.Of(content) == e.Digest {
			img.Layers[f.Inode.Layer].KeepBody(e, content, false)
		}
	}
	return nil
}

func readAgain(p *pass.Pass, img *Image, wanted map[string]bool) (*Image, error) {
	if img.Transport != image.Registry && !img.Transport.IsEngine() && img.Reference != "-" {
		return open(p, cmp.Or(img.File, img.Reference), Forms())
	}
	found := new(Image)
	for _, l := range img.Layers {
		layer := &image.Layer{Member: l.Member}
		if wanted[l.Member] {
			if img.Copies == nil {
				return nil, ErrNotKept
			}
			r, ok := img.Copies.Open(l.Member)
			if !ok {
				return nil, ErrNotKept
			}
			var err error
			if layer, err = layers.Read(p, l.Member, bufio.NewReader(&pass.Stream{Pass: p, R: r}), nil); err != nil {
				return nil, err
			}
		}
		found.Layers = append(found.Layers, layer)
	}
	return found, nil
}

// verify compares the contents that were found with the digests that they had.
func verify(img, found *Image, keep func(path string) bool) error {
	if len(found.Layers) != len(img.Layers) {
		return &limit.FormatError{Where: img.Reference, Err: errors.New("it has changed since it was read: it has other layers")}
	}
	for i, l := range img.Layers {
		last := make(map[string]digest.Sum)
		for _, e := range l.Entries {
			if e.Type == '0' && keep(e.Path) {
				last[e.Path] = e.Digest
			}
		}
		for path, sum := range last {
			if content, ok := found.Body(i, path); !ok || digest.Of(content) != sum {
				return &limit.FormatError{Where: img.Reference, Err: fmt.Errorf("it has changed since it was read: %q of layer %d has another content", path, i)}
			}
		}
	}
	return nil
}
