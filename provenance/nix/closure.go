package nix

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	storepath "audit/inspect/store"
	"audit/provenance"
	"audit/provenance/store"
	"audit/provenance/storedb"
)

// A closureCheck gathers what the check closure finds. It answers: is every
// file of the image in a store item that something leads to, or one that the
// packer itself puts there, and is all in the image that is referred to?
type closureCheck struct {
	*view
	found   provenance.Closure
	packer  packer
	era     string
	base    int             // layers of a base image, at the bottom
	reached map[string]bool // store items that the config and the root's files lead to
	places  map[place]bool  // files of the store items that are reached; nil until asked for

	entries int   // of all layers
	store   int   // of them, explained as part of a store item
	packed  int   // of them, explained otherwise
	bytes   int64 // content explained
	rows    int   // of the store's database, where the image has one
}

// closure makes the check of that name.
func (v *view) closure(p packer, rows []storedb.Item, unread error) check.Check {
	c := &closureCheck{view: v, packer: p, era: v.era(p), base: v.baseLayers(p), reached: store.Reach(v.items, v.roots(p))}
	for _, l := range v.img.Layers {
		c.layer(l)
	}
	c.lists()
	c.storeItems()
	c.references()
	c.database(rows, unread)
	return c.conclude()
}

// roots returns the store items that the config and the files outside the store
// lead to, and those that the packer itself takes in.
func (v *view) roots(p packer) []string {
	var roots []string
	for i := range v.img.Items {
		if p.takesIn(storepath.NameOf(v.img.Items[i].Path)) {
			roots = append(roots, v.img.Items[i].Path)
		}
	}
	for _, r := range v.img.Loose {
		if v.leads(r) {
			roots = append(roots, r.To)
		}
	}
	return roots
}

// takesIn says whether a packer puts a store item of that name into the image
// though nothing there refers to it: buildLayeredImage up to nixpkgs 20.03 did so
// with what it made of the contents and of the config.
func (p packer) takesIn(name string) bool {
	return p == buildLayered && (name == "bulk-layers" || strings.HasSuffix(name, "-config.json") || strings.HasSuffix(name, "-standard-dynamic-date.json"))
}

// leads says whether a reference from outside the store is one that takes a
// store item into the image. History and database only list what is there.
func (v *view) leads(r storepath.Reference) bool {
	if r.From == "" {
		return v.inConfig(r.To)
	}
	return !isStoreState(r.From) || path.Dir(r.From) == "nix/var/nix/gcroots/docker"
}

func (c *closureCheck) layer(l *inspect.Layer) {
	if l.Broken != nil {
		c.found.Append(provenance.UnreadLayer(l))
	}
	foreign := 0
	for i := range l.Entries {
		e := l.Entries[i]
		c.entries++
		switch item := c.img.Stores.ItemOf(e.Path); {
		case item != "" && l.Index < c.base && c.writers[l.Index] != pythonWriter:
			c.insideBase(l.Index, e, item)
		case item != "":
			c.inside(l.Index, e, item)
		case l.Index < c.base && !storeFolder(e.Path):
			c.found.Unowned(c.img, l.Index, e, append(store.Details(e), "why", "rights/base")...)
			foreign++
		default:
			c.outside(l.Index, e)
		}
	}
	if foreign > 0 {
		c.found.Undecided(l.Index, l.Member, "closure/base-layer", "entries", foreign)
	}
}

// inside looks at an entry of a store item. Items that nothing leads to are
// reported as a whole.
func (c *closureCheck) inside(layer int, e *inspect.Entry, item string) {
	switch {
	case !store.CanHold(e):
		c.found.Problem(layer, e.Path, "closure/store-item-type", "kind", provenance.KindOf(e))
	case len(e.Attr().Xattrs) > 0:
		c.found.Problem(layer, e.Path, "closure/extended-attributes", "count", len(e.Attr().Xattrs))
	case isWhiteout(e):
		c.found.Problem(layer, e.Path, "closure/whiteout")
	case !store.HasStoreMode(e) && c.packer == nix2container:
		c.found.Undecided(layer, e.Path, "closure/store-item-mode-chosen", "mode", store.Mode(e.Mode))
	case !store.HasStoreMode(e):
		c.found.Problem(layer, e.Path, "closure/store-item-mode", "mode", store.Mode(e.Mode))
	case c.reached[item]:
		c.store++
		c.bytes += e.FrameSize + e.Size
	}
}

// insideBase looks at an entry of a store item in a layer that a base image has,
// and that no packer of Nix need have written: it may have been installed, changed
// and removed there.
func (c *closureCheck) insideBase(layer int, e *inspect.Entry, item string) {
	switch {
	case !store.CanHold(e), len(e.Attr().Xattrs) > 0, isWhiteout(e), !store.HasStoreMode(e):
		c.found.Unexplained(c.img, layer, e, store.Details(e)...)
	case c.reached[item]:
		c.store++
		c.bytes += e.FrameSize + e.Size
	}
}

