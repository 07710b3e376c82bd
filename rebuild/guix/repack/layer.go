package repack

import (
	"archive/tar"
	"maps"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/guix/profile"
	"audit/rebuild/gnutar"
)

// storeDir is where Guix keeps store items.
const storeDir = "/gnu/store/"

// A layerCheck packs one layer again and compares the outcome with it.
type layerCheck struct {
	layer *inspect.Layer
	style style
	era   era
	items bool  // store items belong into this layer
	extra extra // what else belongs into it
	out   *check.List

	seen     map[string]int // path → index of its first entry
	repeats  map[int]int    // index of an entry that the packer writes again → index of the first
	open     []folder       // the folders around the entry in hand
	roots    []string       // entries that began an argument of tar
	weights  []weight       // of the items, in order
	unsorted bool           // the entries of some folder are not in the order of strcmp
}

// A folder is one whose entries are being read.
type folder struct {
	path string
	last string // base name of its latest entry
	shape
}

// run reports whether the packer, too, would have made the layer as it is.
func (c *layerCheck) run() bool {
	before := c.out.Count(check.Problem)
	if c.era.named {
		c.walkNamed()
	} else {
		c.walk()
		c.checkArguments()
	}
	c.checkMissing()
	c.checkFrame(c.layer.Frame.Open())
	return c.out.Count(check.Problem) == before
}

func (c *layerCheck) problem(path, code string, args ...any) {
	c.out.Problem(c.layer.Index, path, code, args...)
}

// walk follows the entries in the way that tar goes through folders: a
// folder's header, then each of its entries with all that is below.
func (c *layerCheck) walk() {
	c.seen = make(map[string]int, len(c.layer.Entries))
	for i := range c.layer.Entries {
		e := &c.layer.Entries[i]
		if first, ok := c.seen[e.Path]; ok {
			c.problem(e.Path, "repack/duplicate-entry", "entry", i, "first", first)
			continue
		}
		c.seen[e.Path] = i
		if c.belongs(e) && c.place(e) {
			c.weigh(e)
		}
	}
	c.close(0)
}

// belongs says whether the packer puts an entry of this path into this layer.
func (c *layerCheck) belongs(e *inspect.Entry) bool {
	_, ok := c.extra.nodes[e.Path]
	switch {
	case ok:
		return true
	case itemOf(e.Path) == "":
		c.problem(e.Path, "repack/unexpected-entry")
	case !c.items:
		c.problem(e.Path, "repack/unexpected-item")
	default:
		return true
	}
	return false
}

// place finds the open folder that an entry belongs into, and opens the entry
// when it is a folder itself. It reports whether the entry stands where tar
// would have put it.
func (c *layerCheck) place(e *inspect.Entry) bool {
	if c.isRoot(e.Path) {
		c.close(0)
		c.roots = append(c.roots, e.Path)
	} else if !c.enter(e.Path) {
		return false
	}
	if itemOf(e.Path) == "/"+e.Path {
		c.weights = append(c.weights, weight{path: "/" + e.Path, layer: c.layer.Index})
	}
	if e.Type == tar.TypeDir {
		c.open = append(c.open, folder{path: inFolder(e.Path)})
	}
	return true
}

// inFolder is what the parent of an entry in a folder is called: nothing for
// the root.
func inFolder(path string) string {
	if path == "." {
		return ""
	}
	return path
}

// depth is how many folders lead to a path.
func depth(path string) int {
	if path == "" {
		return 0
	}
	return 1 + strings.Count(path, "/")
}

// isRoot says whether the packer names this path on tar's command line.
func (c *layerCheck) isRoot(path string) bool {
	switch {
	case c.era.fromRoot:
		return path == "."
	case c.era.named:
		return path == "gnu/store"
	}
	if c.extra.bare[path] || !strings.Contains(path, "/") {
		return true
	}
	return itemOf(path) == "/"+path
}

// enter returns to the open folder that path belongs into.
func (c *layerCheck) enter(path string) bool {
	dir := parent(path)
	k := -1
	if len(c.open) > 0 { // each is in the one before
		k = depth(dir) - depth(c.open[0].path)
	}
	if k < 0 || k >= len(c.open) || c.open[k].path != dir {
		c.problem(path, "repack/entry-outside-folder", "folder", dir)
		return false
	}
	c.close(k + 1)
	f, base := &c.open[k], strings.TrimPrefix(path[len(dir):], "/")
	f.grow(base)
	if base > f.last {
		f.last = base
		return true
	}
	if c.style.sorted {
		c.problem(path, "repack/entry-order", "after", dir+"/"+f.last, "packer", "tar --sort=name")
	}
	c.unsorted = true
	return !c.style.sorted
}

// close leaves the open folders from k on.
func (c *layerCheck) close(k int) {
	for _, f := range c.open[min(k, len(c.open)):] {
		if n := len(c.weights); n > 0 && itemOf(f.path) != "" {
			c.weights[n-1].addFolder(f.shape)
		}
	}
	c.open = c.open[:min(k, len(c.open))]
}

