package nix

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/storedb"
)

// A closureCheck gathers what the check closure finds. It answers: is every
// file of the image in a store item that something leads to, or one that the
// packer itself lays, and is all in the image that is referred to?
type closureCheck struct {
	*view
	provenance.ClosureFindings
	packer  packer
	era     string
	base    int             // layers of a base image, at the bottom
	reached map[string]bool // store items that the config and the root's files lead to
	copies  map[string][]inspect.File

	entries int   // of all layers
	store   int   // of them, explained as part of a store item
	laid    int   // of them, explained otherwise
	bytes   int64 // content explained
	rows    int   // of the store's database, where the image has one
}

// closure makes the check of that name.
func (v *view) closure(p packer, rows []storedb.Item, unread error) check.Check {
	c := &closureCheck{view: v, packer: p, era: v.era(p), base: v.baseLayers(p), reached: v.reach(p)}
	for _, l := range v.img.Layers {
		c.layer(l)
	}
	c.lists()
	c.storeItems()
	c.references()
	c.database(rows, unread)
	return c.conclude()
}

// reach returns the store items that the config and the files outside the store
// lead to, and those that the packer itself takes in.
func (v *view) reach(p packer) map[string]bool {
	reached := make(map[string]bool)
	var todo []string
	for i := range v.img.Items {
		if p.takesIn(storeName(v.img.Items[i].Path)) {
			todo = append(todo, v.img.Items[i].Path)
		}
	}
	for _, r := range v.img.Loose {
		if v.leads(r) {
			todo = append(todo, r.To)
		}
	}
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

// takesIn says whether a packer puts a store item of that name into the image
// though nothing there refers to it: buildLayeredImage up to nixpkgs 20.03 did so
// with what it made of the contents and of the config.
func (p packer) takesIn(name string) bool {
	return p == buildLayered && (name == "bulk-layers" || strings.HasSuffix(name, "-config.json") || strings.HasSuffix(name, "-standard-dynamic-date.json"))
}

// leads says whether a reference from outside the store is one that takes a
// store item into the image. History and database only list what is there.
func (v *view) leads(r inspect.Reference) bool {
	if r.From == "" {
		return v.inConfig(r.To)
	}
	return !isStoreState(r.From) || path.Dir(r.From) == "nix/var/nix/gcroots/docker"
}

func (c *closureCheck) layer(l *inspect.Layer) {
	if l.Broken != nil {
		c.Doubt("layer-unread", l.Index, l.Member, "the layer can be read only in part: %v", l.Broken)
	}
	foreign := 0
	for i := range l.Entries {
		e := &l.Entries[i]
		c.entries++
		switch item := inspect.ItemOf(e.Path); {
		case item != "":
			c.inside(l.Index, e, item)
		case l.Index < c.base && !storeFolder(e.Path):
			foreign++
		default:
			c.outside(l.Index, e)
		}
	}
	if foreign > 0 {
		c.Doubt("base-layer", l.Index, l.Member, "%s of a base image: what made them is not known here", provenance.Count(foreign, "entry"))
	}
}

// inside looks at an entry of a store item. Items that nothing leads to are
// told as a whole.
func (c *closureCheck) inside(layer int, e *inspect.Entry, item string) {
	switch {
	case !strings.Contains("0125", string(rune(e.Type))):
		c.Fail("store-item-type", layer, e.Path, "it is %s, and a store item can hold none", kindName(e.Type))
	case len(e.Xattrs) > 0:
		c.Fail("extended-attributes", layer, e.Path, "it has %s, and Nix stores none", provenance.Count(len(e.Xattrs), "extended attribute"))
	case strings.HasPrefix(path.Base(e.Path), ".wh."):
		c.Fail("whiteout", layer, e.Path, "it hides a part of a store item of a layer below")
	case e.Type != '2' && e.Mode&^0o555 != 0 && c.packer == nix2container:
		c.Doubt("store-item-mode", layer, e.Path, "its mode is %04o; nix2container gives other modes than the store's only where it is told to (perms)", e.Mode)
	case e.Type != '2' && e.Mode&^0o555 != 0:
		c.Fail("store-item-mode", layer, e.Path, "its mode is %04o, and in the store there are only 0444 and 0555", e.Mode)
	case c.reached[item]:
		c.store++
		c.bytes += e.Size
	}
}

// outside looks at an entry that belongs to no store item. What extraCommands
// and their like have put there is any file at all: the image cannot tell
// whether they did, so such a file is neither right nor wrong.
func (c *closureCheck) outside(layer int, e *inspect.Entry) {
	why := c.unexplained(layer, e)
	switch {
	case strings.HasPrefix(e.Path, storeDir[1:]) && !storeFolder(e.Path):
		c.Fail("not-a-store-item", layer, e.Path, "%s in the store's folder whose name is no store item's", describe(e))
	case len(e.Xattrs) > 0:
		c.Fail("extended-attributes", layer, e.Path, "it has %s, and no packer of Nix stores any", provenance.Count(len(e.Xattrs), "extended attribute"))
	case strings.HasPrefix(path.Base(e.Path), ".wh.") && layer <= c.base && c.base > 0:
		c.Doubt("whiteout", layer, e.Path, "it hides files of the base image")
	case strings.HasPrefix(path.Base(e.Path), ".wh."):
		c.Fail("whiteout", layer, e.Path, "it hides files of the layers below, and there is no base image")
	case why != "":
		c.Doubt("unexplained-file", layer, e.Path, "%s outside the store: %s", describe(e), why)
	default:
		c.laid++
		c.bytes += e.Size
	}
}

// unexplained says why nothing explains an entry outside the store, "" when
// something does.
func (c *closureCheck) unexplained(layer int, e *inspect.Entry) string {
	switch {
	case storeFolder(e.Path):
		if e.Type != '5' || !storeFolderMode(e.Mode) {
			return fmt.Sprintf("a folder of mode %04o that no packer gives it", e.Mode)
		}
	case isStoreState(e.Path):
		if !c.laysState(layer, e) {
			return "it is not as Nix makes it when a database is loaded"
		}
	case e.Type == '5':
		if e.Mode&^0o775 != 0 && e.Mode != 0o1777 {
			return fmt.Sprintf("its mode %04o is none that a folder has without a command of the author", e.Mode)
		}
	case e.Type == '2':
		return c.unexplainedLink(e)
	case e.Type == '0':
		return c.unexplainedCopy(e)
	default:
		return "no packer of Nix makes any"
	}
	return ""
}

// unexplainedLink looks where a symlink at the root leads.
func (c *closureCheck) unexplainedLink(e *inspect.Entry) string {
	target := e.Linkname
	if !strings.HasPrefix(target, "/") {
		target = path.Join("/"+path.Dir(e.Path), target)
	}
	target = strings.TrimPrefix(path.Clean(target), "/")
	item := inspect.ItemOf(target)
	switch {
	case item != "" && c.items[item] == nil:
		return "it leads to a store item that is not in the image"
	case item != "":
		return ""
	}
	if _, ok := c.file(cmp.Or(target, ".")); !ok {
		return "it leads to nothing in the image"
	}
	return ""
}

// unexplainedCopy looks for a store item that has the same file at the same
// place: that is what copyToRoot makes.
func (c *closureCheck) unexplainedCopy(e *inspect.Entry) string {
	if e.Mode&^0o777 != 0 {
		return fmt.Sprintf("its mode is %04o", e.Mode)
	}
	for _, f := range c.namesakes(e.Path) {
		if f.Digest == e.Digest && f.Mode&0o100 == e.Mode&0o100 {
			return ""
		}
	}
	return "no store item of the image has the same file at this place, so copyToRoot, extraCommands or runAsRoot made it, or someone else did"
}

// namesakes returns the files of store items that have this path inside them.
func (c *closureCheck) namesakes(p string) []inspect.File {
	if c.copies == nil {
		c.copies = make(map[string][]inspect.File)
		for _, f := range c.files {
			if item := inspect.ItemOf(f.Path); item != "" && f.Type == '0' && c.reached[item] {
				inner := strings.TrimPrefix(strings.TrimPrefix("/"+f.Path, item), "/")
				c.copies[inner] = append(c.copies[inner], f)
			}
		}
	}
	return c.copies[p]
}

func describe(e *inspect.Entry) string {
	switch e.Type {
	case '0':
		return "a file of " + provenance.Count(int(e.Size), "byte")
	case '1', '2':
		return fmt.Sprintf("%s to %s", kindName(e.Type), quote(e.Linkname))
	}
	return kindName(e.Type)
}

// lists holds the store items of each layer against what the history says.
func (c *closureCheck) lists() {
	held := make([][]string, len(c.img.Layers))
	for i := range c.img.Items {
		item := &c.img.Items[i]
		held[item.Layer] = append(held[item.Layer], item.Path)
	}
	for i := range c.history {
		said, ok, err := c.listed(i)
		switch {
		case err != nil:
			c.Doubt("history-unread", -1, c.img.Config.Member, "history entry %d, %s: %v", i, quote(c.history[i].Comment), err)
			continue
		case !ok:
			continue
		}
		if i == len(c.history)-1 && c.customisation() != "" {
			said = nil // its own path is not in the image
		}
		c.list(i, said, held[i])
	}
}

func (c *closureCheck) list(layer int, said, held []string) {
	said = slices.DeleteFunc(said, func(p string) bool { return !isStorePath(p) }) // of a base image, or no path
	isHeld, isSaid := set(held), set(said)
	for _, p := range said {
		if !isHeld[p] {
			c.Fail("history-item-missing", layer, p, "the history says that the layer was made of it, and the layer does not hold it")
		}
	}
	for _, p := range held {
		if !isSaid[p] && layer >= c.base {
			c.Fail("history-lacks-item", layer, p, "the layer holds it, and the history does not say so")
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
		case item.Problem != "":
			c.Doubt("item-unread", item.Layer, item.Path, "what the store item refers to is not known for certain: %s", item.Problem)
		case c.reached[item.Path]:
		case c.unboundItems(item.Layer) != "":
			c.Doubt("unreferenced-item", item.Layer, item.Path, "neither the config nor any file of the root leads to this store item; %s", c.unboundItems(item.Layer))
		default:
			c.Fail("unreferenced-item", item.Layer, item.Path, "neither the config nor any file of the root leads to this store item")
		}
	}
}

// unboundItems says why an image may hold store items that nothing in it leads
// to; "" when it may not: then the packer took what it put in from the
// references of what it packed.
func (c *closureCheck) unboundItems(layer int) string {
	switch {
	case layer < c.base:
		return "it comes from the base image, whose config is not here"
	case c.packer == nix2container:
		return "nix2container takes such items in as deps"
	case c.packer == streamLayered && c.era != sinceOwners:
		return "nixpkgs of that time took in all of contents, linked or not"
	}
	return ""
}

// references looks for store paths that are named and not there.
func (c *closureCheck) references() {
	if len(c.img.Items) == 0 && len(c.img.Dangling) > 0 {
		c.Doubt("no-store-items", -1, "", "the image names %s and holds none: it was made without them (includeStorePaths = false)", provenance.Count(len(c.img.Dangling), "store path"))
		return
	}
	for _, r := range c.img.Dangling {
		switch why := c.mayDangle(r); {
		case (r.From == "" || isStoreState(r.From)) && !c.leads(r): // history and database are checked by themselves
		case why != "":
			c.Doubt("missing-reference", r.Layer, cmp.Or(r.From, c.img.Config.Member), "it names %s, which is not in the image; %s", quote(r.To), why)
		default:
			c.Fail("missing-reference", r.Layer, cmp.Or(r.From, c.img.Config.Member), "it names %s, which is not in the image", quote(r.To))
		}
	}
}

// mayDangle says why a file may name a store path that is not in the image, ""
// when it may not. A path that a build knows is a reference, and packers take in
// all references; so such a path is an example, or one that was made up
// without building it.
func (c *closureCheck) mayDangle(r inspect.Reference) string {
	name := storeName(inspect.ItemOf(strings.TrimPrefix(r.From, "/")))
	switch {
	case r.Layer >= 0 && r.Layer < c.base:
		return "it comes from the base image"
	case strings.HasSuffix(r.To, ".drv"):
		return "derivations are named without being needed"
	case r.From == "":
		return ""
	case isManual(r.From) || isNix(name):
		return "manuals, and Nix itself, hold examples of store paths"
	case c.packer == nix2container:
		return "nix2container leaves out what it copies to the root"
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
	explained := fmt.Sprintf("%d of %s explained: %d in %s that the config and the root lead to, %d laid by the packer or linked into the store",
		c.store+c.laid, provenance.Count(c.entries, "entry"), c.store, provenance.Count(len(c.reached), "store item"), c.laid)
	if c.rows > 0 {
		explained += fmt.Sprintf("; the store's database lists %s", provenance.Count(c.rows, "item"))
	}
	return c.Check(explained, c.bytes)
}
