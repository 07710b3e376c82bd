package inspect

import (
	"cmp"
	"slices"
	"strings"
)

// A File is an entry of the folded root file system: what a container sees
// after all layers are laid over each other.
type File struct {
	*Entry
	Layer int // the layer whose entry won
}

// Whiteouts, as the OCI image-spec v1.1 (layer.md) has them.
const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
)

// Files folds the layers into the root file system and returns it sorted by
// path, parents first. Whiteouts and opaque folders are obeyed and do not
// appear themselves. In one layer a later entry of the same path wins.
func (img *Image) Files() []File {
	root := new(node)
	count := 0
	for _, layer := range img.Layers {
		hideLower(root, layer)
		for i := range layer.Entries {
			if e := &layer.Entries[i]; !isWhiteout(e) {
				root.put(e, layer.Index)
				count++
			}
		}
	}
	files := root.collect(make([]File, 0, count))
	slices.SortFunc(files, func(a, b File) int { return ComparePaths(a.Path, b.Path) })
	return files
}

// ComparePaths orders paths so that a folder comes before what is in it and
// what is in it before any sibling: "a", "a/b", "a-b".
func ComparePaths(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		if a[i] == '/' {
			return -1
		}
		if b[i] == '/' {
			return 1
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}

// A node is a name in the tree of the root file system.
type node struct {
	entry    *Entry
	layer    int
	children map[string]*node
}

func (n *node) put(e *Entry, layer int) {
	at := n
	if e.Path != "." {
		for name := range strings.SplitSeq(e.Path, "/") {
			at = at.child(name)
		}
	}
	if e.Type != '5' {
		at.children = nil
	}
	at.entry, at.layer = e, layer
}

func (n *node) child(name string) *node {
	if n.children == nil {
		n.children = make(map[string]*node)
	}
	c := n.children[name]
	if c == nil {
		c = new(node)
		n.children[name] = c
	}
	return c
}

func (n *node) find(path string) *node {
	if path == "." {
		return n
	}
	for name := range strings.SplitSeq(path, "/") {
		if n = n.children[name]; n == nil {
			return nil
		}
	}
	return n
}

func (n *node) collect(files []File) []File {
	if n.entry != nil {
		files = append(files, File{n.entry, n.layer})
	}
	for _, c := range n.children {
		files = c.collect(files)
	}
	return files
}

// hideLower removes what a layer's whiteouts and opaque markers hide. They act
// on the layers below only, wherever they stand in their own layer.
func hideLower(root *node, layer *Layer) {
	for i := range layer.Entries {
		dir, base := splitPath(layer.Entries[i].Path)
		hidden, ok := strings.CutPrefix(base, whiteoutPrefix)
		if !ok {
			continue
		}
		parent := root.find(dir)
		switch {
		case parent == nil:
		case base == opaqueMarker:
			parent.children = nil
		default:
			delete(parent.children, hidden)
		}
	}
}

func isWhiteout(e *Entry) bool {
	_, base := splitPath(e.Path)
	return strings.HasPrefix(base, whiteoutPrefix)
}

func splitPath(path string) (dir, base string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return ".", path
}
