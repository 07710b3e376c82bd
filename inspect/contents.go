package inspect

import (
	"context"
	"fmt"

	"audit/inspect/digest"
)

// Contents reads an image once more for the contents of these of its files, and
// keeps them in img where [Root.Content] and [Image.Body] find them. A content that
// is not what was read at first is left out: a file or a tag can have changed in
// between. Of opt only Platform, Limits, Progress and TempDir count. Standard input
// and registries are not read twice: then Contents does nothing.
func Contents(ctx context.Context, img *Image, opt Options, files []File) error {
	if len(files) == 0 || img.Reference == "-" || img.Transport == Registry {
		return nil
	}
	wanted := make(map[string]bool, len(files))
	for _, f := range files {
		wanted[f.Inode.Entry.Path] = true
	}
	opt.Keep, opt.KeepOnly = func(path string) bool { return wanted[path] }, true
	opt.Spare, opt.Weak = nil, nil
	again, err := Open(ctx, img.Reference, opt)
	if err != nil {
		return fmt.Errorf("reading contents: %w", err)
	}
	for _, f := range files {
		e := f.Inode.Entry
		if body, ok := again.Body(f.Inode.Layer, e.Path); ok && digest.Of(body) == e.Digest {
			img.Layers[f.Inode.Layer].KeepBody(e, body)
		}
	}
	return nil
}
