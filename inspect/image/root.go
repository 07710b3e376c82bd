package image

import (
	"iter"
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
	Inode  Inode  // what the name stands for
}

// An Inode is a file, folder or the like, under all of its names.
type Inode struct {
	*Entry          // that made it: its type, content and link target
	Layer  int      // of Entry
	Header *Entry   // the last entry that named it: owner, mode, times, attributes
	Links  []string // all names in the root file system, sorted, where hard links were made to it; else nil
}

// An InodeID says which inode of an image one is: a layer can be there twice, and
// makes others each time.
type InodeID struct {
	made  *Entry
	layer int16
}

// ID says which inode it is.
func (i *Inode) ID() InodeID { return InodeID{i.Entry, int16(i.Layer)} }

// A Root is the root file system of an image, folded from its layers once. It does
// not change, and may be read by several goroutines.
type Root struct {
	img      *Image
	tree     *fold
	files    []uint32          // their nodes, sorted by path
	real     map[uint32]string // paths of those to which links lead
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
	list := f.list()
	r := &Root{img: img, tree: f, files: list.files, real: list.real, problems: f.problems.All()}
	for _, l := range img.Layers {
		r.entries = append(r.entries, len(l.Entries))
	}
	img.root = r
	return r, f.err
}

// Files yields all files, sorted by path, parents first. Folders without an entry of
// their own are not among them.
func (r *Root) Files() iter.Seq[File] {
	return func(yield func(File) bool) {
		for i := range r.files {
			if !yield(r.File(i)) {
				return
			}
		}
	}
}

// Len is how many files there are.
func (r *Root) Len() int { return len(r.files) }

// File returns a file by its place among all.
func (r *Root) File(i int) File {
	n := r.tree.node(r.files[i])
	made := r.tree.made(n)
	f := File{Entry: r.tree.last(n), Path: r.path(n), Layer: int(n.layer), Inode: Inode{Entry: made, Layer: int(n.madeIn), Header: made}}
	if l := r.tree.linked[f.Inode.ID()]; l != nil {
		f.Inode.Header, f.Inode.Links = l.header, l.paths
	}
	return f
}

func (r *Root) path(n *node) string {
	if n.straight {
		return r.tree.last(n).Path
	}
	return r.real[n.id]
}

// Search returns the place of the file at a path, followed by what is in it. Where
// there is none ok is false, and the place is that of the next. No link is followed.
func (r *Root) Search(path string) (i int, ok bool) {
	if n := r.node(path); n != nil && n.file != 0 {
		return int(n.file) - 1, true
	}
	return slices.BinarySearchFunc(r.files, path, func(id uint32, path string) int {
		return paths.Compare(r.path(r.tree.node(id)), path)
	})
}

// node returns what the tree has at a path, seen or not; nil when nothing.
func (r *Root) node(path string) *node {
	n := r.tree.root
	if path == "." {
		return n
	}
	for name := range strings.SplitSeq(path, "/") {
		if n = r.tree.find(n, name); n == nil {
			return nil
		}
	}
	return n
}

// Problems are the findings about entries that engines would place differently.
func (r *Root) Problems() []check.Finding { return r.problems }

// Lookup returns the file that a path leads to, with all links followed, in its
// last place too.
func (r *Root) Lookup(path string) (File, bool) {
	w := walk{fold: &fold{tree: r.tree.tree}}
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
	w := walk{fold: &fold{tree: r.tree.tree}}
	n := w.from(r.tree.root, dir)
	if n == nil || !r.tree.isFolder(n) {
		return File{}, false
	}
	return r.file(r.tree.find(n, base))
}

// Folder returns where the folder is that a path leads to through links, and the
// names in it, sorted; false when there is none. Folders without an entry of their
// own are folders too, and names that have none may lead nowhere.
func (r *Root) Folder(path string) (real string, names []string, ok bool) {
	w := walk{fold: &fold{tree: r.tree.tree}}
	n := w.from(r.tree.root, path)
	if n == nil || !r.tree.isFolder(n) {
		return "", nil, false
	}
	for c := range r.tree.children(n) {
		names = append(names, r.tree.name(c))
	}
	slices.Sort(names)
	var parts []string
	for ; n != r.tree.root; n = r.tree.parent(n) {
		parts = append(parts, r.tree.name(n))
	}
	slices.Reverse(parts)
	return paths.Clean(strings.Join(parts, "/")), names, true
}

func (r *Root) file(n *node) (File, bool) {
	if n == nil || n.file == 0 {
		return File{}, false
	}
	return r.File(int(n.file) - 1), true
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

// Note returns what was noted of the content of a file while it was read, as far as
// Options.Watch asked for it; nil for nothing.
func (r *Root) Note(f File) []byte { return r.img.Layers[f.Inode.Layer].notes[f.Inode.Digest] }

// Files folds the layers into the root file system and returns it sorted by path,
// parents first. [Root.Files] has the same, one at a time.
func (img *Image) Files() []File {
	return slices.AppendSeq(make([]File, 0, img.Root().Len()), img.Root().Files())
}
