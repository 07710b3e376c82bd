package image

import (
	"archive/tar"
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
	*tree
	layer    int16
	number   uint32 // in the layer, from 1 on, of the entry that is placed
	steps    int
	problems check.List
	err      error
	linked   map[InodeID]*links // inodes that have had several names

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

// foldLayers folds all layers.
func foldLayers(layers []*Layer) *fold {
	f := &fold{tree: newTree(layers), linked: make(map[InodeID]*links)}
	for i, l := range layers {
		f.layer, f.recent = int16(i), nil
		for j := range l.Entries {
			if f.number = uint32(j) + 1; f.err == nil {
				f.add(l.Entries[j])
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
		f.problems.Problem(int(f.layer), e.Path, "integrity/ambiguous-aufs-name")
	}
	switch {
	case e.Type == tar.TypeXGlobalHeader:
		f.global(dir, base, e)
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

// global passes over the records for all that follows (POSIX.1-2017, pax, "g"), as engines do:
// git archive writes such in front. Where something is at the name of the header, as its own
// records can have it, or that is a whiteout, engines first remove what they would replace.
func (f *fold) global(dir, base string, e *Entry) {
	n, _ := f.folder(dir, e, false)
	if strings.HasPrefix(base, WhiteoutPrefix) || n != nil && f.child(n, base) != nil {
		f.problems.Problem(int(f.layer), e.Path, "integrity/ambiguous-global-header")
	}
}

func (f *fold) setRoot(e *Entry) {
	if e.Type != '5' {
		f.problems.Problem(int(f.layer), e.Path, "integrity/root-no-folder")
		return
	}
	f.root.made, f.root.madeIn = f.number, f.layer
	f.set(f.root, f.layer, f.number)
	f.root.straight = true
}

// opaque hides what lower layers have in a folder. In the root overlayfs does not
// know the mark.
func (f *fold) opaque(dir string, e *Entry) {
	n, _ := f.folder(dir, e, false)
	if n == nil {
		return
	}
	if n == f.root && f.layer > 0 && n.first != 0 {
		f.problems.Problem(int(f.layer), e.Path, "integrity/ambiguous-opaque-root")
	}
	f.recent = nil
	n.hide(f.layer)
}

// finish reports what the end of a layer shows.
func (f *fold) finish() {
	for _, i := range f.implied {
		if n := i.folder; n.made != 0 && f.made(n).Type == '5' && n.layer < f.layer {
			f.problems.Problem(int(f.layer), i.entry.Path, "integrity/ambiguous-folder", "folder", f.last(n).Path)
		}
	}
	for _, e := range f.vain {
		dir, _ := paths.Split(e.Path)
		if w := (walk{fold: f}); w.from(f.root, dir) == nil {
			f.problems.Problem(int(f.layer), e.Path, "integrity/ambiguous-whiteout-parent", "folder", dir)
		}
	}
	f.implied, f.vain = nil, nil
}

// isPlain says whether a folder is as engines make one that has no entry.
func isPlain(e *Entry) bool { return e.Mode == 0o755 && e.Attr().UID == 0 && e.Attr().GID == 0 }

// remade reports a folder that the layer has deleted and has again: with overlayfs
// what lower layers have in it comes back.
func (f *fold) remade(n *node, e *Entry) {
	if n.deleted == f.layer && f.layer > 0 {
		f.problems.Problem(int(f.layer), e.Path, "integrity/ambiguous-folder-again")
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
	c := f.child(n, hidden)
	if c == nil {
		return
	}
	if c.touched == f.layer {
		f.problems.Problem(int(f.layer), e.Path, "integrity/ambiguous-whiteout", "hidden", paths.Join(dir, hidden))
	}
	f.recent = nil
	c.hide(f.layer)
	if f.isFolder(c) && c.first != 0 {
		c.deleted = f.layer
	}
	if c.layer < f.layer {
		f.remove(c, f.layer)
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
	if f.layer > 0 && (e.Type == '3' || len(e.Attr().Xattrs) > 0) {
		f.marked(f.child(n, base), e)
	}
	c := f.tree.add(n, base, f.layer, f.number)
	if e.Type == '1' && !f.isFolder(c) && paths.Clean(e.Linkname) == e.Path {
		f.problems.Problem(int(f.layer), e.Path, "integrity/dangling-hard-link", "target", e.Linkname) // engines remove the file first
		f.set(c, f.layer, f.number)
		return
	}
	if e.Type == '5' {
		f.remade(c, e)
	}
	if e.Type != '5' || !f.isFolder(c) {
		if c.made != 0 || c.first != 0 {
			f.recent = nil
		}
		f.clear(c)
		c.made = 0
	}
	f.set(c, f.layer, f.number)
	c.straight = straight
	c.made, c.madeIn = f.makes(e)
}

// marked reports a mark of overlayfs over what lower layers have, c when there is something of
// that name. Engines that give each layer a folder of its own leave the mark in it, and the
// kernel obeys it: lower files vanish, or others come in their place. For the rest it is an
// attribute or a device (Linux, Documentation/filesystems/overlayfs.rst).
func (f *fold) marked(c *node, e *Entry) {
	if f.layers[f.layer].Overlayfs {
		return
	}
	if mark := overlayMark(e, c != nil && c.touched < f.layer); mark != "" {
		f.problems.Problem(int(f.layer), e.Path, "integrity/ambiguous-overlayfs", "mark", mark)
	}
}

// overlayMark returns the mark of overlayfs that an entry has, "" for none. Some mean nothing
// where lower layers have nothing of the same name.
func overlayMark(e *Entry, over bool) string {
	if over && e.Type == '3' && e.Attr().Devmajor == 0 && e.Attr().Devminor == 0 {
		return "0/0"
	}
	for _, space := range []string{"trusted.overlay.", "user.overlay."} {
		for _, name := range []string{"redirect", "metacopy", "opaque"} {
			if value, ok := e.Attr().Xattrs[space+name]; ok && (name != "opaque" || over && value == "y") {
				return space + name
			}
		}
	}
	return ""
}

// makes returns the entry that makes what an entry stands for: itself, or of a hard link
// that which made what is at its target at this moment: the inode stays the same whatever becomes
// of the target's name.
func (f *fold) makes(e *Entry) (made uint32, layer int16) {
	if e.Type != '1' {
		return f.number, f.layer
	}
	target := paths.Clean(e.Linkname)
	dir, base := paths.Split(target)
	var at *node
	if n, _ := f.folder(dir, e, false); n != nil {
		at = f.child(n, base)
	}
	if at == nil || f.isFolder(at) {
		f.problems.Problem(int(f.layer), e.Path, "integrity/dangling-hard-link", "target", e.Linkname)
		return f.number, f.layer
	}
	if h := f.header(at); h.Mode != e.Mode && f.made(at).Type != '2' || h.Attr().UID != e.Attr().UID || h.Attr().GID != e.Attr().GID {
		f.problems.Problem(int(f.layer), e.Path, "integrity/ambiguous-hard-link", "target", e.Linkname)
	}
	inode := f.inode(at)
	if f.linked[inode] == nil {
		f.linked[inode] = new(links)
	}
	f.linked[inode].header = e
	return at.made, at.madeIn
}

// links are what is known of an inode that has had several names.
type links struct {
	header *Entry   // the last entry that named it
	paths  []string // all names in the root file system, sorted
}

// header returns the last entry that named what is at a node.
func (f *fold) header(n *node) *Entry {
	if l := f.linked[f.inode(n)]; l != nil {
		return l.header
	}
	return f.made(n)
}

// folder returns the folder at a path, with the links on the way followed; needed
// says that folders which are not there are made for e. It is nil when there is
// none, and straight when no link was on the way.
func (f *fold) folder(path string, e *Entry, needed bool) (n *node, straight bool) {
	if f.recent != nil && needed && path == f.recentPath {
		return f.recent, !f.recentLinks
	}
	w := walk{fold: f, entry: e, needed: needed}
	if n = w.from(f.root, path); n != nil && !f.isFolder(n) {
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
			n = w.parent(n)
			continue
		}
		if !w.isFolder(n) {
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
	c := w.child(n, name)
	if w.needed && (c == nil || !w.isLink(c)) {
		c = w.pass(n, name, c)
	}
	switch {
	case c == nil:
		return nil
	case w.isLink(c):
		return w.follow(n, c)
	case w.needed && !w.isFolder(c):
		w.problems.Problem(int(w.layer), w.entry.Path, "integrity/ambiguous-parent", "parent", w.last(c).Path)
		w.clear(c)
		w.remove(c, w.layer)
	}
	return c
}

// pass adds the folder of an entry, c when there is something already.
func (w *walk) pass(n *node, name string, c *node) *node {
	if c != nil && c.touched < w.layer && c.made != 0 && w.isFolder(c) && !isPlain(w.made(c)) {
		w.implied = append(w.implied, implied{c, w.entry})
	}
	c = w.tree.add(n, name, w.layer, 0)
	w.remade(c, w.entry)
	return c
}

// follow goes where a link in a folder leads. A link of a lower layer is followed
// by engines that unpack all layers into one folder, and replaced by a folder where
// each layer is unpacked on its own.
func (w *walk) follow(n, link *node) *node {
	target := w.made(link).Linkname
	w.links++
	w.steps += 1 + strings.Count(target, "/")
	switch {
	case w.steps > maxLinkSteps:
		w.err = &limit.Error{Name: "steps along symbolic links", Limit: maxLinkSteps, Where: "the root file system"}
		return nil
	case w.links > maxLinks && w.entry == nil:
		return nil
	case w.links > maxLinks:
		w.problems.Problem(int(w.layer), w.entry.Path, "integrity/link-loop", "link", w.last(link).Path)
		return nil
	case w.entry != nil && (w.needed || w.entry.Type != '1') && link.layer < w.layer:
		w.problems.Problem(int(w.layer), w.entry.Path, "integrity/ambiguous-parent-link", "link", w.last(link).Path, "target", target)
	}
	if strings.HasPrefix(target, "/") {
		n = w.root
	}
	return w.from(n, target)
}

// list lists what is in the tree, in the order of paths.
func (f *fold) list() *lister {
	l := &lister{fold: f, files: make([]uint32, 0, f.count()), real: make(map[uint32]string)}
	l.walk(f.root)
	if l.realBytes > maxRealBytes {
		f.err = &limit.Error{Name: "bytes of paths that lead through symbolic links", Limit: maxRealBytes, Where: "the root file system"}
	}
	return l
}

type lister struct {
	*fold
	files     []uint32          // their nodes
	real      map[uint32]string // paths of files to which links lead, by their nodes
	realBytes int
	open      []*node // children of the folders on the way that are not walked yet
}

// walk lists a node and what is below it.
func (l *lister) walk(n *node) {
	if n.made != 0 {
		l.files = append(l.files, n.id)
		n.file = int32(len(l.files))
		path := l.path(n)
		if names := l.linked[l.inode(n)]; names != nil {
			names.paths = append(names.paths, path)
		}
	}
	start := len(l.open)
	for c := range l.children(n) {
		l.open = append(l.open, c)
	}
	end := len(l.open)
	slices.SortFunc(l.open[start:], func(a, b *node) int { return strings.Compare(l.name(a), l.name(b)) })
	for i := start; i < end; i++ {
		if l.realBytes > maxRealBytes {
			return
		}
		l.settle(l.open[i])
		l.walk(l.open[i])
	}
	l.open = l.open[:start]
}

// path returns the path of a node: that of its entry, or where the entry led to it
// through links one that is made of the names above.
func (l *lister) path(n *node) string {
	if n.straight {
		return l.last(n).Path
	}
	var names []string
	for at := n; at != l.root; at = l.parent(at) {
		names = append(names, l.name(at))
	}
	slices.Reverse(names)
	path := strings.Join(names, "/")
	l.realBytes += len(path)
	l.real[n.id] = path
	return path
}
