package image

import (
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/inspect/limit"
	"audit/inspect/paths"
)

// Whiteouts, as the OCI image-spec v1.1 (layer.md) has them.
const (
	WhiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
	aufsPrefix     = ".wh..wh." // of AUFS's own names, in the root; some engines leave out what is below
)

// Limits of a fold. Linux follows 40 links in one path.
const (
	maxLinks     = 40
	maxLinkSteps = 64 << 20  // components of link targets that are walked, in all
	maxRealBytes = 128 << 20 // of paths that lead through links, in all
)

// A fold lays the layers on each other, entry by entry, as an engine unpacks them
// into one folder (containerd 1.7 archive/tar.go, moby pkg/archive/diff.go): links
// on the way to an entry are followed, what its own name leads to is replaced, and
// a whiteout hides what lower layers have. Each entry costs the bytes of its path;
// what following links costs has a limit.
type fold struct {
	root     *node
	layer    int
	steps    int
	problems check.List
	err      error

	// The folder of the entry before, which is nearly always that of the next too.
	// It is forgotten when anything is replaced or removed.
	recent      *node
	recentPath  string
	recentLinks bool

	// What only the end of the layer decides: entries in folders that it may not
	// have itself, and whiteouts in folders that may not be there.
	implied []implied
	vain    []*Entry
}

// An implied folder is one of a lower layer, in which an entry lies.
type implied struct {
	folder *node
	entry  *Entry
}

// A node is a name in the tree under construction.
type node struct {
	parent   *node
	name     string
	children map[string]*node
	inode    *Inode // nil where there is no entry: a folder that merely has to be there
	entry    *Entry // by which the name was made last
	layer    int    // of entry, or that needed the folder
	touched  int    // the last layer that has something here or below
	below    int    // what lower layers than this have below is hidden
	deleted  int    // the layer that has a whiteout of this full folder; 0 when none has
	straight bool   // no link leads to the node: its path is that of its entry
	file     int    // its place among the files, from 1 on
}

func (n *node) isFolder() bool { return n.inode == nil || n.inode.Type == '5' }

func (n *node) isLink() bool { return n.inode != nil && n.inode.Type == '2' && n.inode.Linkname != "" }

// child returns what a folder has under a name, nil when nothing. What is hidden
// there is no more than a folder that may have to be there.
func (n *node) child(name string) *node {
	c := n.children[name]
	if c == nil {
		return nil
	}
	if c.below < n.below {
		c.below = n.below
	}
	if c.layer < n.below {
		c.remove(n.below)
	}
	return c
}

// hide hides what lower layers than this have below a node.
func (n *node) hide(layer int) { n.below = max(n.below, layer) }

// remove makes a node a folder that merely has to be there.
func (n *node) remove(layer int) { n.inode, n.entry, n.layer = nil, nil, layer }

// add returns what a folder has under a name; where there is nothing, a folder.
func (n *node) add(name string, layer int) *node {
	c := n.child(name)
	if c == nil {
		c = &node{parent: n, name: name, layer: layer, below: n.below}
		if n.children == nil {
			n.children = make(map[string]*node)
		}
		n.children[name] = c
	}
	c.touched = layer
	return c
}

// foldLayers folds all layers.
func foldLayers(layers []*Layer) *fold {
	f := &fold{root: &node{touched: -1}}
	f.root.parent = f.root
	for i, l := range layers {
		f.layer, f.recent = i, nil
		for j := range l.Entries {
			if f.err == nil {
				f.add(&l.Entries[j])
			}
		}
		f.finish()
	}
	return f
}

func (f *fold) add(e *Entry) {
	dir, base := paths.Split(e.Path)
	hidden, isWhiteout := strings.CutPrefix(base, WhiteoutPrefix)
	if strings.HasPrefix(e.Path, aufsPrefix) && dir != "." {
		f.problems.Problem(f.layer, e.Path, "integrity/ambiguous-aufs-name")
	}
	switch {
	case base == opaqueMarker:
		f.opaque(dir, e)
	case isWhiteout:
		f.whiteout(dir, hidden, e)
	case e.Path == ".":
		f.setRoot(e)
	default:
		f.place(dir, base, e)
	}
}

func (f *fold) setRoot(e *Entry) {
	if e.Type != '5' {
		f.problems.Problem(f.layer, e.Path, "integrity/root-no-folder")
		return
	}
	f.root.inode, f.root.entry, f.root.layer = f.inode(e), e, f.layer
	f.root.straight = true
}