func isWhiteout(e *inspect.Entry) bool { return strings.HasPrefix(path.Base(e.Path), ".wh.") }

// outside looks at an entry that belongs to no store item. What extraCommands
// and their like have put there is any file at all: the image cannot show
// whether they did, so such a file is neither right nor wrong.
func (c *closureCheck) outside(layer int, e *inspect.Entry) {
	explained, why := c.explains(layer, e)
	switch {
	case strings.HasPrefix(e.Path, storeDir[1:]) && !storeFolder(e.Path):
		c.found.Problem(layer, e.Path, "closure/not-a-store-item", "kind", provenance.KindOf(e))
	case len(e.Attr().Xattrs) > 0:
		c.found.Problem(layer, e.Path, "closure/extended-attributes", "count", len(e.Attr().Xattrs))
	case isWhiteout(e) && layer <= c.base && c.base > 0:
		c.found.Undecided(layer, e.Path, "closure/whiteout")
	case isWhiteout(e):
		c.found.Problem(layer, e.Path, "closure/whiteout")
	case !explained:
		c.found.Unexplained(c.img, layer, e, append(store.Details(e), why...)...)
	default:
		c.packed++
		c.bytes += e.FrameSize + e.Size
	}
}

// explains says whether something explains an entry outside the store, and where
// nothing does, in the form of arguments, what about it is not explained.
func (c *closureCheck) explains(layer int, e *inspect.Entry) (explained bool, why []any) {
	mode := []any{"mode", store.Mode(e.Mode)}
	switch {
	case storeFolder(e.Path):
		return e.Type == '5' && StoreFolderMode(int64(e.Mode)), mode
	case isStoreState(e.Path):
		return c.isLoadedState(layer, e), nil
	case e.Type == '5':
		return e.Mode&^0o775 == 0 || e.Mode == 0o1777, mode
	case e.Type == '2':
		absent := c.absentTarget(e)
		return absent == "", []any{"absent", absent}
	case e.Type == '0' && e.Mode&^0o777 != 0:
		return false, nil
	case e.Type == '0':
		return c.isCopy(e), nil
	}
	return false, nil
}

// absentTarget returns where a symlink at the root leads, "" when that is in the
// image.
func (c *closureCheck) absentTarget(e *inspect.Entry) string {
	target := e.Linkname
	if !strings.HasPrefix(target, "/") {
		target = path.Join("/"+path.Dir(e.Path), target)
	}
	target = strings.TrimPrefix(path.Clean(target), "/")
	if item := c.img.Stores.ItemOf(target); item != "" {
		if c.items[item] == nil {
			return item
		}
		return ""
	}
	if _, ok := c.files.At(cmp.Or(target, ".")); !ok {
		return "/" + target
	}
	return ""
}

// A place is a file at a path inside a store item.
type place struct {
	path       string
	digest     inspect.Sum
	executable bool
}

// isCopy says whether a store item has the same file at the same place: that is
// what copyToRoot makes.
func (c *closureCheck) isCopy(e *inspect.Entry) bool {
	if c.places == nil {
		c.places = make(map[place]bool)
		for f := range c.files.All() {
			if item := c.img.Stores.ItemOf(f.Path); item != "" && f.Type == '0' && c.reached[item] {
				inner := strings.TrimPrefix(strings.TrimPrefix("/"+f.Path, item), "/")
				c.places[place{inner, f.Digest, f.Mode&0o100 != 0}] = true
			}
		}
	}
	return c.places[place{e.Path, e.Digest, e.Mode&0o100 != 0}]
}

// lists compares the store items of each layer with what the history says.
func (c *closureCheck) lists() {
	there := c.itemsByLayer()
	for i := c.base; i < len(c.history); i++ {
		listed, ok, err := c.listed(i)
		switch {
		case err != nil:
			c.found.Undecided(-1, c.img.Config.Member, "closure/history-unread", "entry", i, "comment", check.Clip(c.history[i].Comment), "error", err)
			continue
		case !ok:
			continue
		}
		if i == len(c.history)-1 && c.customisation() != "" {
			listed = nil // its own path is not in the image
		}
		c.list(i, listed, there[i])
	}
}

// itemsByLayer returns the store items of each layer in their first order: a
// layer above a base may have an item again.
func (c *closureCheck) itemsByLayer() [][]string {
	there := make([][]string, len(c.img.Layers))
	for i, l := range c.img.Layers {
		seen := make(map[string]bool)
		for k := range l.Entries {
			if item := c.img.Stores.ItemOf(l.Entries[k].Path); item != "" && !seen[item] && c.items[item] != nil {
				seen[item] = true
				there[i] = append(there[i], item)
			}
		}
	}
	return there
}

