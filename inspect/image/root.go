package image

import (
	"maps"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/inspect/paths"
)

// A File is a name in the root file system that a container sees.
type File struct {
	*Entry        // the last that made the name, maybe as a hard link
	Path   string // in the root file system; Entry.Path may lead there through links
	Layer  int    // of Entry
	Inode  *Inode // what the name stands for
}

// An Inode is a file, folder or the like, under all of its names.
type Inode struct {
	*Entry          // that made it: its type, content and link target
	Layer  int      // of Entry
	Header *Entry   // the last entry that named it: owner, mode, times, attributes
	Paths  []string // all names in the root file system, sorted
}

// A Root is the root file system of an image, folded from its layers once. It does
// not change, and may be read by several goroutines.
type Root struct {
	img      *Image
	tree     *fold
	files    []File
	problems []check.Finding
	entries  []int // of each layer
}

// Root returns the root file system. [inspect.Open] has folded it; of an image that
// was made or changed by hand the next call folds, and may not be made twice at
// once.
func (img *Image) Root() *Root {
	if img.root == nil || !img.root.isOf(img.Layers) {
		img.root, _ = img.Fold()
	}
	return img.root
}

// isOf says whether the layers are those that were folded, with as many entries.
func (r *Root) isOf(layers []*Layer) bool {
	if len(layers) != len(r.entries) {
		return false
	}
	for i, l := range layers {
		if len(l.Entries) != r.entries[i] {
			return false
		}
	}
	return true
}

// Fold folds the layers, for Root to have, which is done once. The error is a
// [limit.Error]; then files are missing.
func (img *Image) Fold() (*Root, error) {
	f := foldLayers(img.Layers)
	r := &Root{img: img, tree: f, files: f.files(), problems: f.problems.All()}
	for _, l := range img.Layers {
		r.entries = append(r.entries, len(l.Entries))
	}
	img.root = r
	return r, f.err
}

// Files returns all files, sorted by path, parents first. Folders without an entry
// of their own are not among them. The slice is not to be changed.
func (r *Root) Files() []File { return r.files }

// Problems are the findings about entries that engines would place differently.
func (r *Root) Problems() []check.Finding { return r.problems }

// Lookup returns the file that a path leads to, with all links followed, in its
// last place too.
func (r *Root) Lookup(path string) (File, bool) {
	w := walk{fold: &fold{root: r.tree.root}}
	return r.file(w.from(r.tree.root, path))
}

// Name returns the file at a path, with the links on the way followed: where the
// path itself is one, the link.
func (r *Root) Name(path string) (File, bool) {
	path = paths.Clean(path)
	if path == "." {
		return r.file(r.tree.root)
	}
	dir, base := paths.Split(path)
	w := walk{fold: &fold{root: r.tree.root}}
	n := w.from(r.tree.root, dir)
	if n == nil || !n.isFolder() {
		return File{}, false
	}
	return r.file(n.children[base])
}

// Folder returns where the folder is that a path leads to through links, and the
// names in it, sorted; false when there is none. Folders without an entry of their
// own are folders too, and names that have none may lead nowhere.
func (r *Root) Folder(path string) (real string, names []string, ok bool) {
	w := walk{fold: &fold{root: r.tree.root}}
	n := w.from(r.tree.root, path)
	if n == nil || !n.isFolder() {
		return "", nil, false
	}
	names = slices.Sorted(maps.Keys(n.children))
	var parts []string
	for ; n != r.tree.root; n = n.parent {
		parts = append(parts, n.name)
	}
	slices.Reverse(parts)
	return paths.Clean(strings.Join(parts, "/")), names, true
}

func (r *Root) file(n *node) (File, bool) {
	if n == nil || n.file == 0 {
		return File{}, false
	}
	return r.files[n.file-1], true
}

// Content returns the content of the regular file that a path leads to through any
// kind of link, with the file; false when there is none, or it was not kept.
func (r *Root) Content(path string) ([]byte, File, bool) {
	f, ok := r.Lookup(path)
	if !ok {
		return nil, f, false
	}
	content, ok := r.img.Layers[f.Inode.Layer].content(f.Inode.Digest)
	return content, f, ok
}

// Files folds the layers into the root file system and returns it sorted by path,
// parents first. It is a copy of what [Root.Files] has.
func (img *Image) Files() []File { return append([]File(nil), img.Root().Files()...) }
