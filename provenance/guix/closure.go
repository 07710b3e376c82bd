package guix

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/profile"
)

// A closureCheck gathers what the check closure finds. It answers: is every
// file of the image in a store item that the profile leads to, or one that the
// packer itself lays, and is all in the image that its store items refer to?
type closureCheck struct {
	*view
	provenance.ClosureFindings
	recipe  *provenance.Recipe
	laid    Layout
	reached map[string]bool // store items that the root leads to
	script  string          // store item of a squashfs that sets the environment
	first   map[string]held // the first entry of each path in the store
	lowest  map[string]int  // the lowest layer that has something of the store at or below a path

	entries int   // of all layers
	store   int   // of them, explained as part of a store item
	packer  int   // of them, explained as laid by the packer
	bytes   int64 // of the entries explained, headers and contents
	rows    int   // of the store's database, where the image has one
}

// closure makes the check of that name. The profile is nil when there is none
// that could be read.
func (v *view) closure(recipe *provenance.Recipe, p *profile.Profile) check.Check {
	root := recipe.Pack.Root
	if root == "" {
		return check.Check{ID: check.Closure, Status: check.Unknown,
			Summary: "nothing in the image names the store item that it is made of, so no file can be held against it"}
	}
	c := &closureCheck{view: v, recipe: recipe, laid: NewLayout(recipe.Pack), reached: v.reach(v.closureRoots(recipe.Pack)),
		first: make(map[string]held), lowest: make(map[string]int)}
	if item, ok := v.environment(recipe.Pack); ok {
		c.script = item
		c.laid.add(environmentLink, linkTo(RelativeName("/"+path.Dir(environmentLink), item)))
	}
	for _, l := range v.img.Layers {
		c.layer(l)
	}
	c.storeItems()
	c.references()
	c.packages(p)
	c.database()
	return c.conclude()
}

// closureRoots returns the store items that belong into the image for what
// they are. The config of a pack names nothing but its profile; that of a
// system names the program that boots it. A squashfs has a script that sets the
// environment, which names the profile.
func (v *view) closureRoots(p provenance.Pack) []string {
	roots := []string{p.Root}
	if item, ok := v.environment(p); ok {
		roots = append(roots, item)
	}
	for _, r := range v.img.Loose {
		if r.Layer < 0 && storeName(p.Root) == "system" {
			roots = append(roots, r.To)
		}
	}
	return roots
}

// reach returns the store items of the image that roots lead to, themselves
// included.
func (v *view) reach(roots []string) map[string]bool {
	reached := make(map[string]bool)
	todo := slices.Clone(roots)
	for len(todo) > 0 {
		item := v.items[todo[len(todo)-1]]
		todo = todo[:len(todo)-1]
		if item == nil || reached[item.Path] {
			continue
		}
		reached[item.Path] = true
		todo = append(todo, item.References...)
	}
	return reached
}

// A held is an entry and the layer that holds it.
type held struct {
	*inspect.Entry
	layer int
}

// overlay tells of an entry that changes what the layers below have in the
// store, where nothing ever changes. A hard link stands for the file that it
// leads to, which is compared itself.
func (c *closureCheck) overlay(layer int, e *inspect.Entry) {
	item := inspect.ItemOf(e.Path)
	below, ok := c.first[e.Path]
	switch {
	case strings.HasPrefix(path.Base(e.Path), ".wh."):
	case item == "" && e.Type != '5' && c.isBelow(layer, e.Path):
		c.Fail("store-item-overlaid", layer, e.Path, "it takes the place of a folder of the store in the layers below")
	case item == "":
	case !ok && c.isBelow(layer, item[1:]):
		c.Fail("store-item-overlaid", layer, e.Path, "it adds to a store item of the layers below: nobody changes what is in the store")
	case !ok:
		c.noteEntry(layer, e)
	case below.layer == layer || e.Type == '1' || below.Type == '1':
	case e.Type != below.Type || e.Linkname != below.Linkname || e.Digest != below.Digest || e.Type == '0' && (e.Mode^below.Mode)&0o111 != 0:
		c.Fail("store-item-overlaid", layer, e.Path, "it takes the place of another entry, in layer %d: nobody changes what is in the store", below.layer)
	}
}

// noteEntry notes the first entry of a path in the store, and that something is below
// the folders that it is in.
func (c *closureCheck) noteEntry(layer int, e *inspect.Entry) {
	c.first[e.Path] = held{e, layer}
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

// hides tells of an entry of a layer that removes something of the store in the
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
		c.Doubt("layer-unread", l.Index, l.Member, "the layer can be read only in part: %v", l.Broken)
	}
	for i := range l.Entries {
		if len(c.img.Layers) > 1 {
			c.overlay(l.Index, &l.Entries[i])
		}
	}
	if c.isBase(l) {
		c.base(l)
		return
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		c.entries++
		switch item := inspect.ItemOf(e.Path); {
		case strings.HasPrefix(path.Base(e.Path), ".wh."):
			c.Fail("whiteout", l.Index, e.Path, "it hides files of the layers below, and Guix never hides any")
		case len(e.Xattrs) > 0:
			c.Fail("extended-attributes", l.Index, e.Path, "it has %s, and Guix stores none", provenance.Count(len(e.Xattrs), "extended attribute"))
		case item == "":
			c.outside(l.Index, e)
		default:
			c.inside(l.Index, e, item)
		}
	}
}

// contradict tells of an entry that the packer would not have made as it is.
// Where not all rules of the packer are known, that only leaves it undecided.
func (c *closureCheck) contradict(rule string, layer int, path, format string, args ...any) {
	if c.rulesKnown() {
		c.Fail(rule, layer, path, format, args...)
		return
	}
	c.Doubt(rule, layer, path, format, args...)
}