func (c *closureCheck) list(layer int, listed, there []string) {
	listed = slices.DeleteFunc(listed, func(p string) bool { return !isStorePath(p) }) // of a base image, or no path
	isThere, isListed := set(there), set(listed)
	for _, p := range listed {
		if !isThere[p] {
			c.found.Problem(layer, p, "closure/history-item-missing")
		}
	}
	for _, p := range there {
		if !isListed[p] {
			c.found.Problem(layer, p, "closure/history-lacks-item")
		}
	}
}

func set(list []string) map[string]bool {
	is := make(map[string]bool, len(list))
	for _, s := range list {
		is[s] = true
	}
	return is
}

// storeItems looks for store items that nothing leads to.
func (c *closureCheck) storeItems() {
	for i := range c.img.Items {
		item := &c.img.Items[i]
		switch {
		case !item.Problem.IsZero():
			c.found.Undecided(item.Layer, item.Path, "closure/item-unread", "error", item.Problem)
		case !c.reached[item.Path]:
			c.unreferenced(item)
		}
	}
}

// unreferenced reports a store item that nothing leads to. It is a problem
// unless the packer may have put it in by itself: mostly packers take in the
// references of what they pack, and no more.
func (c *closureCheck) unreferenced(item *inspect.StoreItem) {
	switch {
	case item.Layer < c.base:
		c.found.Undecided(item.Layer, item.Path, "closure/unreferenced-item-of-base")
	case c.packer == nix2container:
		c.found.Undecided(item.Layer, item.Path, "closure/unreferenced-item-of-deps")
	case c.packer == streamLayered && c.era != sinceOwners:
		c.found.Undecided(item.Layer, item.Path, "closure/unreferenced-item-of-contents")
	default:
		c.found.Problem(item.Layer, item.Path, "closure/unreferenced-item")
	}
}

// references looks for store paths that are named and not there.
func (c *closureCheck) references() {
	if len(c.img.Items) == 0 && len(c.img.Dangling) > 0 {
		c.found.Undecided(-1, "", "closure/no-store-items", "count", len(c.img.Dangling))
		return
	}
	for _, r := range c.img.Dangling {
		if (r.From == "" || isStoreState(r.From)) && !c.leads(r) {
			continue // history and database are checked by themselves
		}
		c.dangling(r)
	}
}

// dangling reports a store path that is named and is not in the image. A path
// that a build knows is a reference, and packers take in all references; so such
// a path is an example, or one that was made up without building it.
func (c *closureCheck) dangling(r storepath.Reference) {
	from := cmp.Or(r.From, c.img.Config.Member)
	if code := c.mayDangle(r); code != "" {
		c.found.Undecided(r.Layer, from, code, "item", r.To)
		return
	}
	c.found.Problem(r.Layer, from, "closure/missing-reference", "item", r.To)
}

// mayDangle returns the code of why a file may name a store path that is not in
// the image, "" when it may not.
func (c *closureCheck) mayDangle(r storepath.Reference) string {
	name := storepath.NameOf(c.img.Stores.ItemOf(strings.TrimPrefix(r.From, "/")))
	switch {
	case r.Layer >= 0 && r.Layer < c.base:
		return "closure/missing-reference-of-base"
	case strings.HasSuffix(r.To, ".drv"):
		return "closure/missing-derivation"
	case r.From != "" && (isManual(r.From) || isNix(name)):
		return "closure/missing-example"
	case r.From != "" && c.packer == nix2container:
		return "closure/missing-copied-item"
	}
	return ""
}

// isManual says whether a file is documentation.
func isManual(p string) bool {
	for _, dir := range []string{"/share/doc/", "/share/man/", "/share/info/", "/share/gtk-doc/"} {
		if strings.Contains("/"+p, dir) {
			return true
		}
	}
	return slices.Contains([]string{".md", ".html", ".rst", ".adoc"}, path.Ext(p))
}

// isNix says whether a store item of that name is Nix, whose help is part of
// its program, or one that Nix's packages are described in.
func isNix(name string) bool {
	pkg, _ := splitName(name)
	return slices.Contains([]string{"nix", "lix", "determinate-nix", "nixpkgs", "source", "nixos-manual", "nix-manual"}, pkg)
}

// conclude makes the check of what was gathered.
func (c *closureCheck) conclude() check.Check {
	out := c.found.Check(check.Say("closure/explained-from-root", "explained", c.store+c.packed, "entries", c.entries,
		"in-store", c.store, "items", len(c.reached), "packed", c.packed), c.bytes)
	if out.Status == check.Pass {
		out.Bytes = c.img.LayerBytes()
	}
	if c.rows > 0 {
		out.Because("closure/database-rows", "rows", c.rows)
	}
	return out
}