// weigh adds what lstat(2) says of an entry's size to its item.
func (c *layerCheck) weigh(e *inspect.Entry) {
	if itemOf(e.Path) == "" {
		return
	}
	w := &c.weights[len(c.weights)-1]
	switch e.Type {
	case tar.TypeReg:
		w.content += e.Size
	case tar.TypeSymlink:
		w.content += int64(len(e.Linkname))
	case tar.TypeLink:
		if i, ok := c.seen[e.Linkname]; ok {
			w.content += c.layer.Entries[i].Size
		}
	}
}

// checkArguments compares the order of what was named on tar's command line.
func (c *layerCheck) checkArguments() {
	var items, known []string
	for _, p := range c.roots {
		if itemOf(p) != "" {
			items = append(items, p)
		}
	}
	made := c.extra.arguments(c.roots, c.era)
	due := slices.Concat(items, made)
	if c.era.extraFirst {
		due = slices.Concat(made, items)
	}
	for _, p := range due {
		if _, ok := c.seen[p]; ok { // what is missing is another finding
			known = append(known, p)
		}
	}
	for i, p := range c.roots {
		if i >= len(known) || p != known[i] {
			c.problem(p, "repack/argument-order", "number", i+1, "packer", c.era.name, "want", at(known, i))
			return
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// checkMissing reports what the packer would have made and the layer lacks.
func (c *layerCheck) checkMissing() {
	for _, p := range slices.Sorted(maps.Keys(c.extra.nodes)) {
		if _, ok := c.seen[p]; !ok {
			c.problem(p, "repack/missing-entry", "packer", c.era.name)
		}
	}
}

// due returns the header that the packer writes for entry i. It is false when
// there is none: the packer would not write such an entry at all.
func (c *layerCheck) due(i int) (gnutar.Header, bool) {
	e := &c.layer.Entries[i]
	n, ok := c.extra.nodes[e.Path]
	var h gnutar.Header
	switch {
	case ok:
		h = n.header(e)
	case itemOf(e.Path) == "" || !c.items:
		return gnutar.Header{}, false
	default:
		if h, ok = c.storeHeader(i, e); !ok {
			return gnutar.Header{}, false
		}
	}
	if c.style.shared {
		h.Mode = shareMode(h.Mode)
	}
	if first, again := c.repeats[i]; again {
		h = c.repeated(h, &c.layer.Entries[first])
	}
	if c.era.dotted {
		h.Name = "./" + strings.TrimPrefix(h.Name, "./")
	}
	o := c.style.owner
	h.UID, h.GID, h.Uname, h.Gname = o.uid, o.gid, o.uname, o.gname
	return h, true
}

// storeHeader returns the header for an entry of a store item, in the normal
// form that the daemon gives to all (nix/libstore/local-store.cc,
// canonicalisePathMetaData).
func (c *layerCheck) storeHeader(i int, e *inspect.Entry) (gnutar.Header, bool) {
	h := gnutar.Header{Name: e.Path, Mode: inspect.StoreMode(e), Kind: e.Type, Time: 1}
	switch e.Type {
	case tar.TypeReg:
		h.Size = e.Size
	case tar.TypeDir:
		h.Name += "/"
	case tar.TypeSymlink:
		h.Link = e.Linkname
	case tar.TypeLink:
		target := c.linkTarget(i, e)
		if target == nil {
			return gnutar.Header{}, false
		}
		h.Mode, h.Link = inspect.StoreMode(target), e.Linkname
	default:
		c.problem(e.Path, "repack/unexpected-type", "type", string(rune(e.Type)))
		return gnutar.Header{}, false
	}
	return h, true
}

// linkTarget returns the entry that a hard link stands for, nil where the packer
// would not have written the link.
func (c *layerCheck) linkTarget(i int, e *inspect.Entry) *inspect.Entry {
	k, known := c.seen[e.Linkname]
	switch {
	case !c.style.linked:
		c.problem(e.Path, "repack/hard-link-dereferenced", "target", e.Linkname, "packer", c.era.name)
		return nil
	case !known || k >= i:
		c.problem(e.Path, "repack/hard-link-target", "target", e.Linkname)
		return nil
	}
	target := &c.layer.Entries[k]
	switch {
	case target.Type != tar.TypeReg && target.Type != tar.TypeSymlink:
		c.problem(e.Path, "repack/hard-link-type", "target", e.Linkname)
	case c.style.perItem && itemOf(target.Path) != itemOf(e.Path):
		c.problem(e.Path, "repack/hard-link-item", "target", e.Linkname, "packer", c.era.name)
	default:
		return target
	}
	return nil
}

// shareMode does what --mode=go+u,go-w does.
func shareMode(mode int64) int64 {
	user := mode >> 6 & 7
	return (mode | user<<3 | user) &^ 0o022
}

// itemOf returns the store item that path is in or is, "" when in none.
func itemOf(path string) string { return profile.Store().ItemOf(path) }
