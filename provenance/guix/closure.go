package guix

import (
	"path"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	storepath "audit/inspect/store"
	"audit/provenance"
	"audit/provenance/guix/profile"
	"audit/provenance/ospackages"
	"audit/provenance/store"
)

// A closureCheck gathers what the check closure finds. It answers: is every
// file of the image in a store item that the profile leads to, or one that the
// packer itself makes, and is all in the image that its store items refer to?
type closureCheck struct {
	*view
	provenance.Closure
	pack    Pack
	layout  Layout             // what the packer makes beside the store items
	reached map[string]bool    // store items that the root leads to
	script  string             // store item of a squashfs that sets the environment
	first   map[string]layered // the first entry of each path in the store
	lowest  map[string]int     // the lowest layer that has something of the store at or below a path

	entries int   // of all layers
	store   int   // of them, explained as part of a store item
	packer  int   // of them, explained as made by the packer
	bytes   int64 // of the entries explained, headers and contents
	rows    int   // of the store's database, where the image has one
}

// closure makes the check of that name. The profile is nil when there is none
// that could be read.
func (v *view) closure(recipe *provenance.Recipe, p *profile.Profile) (check.Check, map[string]provenance.Standing) {
	pack, _ := PackOf(*recipe)
	if pack.Root == "" {
		return check.Check{ID: check.Closure, Status: check.Unknown, Reasons: []check.Message{check.Say("closure/no-root")}}, nil
	}
	c := &closureCheck{view: v, pack: pack, layout: NewLayout(pack), reached: store.Reach(v.items, v.closureRoots(pack)),
		first: make(map[string]layered), lowest: make(map[string]int)}
	if item, ok := v.environment(pack); ok {
		c.script = item
		c.layout.add(environmentLink, linkTo(RelativeName("/"+path.Dir(environmentLink), item)))
	}
	c.Claimed = c.rulesKnown() && recipe.Status == provenance.Complete
	for _, l := range v.img.Layers {
		c.layer(l)
	}
	c.storeItems()
	c.references()
	c.packagesOf(p)
	c.database()
	derived := c.profiles()
	return c.conclude(), derived
}

// closureRoots returns the store items that belong into the image for what
// they are. The config of a pack names nothing but its profile; that of a
// system names the program that boots it. A squashfs has a script that sets the
// environment, which names the profile.
func (v *view) closureRoots(p Pack) []string {
	roots := []string{p.Root}
	if item, ok := v.environment(p); ok {
		roots = append(roots, item)
	}
	for _, r := range v.img.Loose {
		if r.Layer < 0 && storepath.NameOf(p.Root) == "system" {
			roots = append(roots, r.To)
		}
	}
	return roots
}

// A layered entry is one with the layer that has it.
type layered struct {
	*inspect.Entry
	layer int
}

// overlay finds an entry that changes what the layers below have in the
// store, where nothing ever changes. A hard link stands for the file that it
// leads to, which is compared itself.
func (c *closureCheck) overlay(layer int, e *inspect.Entry) {
	item := c.img.Stores.ItemOf(e.Path)
	below, ok := c.first[e.Path]
	switch {
	case strings.HasPrefix(path.Base(e.Path), ".wh."):
	case item == "" && e.Type != '5' && c.isBelow(layer, e.Path):
		c.Problem(layer, e.Path, "closure/store-folder-replaced")
	case item == "":
	case !ok && c.isBelow(layer, item[1:]):
		c.Problem(layer, e.Path, "closure/store-item-extended")
	case !ok:
		c.noteEntry(layer, e)
	case below.layer == layer || e.Type == '1' || below.Type == '1':
	case e.Type != below.Type || e.Linkname != below.Linkname || e.Digest != below.Digest || e.Type == '0' && (e.Mode^below.Mode)&0o111 != 0:
		c.Problem(layer, e.Path, "closure/store-item-overlaid", "below", strconv.Itoa(below.layer))
	}
}

// noteEntry notes the first entry of a path in the store, and that something is below
// the folders that it is in.
func (c *closureCheck) noteEntry(layer int, e *inspect.Entry) {
	c.first[e.Path] = layered{e, layer}
	for p := e.Path; ; p = path.Dir(p) {
		if _, known := c.lowest[p]; known {
			break
		}
		c.lowest[p] = layer
	}
}

// isBelow says whether the layers below one have something of the store at or
// below a path.
func (c *closureCheck) isBelow(layer int, p string) bool {
	lowest, known := c.lowest[p]
	return known && lowest < layer
}

// hides says whether an entry of a layer removes something of the store in the
// layers below.
func (c *closureCheck) hides(layer int, e *inspect.Entry) bool {
	dir, base := path.Split(e.Path)
	name, ok := strings.CutPrefix(base, ".wh.")
	if !ok {
		return false
	}
	gone := dir + name
	if name == ".wh..opq" {
		gone = path.Clean(dir)
	}
	return c.isBelow(layer, gone)
}

func (c *closureCheck) layer(l *inspect.Layer) {
	if l.Broken != nil {
		c.Append(provenance.UnreadLayer(l))
	}
	for i := range l.Entries {
		if len(c.img.Layers) > 1 {
			c.overlay(l.Index, l.Entries[i])
		}
	}
	if c.isBase(l) {
		c.base(l)
		return
	}
	for i := range l.Entries {
		e := l.Entries[i]
		c.entries++
		switch item := c.img.Stores.ItemOf(e.Path); {
		case strings.HasPrefix(path.Base(e.Path), ".wh."):
			c.Problem(l.Index, e.Path, "closure/whiteout")
		case len(e.Attr().Xattrs) > 0:
			c.Problem(l.Index, e.Path, "closure/extended-attributes", "count", len(e.Attr().Xattrs))
		case item == "":
			c.outside(l.Index, e)
		default:
			c.inside(l.Index, e, item)
		}
	}
}