// opaque hides what lower layers have in a folder. In the root overlayfs does not
// know the mark.
func (f *fold) opaque(dir string, e *Entry) {
	n, _ := f.folder(dir, e, false)
	if n == nil {
		return
	}
	if n == f.root && f.layer > 0 && len(n.children) > 0 {
		f.problems.Problem(f.layer, e.Path, "integrity/ambiguous-opaque-root")
	}
	f.recent = nil
	n.hide(f.layer)
}

// finish reports what the end of a layer shows.
func (f *fold) finish() {
	for _, i := range f.implied {
		if n := i.folder; n.inode != nil && n.inode.Type == '5' && n.layer < f.layer {
			f.problems.Problem(f.layer, i.entry.Path, "integrity/ambiguous-folder", "folder", n.entry.Path)
		}
	}
	for _, e := range f.vain {
		dir, _ := paths.Split(e.Path)
		if w := (walk{fold: f}); w.from(f.root, dir) == nil {
			f.problems.Problem(f.layer, e.Path, "integrity/ambiguous-whiteout-parent", "folder", dir)
		}
	}
	f.implied, f.vain = nil, nil
}

// isPlain says whether a folder is as engines make one that has no entry.
func isPlain(e *Entry) bool { return e.Mode == 0o755 && e.UID == 0 && e.GID == 0 }

// remade reports a folder that the layer has deleted and has again: with overlayfs
// what lower layers have in it comes back.
func (f *fold) remade(n *node, e *Entry) {
	if n.deleted == f.layer && f.layer > 0 {
		f.problems.Problem(f.layer, e.Path, "integrity/ambiguous-folder-again")
		n.deleted = 0
	}
}

// whiteout hides what lower layers have under a name. Where the same layer has
// something there, engines remove it, keep it or fail.
func (f *fold) whiteout(dir, hidden string, e *Entry) {
	if !IsName(hidden) {
		return
	}
	n, _ := f.folder(dir, e, false)
	if n == nil {
		f.vain = append(f.vain, e)
		return
	}
	c := n.child(hidden)
	if c == nil {
		return
	}
	if c.touched == f.layer {
		f.problems.Problem(f.layer, e.Path, "integrity/ambiguous-whiteout", "hidden", paths.Join(dir, hidden))
	}
	f.recent = nil
	c.hide(f.layer)
	if c.isFolder() && len(c.children) > 0 {
		c.deleted = f.layer
	}
	if c.layer < f.layer {
		c.remove(f.layer)
	}
}

// IsName says whether a whiteout can hide something of this name: not the
// folder that it is in, nor the one above.
func IsName(hidden string) bool { return hidden != "" && hidden != "." && hidden != ".." }

func (f *fold) place(dir, base string, e *Entry) {
	n, straight := f.folder(dir, e, true)
	if n == nil {
		return
	}
	c := n.add(base, f.layer)
	if e.Type == '1' && !c.isFolder() && paths.Clean(e.Linkname) == e.Path {
		f.problems.Problem(f.layer, e.Path, "integrity/dangling-hard-link", "target", e.Linkname) // engines remove the file first
		c.entry, c.layer = e, f.layer
		return
	}
	if e.Type == '5' {
		f.remade(c, e)
	}
	if e.Type != '5' || !c.isFolder() {
		if c.inode != nil || c.children != nil {
			f.recent = nil
		}
		c.children = nil
		c.remove(f.layer)
	}
	c.inode = f.inode(e)
	c.entry, c.layer, c.straight = e, f.layer, straight
}

// inode returns what an entry makes, or for a hard link what is at its target at
// this moment: the inode stays the same whatever becomes of the target's name.
func (f *fold) inode(e *Entry) *Inode {
	if e.Type != '1' {
		return &Inode{Entry: e, Layer: f.layer, Header: e}
	}
	target := paths.Clean(e.Linkname)
	dir, base := paths.Split(target)
	var at *node
	if n, _ := f.folder(dir, e, false); n != nil {
		at = n.child(base)
	}
	if at == nil || at.isFolder() {
		f.problems.Problem(f.layer, e.Path, "integrity/dangling-hard-link", "target", e.Linkname)
		return &Inode{Entry: e, Layer: f.layer, Header: e}
	}
	if h := at.inode.Header; h.Mode != e.Mode && at.inode.Type != '2' || h.UID != e.UID || h.GID != e.GID {
		f.problems.Problem(f.layer, e.Path, "integrity/ambiguous-hard-link", "target", e.Linkname)
	}
	at.inode.Header = e
	return at.inode
}