// rulesKnown says whether all is known that the packer lays.
func (c *closureCheck) rulesKnown() bool {
	switch c.recipe.Pack.Format {
	case formatDocker, formatTarball, formatSquashfs, formatExport:
		return true
	}
	return false
}

// isBase says whether a layer is one that the layers of a pack were put on, or
// that was put on them, by another tool: it has nothing of the store.
func (c *closureCheck) isBase(l *inspect.Layer) bool {
	return c.recipe.Pack.Format == formatLayers && !c.holdsItems(l) && !c.isLaid(l)
}

// isLaid says whether all that a layer has is what the packer lays.
func (c *closureCheck) isLaid(l *inspect.Layer) bool {
	for i := range l.Entries {
		if e := &l.Entries[i]; differs(c.laid[e.Path], e) != "" || c.laid[e.Path] == nil {
			return false
		}
	}
	return true
}

// base tells of such a layer as a whole.
func (c *closureCheck) base(l *inspect.Layer) {
	c.entries += len(l.Entries)
	for i := range l.Entries {
		if e := &l.Entries[i]; c.hides(l.Index, e) {
			c.Fail("whiteout", l.Index, e.Path, "it hides a part of the store in the layers below")
		}
	}
	c.Doubt("base-layer", l.Index, l.Member, "the layer has no store items: its %s, %s, are not of the pack, and nothing here explains them",
		provenance.Count(len(l.Entries), "entry"), provenance.Count(int(l.UncompressedSize), "byte"))
}

// inside looks at an entry of a store item. Items that nothing leads to are
// told as a whole.
func (c *closureCheck) inside(layer int, e *inspect.Entry, item string) {
	switch {
	case !strings.Contains("0125", string(rune(e.Type))):
		c.contradict("store-item-type", layer, e.Path, "it is %s, and a store item can hold none", kindName(e.Type))
	case e.Type != '2' && e.Mode&^0o555 != 0:
		c.contradict("store-item-mode", layer, e.Path, "its mode is %04o, and in the store there are only 0444 and 0555", e.Mode)
	case c.reached[item]:
		c.store++
		c.bytes += e.FrameSize + e.Size
	}
}

// outside looks at an entry that belongs to no store item.
func (c *closureCheck) outside(layer int, e *inspect.Entry) {
	laid := c.laid[e.Path]
	why := differs(laid, e)
	if isRepeat(e) && laid != nil {
		why = ""
	}
	switch {
	case laid == nil && c.rulesKnown():
		c.Fail("unexplained-file", layer, e.Path, "%s outside the store, which %s", describeEntry(e), strangerTo(c.recipe.Pack.Format))
	case laid == nil:
		c.Doubt("unexplained-file", layer, e.Path, "%s outside the store: what the packer lays there is not known here", describeEntry(e))
	case why != "":
		c.contradict("packer-entry-differs", layer, e.Path, "%s", why)
	default:
		c.packer++
		c.bytes += e.FrameSize + e.Size
	}
}

func describeEntry(e *inspect.Entry) string {
	switch e.Type {
	case '0':
		return "a file of " + provenance.Count(int(e.Size), "byte")
	case '1', '2':
		return fmt.Sprintf("%s to %s", kindName(e.Type), quote(e.Linkname))
	}
	return kindName(e.Type)
}

// storeItems looks for store items that nothing leads to.
func (c *closureCheck) storeItems() {
	for i := range c.img.Items {
		item := &c.img.Items[i]
		switch {
		case !c.reached[item.Path]:
			c.contradict("unreferenced-item", item.Layer, item.Path, "neither %s nor anything that it refers to refers to this store item", c.recipe.Pack.Root)
		case item.Problem != "":
			c.Doubt("item-unread", item.Layer, item.Path, "what the store item refers to is not known for certain: %s", item.Problem)
		}
	}
	if root := c.recipe.Pack.Root; c.items[root] == nil {
		c.Fail("missing-root", -1, root, "the image says that it is made of this store item, and does not hold it")
	}
}

// references looks for store paths that are named and not there.
func (c *closureCheck) references() {
	for _, r := range c.img.Dangling {
		from := r.From
		if from == "" {
			from = c.img.Config.Member
		}
		c.Fail("missing-reference", r.Layer, from, "it names %s, which is not in the image", r.To)
	}
}

// packages looks for packages of the profile that are not there.
func (c *closureCheck) packages(p *profile.Profile) {
	if p == nil {
		return
	}
	layer := -1
	if f, ok := c.file(p.Where); ok {
		layer = f.Layer
	}
	for _, e := range p.All() {
		item := inspect.ItemOf(strings.TrimPrefix(e.Path, "/"))
		if item == "" || c.items[item] != nil {
			continue
		}
		c.Fail("missing-package", layer, p.Where, "line %d: %s of the profile is %s, which is not in the image", e.Pos.Line, quote(e.Specification()), quote(e.Path))
	}
}

// conclude makes the check of what was gathered.
func (c *closureCheck) conclude() check.Check {
	explained := fmt.Sprintf("%d of %s explained: %d in %s that %s leads to, %d laid by the packer",
		c.store+c.packer, provenance.Count(c.entries, "entry"), c.store, provenance.Count(len(c.reached), "store item"), path.Base(c.recipe.Pack.Root), c.packer)
	if c.rows > 0 {
		explained += fmt.Sprintf("; the store's database lists %s", provenance.Count(c.rows, "item"))
	}
	out := c.Check(explained, c.bytes)
	if out.Status == check.Pass {
		out.Bytes = c.img.LayerBytes()
	}
	return out
}