// contradict adds an entry that the packer would not have made as it is. Where not
// all rules of the packer are known, that only leaves it undecided.
func (c *closureCheck) contradict(layer int, path, code string, args ...any) {
	if c.rulesKnown() {
		c.Problem(layer, path, code, args...)
		return
	}
	c.Undecided(layer, path, code, args...)
}

// rulesKnown says whether all is known that the packer makes.
func (c *closureCheck) rulesKnown() bool {
	switch c.pack.Format {
	case formatDocker, formatTarball, formatSquashfs, formatExport:
		return true
	}
	return false
}

// isBase says whether a layer is one that the layers of a pack were put on, or
// that was put on them, by another tool: it has nothing of the store.
func (c *closureCheck) isBase(l *inspect.Layer) bool {
	return c.pack.Format == formatLayers && !c.holdsItems(l) && !c.isLayout(l)
}

// isLayout says whether all that a layer has is what the packer makes.
func (c *closureCheck) isLayout(l *inspect.Layer) bool {
	for i := range l.Entries {
		if e := l.Entries[i]; !c.layout.has(e) {
			return false
		}
	}
	return true
}

// base finds such a layer as a whole, and those of its entries one by one that no
// package owns and an intruder would want.
func (c *closureCheck) base(l *inspect.Layer) {
	c.entries += len(l.Entries)
	for i := range l.Entries {
		e := l.Entries[i]
		if c.hides(l.Index, e) {
			c.Problem(l.Index, e.Path, "closure/store-whiteout")
		}
		if owner, _ := c.packages().Owner(e.Path); owner == nil {
			c.Unowned(c.img, l.Index, e, append(store.Details(e), "why", "rights/base")...)
		}
	}
	c.Undecided(l.Index, l.Member, "closure/base-layer", "entries", len(l.Entries), "bytes", l.UncompressedSize)
}

// packages are those of a distribution that an image beside a pack's layers has.
func (v *view) packages() *ospackages.Installed {
	if v.installed == nil {
		v.installed = ospackages.Read(v.img)
	}
	return v.installed
}

// inside looks at an entry of a store item. Items that nothing leads to are
// findings as a whole.
func (c *closureCheck) inside(layer int, e *inspect.Entry, item string) {
	switch {
	case !store.CanHold(e):
		c.contradict(layer, e.Path, "closure/store-item-type", "kind", provenance.KindOf(e))
	case !store.HasStoreMode(e):
		c.contradict(layer, e.Path, "closure/store-item-mode", "mode", store.Mode(e.Mode))
	case c.reached[item]:
		c.store++
		c.bytes += e.FrameSize + e.Size
	}
}

// outside looks at an entry that belongs to no store item.
func (c *closureCheck) outside(layer int, e *inspect.Entry) {
	made := c.layout[e.Path]
	code, args := differs(made, e)
	switch {
	case made == nil:
		c.Unexplained(c.img, layer, e, store.Details(e)...)
	case code != "" && !isRepeat(e):
		c.contradict(layer, e.Path, code, args...)
	default:
		c.packer++
		c.bytes += e.FrameSize + e.Size
	}
}

// storeItems looks for store items that nothing leads to.
func (c *closureCheck) storeItems() {
	for i := range c.img.Items {
		item := &c.img.Items[i]
		switch {
		case !c.reached[item.Path]:
			c.contradict(item.Layer, item.Path, "closure/unreferenced-item", "root", c.pack.Root)
		case !item.Problem.IsZero():
			c.Undecided(item.Layer, item.Path, "closure/item-unread", "error", item.Problem)
		}
	}
	if root := c.pack.Root; c.items[root] == nil {
		c.Problem(-1, root, "closure/missing-root")
	}
}

// references looks for store paths that are named and not there.
func (c *closureCheck) references() {
	for _, r := range c.img.Dangling {
		from := r.From
		if from == "" {
			from = c.img.Config.Member
		}
		c.Problem(r.Layer, from, "closure/missing-reference", "item", r.To)
	}
}

// packagesOf looks for packages of the profile that are not there.
func (c *closureCheck) packagesOf(p *profile.Profile) {
	if p == nil {
		return
	}
	layer := -1
	if f, ok := c.files.At(p.Where); ok {
		layer = f.Layer
	}
	for _, e := range p.All() {
		item := c.img.Stores.ItemOf(strings.TrimPrefix(e.Path, "/"))
		if item == "" || c.items[item] != nil {
			continue
		}
		c.Problem(layer, p.Where, "closure/missing-package", "line", int(e.Pos.Line), "package", e.Specification(), "item", e.Path)
	}
}

// conclude makes the check of what was gathered.
func (c *closureCheck) conclude() check.Check {
	explained := check.Say("closure/explained", "explained", c.store+c.packer, "entries", c.entries, "store", c.store,
		"items", len(c.reached), "root", path.Base(c.pack.Root), "packer", c.packer, "rows", c.rows)
	out := c.Check(explained, c.bytes)
	if out.Status == check.Pass {
		out.Bytes = c.img.LayerBytes()
	}
	return out
}