// folder returns the folder at a path, with the links on the way followed; needed
// says that folders which are not there are made for e. It is nil when there is
// none, and straight when no link was on the way.
func (f *fold) folder(path string, e *Entry, needed bool) (n *node, straight bool) {
	if f.recent != nil && needed && path == f.recentPath {
		return f.recent, !f.recentLinks
	}
	w := walk{fold: f, entry: e, needed: needed}
	if n = w.from(f.root, path); n != nil && !n.isFolder() {
		n = nil
	}
	if needed {
		f.recent, f.recentPath, f.recentLinks = n, path, w.links > 0
	}
	return n, w.links == 0
}

// A walk follows one path, and the links on it.
type walk struct {
	*fold
	entry  *Entry // that is to be placed; nil for a look at the finished tree
	needed bool
	links  int
}

func (w *walk) from(n *node, path string) *node {
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
			continue
		case "..":
			n = n.parent
			continue
		}
		if !n.isFolder() {
			return nil
		}
		if n = w.step(n, part); n == nil {
			return nil
		}
	}
	return n
}

// step goes from a folder to one in it.
func (w *walk) step(n *node, name string) *node {
	c := n.child(name)
	if w.needed && (c == nil || !c.isLink()) {
		c = w.pass(n, name, c)
	}
	switch {
	case c == nil:
		return nil
	case c.isLink():
		return w.follow(n, c)
	case w.needed && !c.isFolder():
		w.problems.Problem(w.layer, w.entry.Path, "integrity/ambiguous-parent", "parent", c.entry.Path)
		c.children = nil
		c.remove(w.layer)
	}
	return c
}

// pass adds the folder of an entry, c when there is something already.
func (w *walk) pass(n *node, name string, c *node) *node {
	if c != nil && c.touched < w.layer && c.inode != nil && c.isFolder() && !isPlain(c.inode.Header) {
		w.implied = append(w.implied, implied{c, w.entry})
	}
	c = n.add(name, w.layer)
	w.remade(c, w.entry)
	return c
}

// follow goes where a link in a folder leads. A link of a lower layer is followed
// by engines that unpack all layers into one folder, and replaced by a folder where
// each layer is unpacked on its own.
func (w *walk) follow(n, link *node) *node {
	target := link.inode.Linkname
	w.links++
	w.steps += 1 + strings.Count(target, "/")
	switch {
	case w.steps > maxLinkSteps:
		w.err = &limit.Error{Name: "steps along symbolic links", Limit: maxLinkSteps, Where: "the root file system"}
		return nil
	case w.links > maxLinks && w.entry == nil:
		return nil
	case w.links > maxLinks:
		w.problems.Problem(w.layer, w.entry.Path, "integrity/link-loop", "link", link.entry.Path)
		return nil
	case w.entry != nil && (w.needed || w.entry.Type != '1') && link.layer < w.layer:
		w.problems.Problem(w.layer, w.entry.Path, "integrity/ambiguous-parent-link", "link", link.entry.Path, "target", target)
	}
	if strings.HasPrefix(target, "/") {
		n = w.root
	}
	return w.from(n, target)
}

// files lists what is in the tree, in the order of paths.
func (f *fold) files() []File {
	l := lister{files: make([]File, 0, f.root.count())}
	l.walk(f.root)
	if l.realBytes > maxRealBytes {
		f.err = &limit.Error{Name: "bytes of paths that lead through symbolic links", Limit: maxRealBytes, Where: "the root file system"}
	}
	return l.files
}

// count is how many nodes there are from this one on.
func (n *node) count() int {
	count := 1
	for _, c := range n.children {
		count += c.count()
	}
	return count
}

type lister struct {
	files     []File
	realBytes int
}

// walk lists a node and what is below it.
func (l *lister) walk(n *node) {
	if n.inode != nil {
		path := l.path(n)
		l.files = append(l.files, File{Entry: n.entry, Path: path, Layer: n.layer, Inode: n.inode})
		n.inode.Paths = append(n.inode.Paths, path)
		n.file = len(l.files)
	}
	names := make([]string, 0, len(n.children))
	for name := range n.children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if l.realBytes > maxRealBytes {
			return
		}
		l.walk(n.child(name))
	}
}

// path returns the path of a node: that of its entry, or where the entry led to it
// through links one that is made of the names above.
func (l *lister) path(n *node) string {
	if n.straight {
		return n.entry.Path
	}
	var names []string
	for ; n.parent != n; n = n.parent {
		names = append(names, n.name)
	}
	slices.Reverse(names)
	path := strings.Join(names, "/")
	l.realBytes += len(path)
	return path
}
