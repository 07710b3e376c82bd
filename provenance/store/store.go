// Package store has what the checks of an image with a store of items share,
// whichever build system the store belongs to: the names of items, what an item
// can have, and the walk along references.
//
// A store item is a file or folder directly in the store, STORE/HASH-NAME; the
// hash has 32 characters of base 32. An item never changes once it is there: its
// folders have mode 0555, its files 0444 or 0555, no extended attributes.
package store

import (
	"fmt"
	"iter"

	"audit/inspect"
)

// Index returns the items of an image by their paths.
func Index(img *inspect.Image) map[string]*inspect.StoreItem {
	items := make(map[string]*inspect.StoreItem, len(img.Items))
	for i := range img.Items {
		items[img.Items[i].Path] = &img.Items[i]
	}
	return items
}

// Files are those of a root file system, sorted by path. The zero value has none.
type Files struct {
	root    *inspect.Root
	instead map[*inspect.Entry]*inspect.Entry
}

// NewFiles returns the files of a root file system, where some entries stand for
// others.
func NewFiles(root *inspect.Root, instead map[*inspect.Entry]*inspect.Entry) Files {
	return Files{root, instead}
}

// All yields all files.
func (files Files) All() iter.Seq[inspect.File] { return files.from(0) }

// From yields the file at a path without leading slash, or where there is none the
// next, and those after it.
func (files Files) From(path string) iter.Seq[inspect.File] {
	i, _ := files.root.Search(path)
	return files.from(i)
}

func (files Files) from(i int) iter.Seq[inspect.File] {
	return func(yield func(inspect.File) bool) {
		for i := i; i < files.root.Len(); i++ {
			if !yield(files.file(i)) {
				return
			}
		}
	}
}

func (files Files) file(i int) inspect.File {
	f := files.root.File(i)
	if e, ok := files.instead[f.Entry]; ok {
		f.Entry = e
	}
	return f
}

// Len is how many files there are.
func (files Files) Len() int { return files.root.Len() }

// At returns the file at a path without leading slash.
func (files Files) At(path string) (inspect.File, bool) {
	if files.root == nil {
		return inspect.File{}, false
	}
	i, ok := files.root.Search(path)
	if !ok {
		return inspect.File{}, false
	}
	return files.file(i), true
}

// IsFile says whether there is a regular file at a path.
func (files Files) IsFile(path string) bool {
	f, ok := files.At(path)
	return ok && f.Type == '0'
}

// Architecture is that of the config; "" for an image without one.
func Architecture(img *inspect.Image) string {
	if len(img.Config.Raw) == 0 {
		return ""
	}
	return img.Config.File.Architecture
}

// Reach returns the items that roots lead to along references, roots included.
// What is not among items leads nowhere. Each item is looked at once.
func Reach(items map[string]*inspect.StoreItem, roots []string) map[string]bool {
	reached := make(map[string]bool, len(items))
	var todo []*inspect.StoreItem
	visit := func(paths []string) {
		for _, p := range paths {
			if item := items[p]; item != nil && !reached[p] {
				reached[p] = true
				todo = append(todo, item)
			}
		}
	}
	visit(roots)
	for len(todo) > 0 {
		item := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		visit(item.References)
	}
	return reached
}

// CanHold says whether a store item can have an entry of that type: files,
// folders and links.
func CanHold(e *inspect.Entry) bool {
	return e.Type == '0' || e.Type == '1' || e.Type == '2' || e.Type == '5'
}

// HasStoreMode says whether the mode of an entry is one that the store gives.
// Links have none.
func HasStoreMode(e *inspect.Entry) bool { return e.Type == '2' || e.Mode&^0o555 == 0 }

// Details returns the arguments of a finding about an entry: "bytes" of a file,
// "target" of a link.
func Details(e *inspect.Entry) []any {
	switch e.Type {
	case '0':
		return []any{"bytes", e.Size}
	case '1', '2':
		return []any{"target", e.Linkname}
	}
	return nil
}

// Mode writes a mode as findings have it: "0644".
func Mode(mode uint16) string { return fmt.Sprintf("%04o", mode) }
