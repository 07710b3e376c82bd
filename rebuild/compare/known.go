package compare

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/store"
)

// A Known is a freedom that explains differences: one of the packer's, or one of
// another program that has written into the image.
type Known struct {
	Code  string // of the freedom, "known/…"
	Count int    // differences, and fields of the config, that it explains
}

// A Freedom is what a packer leaves to chance, so that honest builds differ by it.
type Freedom struct {
	Code     string                        // of its sentence, "known/…"
	When     func(l Layering) bool         // nil for always
	Explains func(d *Difference) bool      // may be nil
	Field    func(f *FieldDifference) bool // may be nil
}

// A Layering is how the layers of two images lie to each other.
type Layering struct {
	Original, Rebuilt int // how many layers each has

	// SiblingsOnly says that each image has one layer, with the same entries in
	// an order that a walk through the tree can have, and the store items in the
	// same order: only the turns of what is in one folder differ.
	SiblingsOnly bool

	// WholeItemsMoved says that what lies in another layer is whole store items,
	// each with its entries in the same order.
	WholeItemsMoved bool
}

// layering is how the layers lie.
func (w *walk) layering() Layering {
	l := Layering{Original: len(w.a.img.Layers), Rebuilt: len(w.b.img.Layers)}
	if l.Original == 1 && l.Rebuilt == 1 && w.a.partner[0] == 0 {
		l.SiblingsOnly = w.siblingsOnly()
	}
	l.WholeItemsMoved = w.wholeItemsMoved()
	return l
}

// known finds what explains differences: the freedoms of the packer, then what is
// of no packer.
func (w *walk) known(freedoms []Freedom) {
	l := w.layering()
	var all []Freedom
	for _, f := range freedoms {
		if f.When == nil || f.When(l) {
			all = append(all, f)
		}
	}
	if w.hidden {
		all = append(all, hiddenEntries())
	}
	if w.shuffled {
		all = append(all, w.otherLayering())
	}
	w.out.freedoms = append(all, placeFreedoms()...)
	w.out.mark()
}

// hiddenEntries is what images differ by where one keeps what the other has
// squashed: a later layer removes or replaces the entries, so that no container
// sees them. The bytes are there all the same: they count.
func hiddenEntries() Freedom {
	return Freedom{Code: "known/hidden-entries", Explains: func(d *Difference) bool { return d.Shows(HiddenEntry) }}
}

// otherLayering says of images whose entries lie in other layers whether the
// root file systems are the same that a container sees.
func (w *walk) otherLayering() Freedom {
	f := Freedom{Code: "known/other-layering", Explains: func(d *Difference) bool { return d.Cause == Order }}
	if slices.ContainsFunc(w.out.Differences, func(d Difference) bool { return !d.Cause.Harmless() }) {
		f.Code = "known/other-layering-and-files"
	}
	return f
}

// mark gives each difference the code of the first freedom that explains it.
func (c *Comparison) mark() {
	c.Known = nil
	for _, f := range c.freedoms {
		k := Known{Code: f.Code}
		for i := range c.Differences {
			if d := &c.Differences[i]; f.Explains != nil && !d.folder && (d.Known == "" || d.Known == f.Code) && f.Explains(d) {
				d.Known = f.Code
				k.Count++
			}
		}
		for i := range c.Config {
			if d := &c.Config[i]; f.Field != nil && (d.Known == "" || d.Known == f.Code) && f.Field(d) {
				d.Known = f.Code
				k.Count++
			}
		}
		if k.Count > 0 {
			c.Known = append(c.Known, k)
		}
	}
	slices.SortFunc(c.Known, func(x, y Known) int { return cmp.Compare(x.Code, y.Code) })
}

// Codes of evidence that package explain gives where the bytes show it.
const (
	auxCache   = "difference/aux-cache"
	machineID  = "difference/machine-id"
	engineFile = "difference/engine-file"
	fontCache  = "difference/font-cache"
	pycHeader  = "difference/pyc-header"
)

// placeFreedoms are those of programs that leave the time, or the machine, in
// files that they keep for themselves. The bytes must show it: a path alone
// explains nothing.
func placeFreedoms() []Freedom {
	return []Freedom{
		{Code: "known/ldconfig-cache", Explains: showsAt(auxCache, "var/cache/ldconfig/aux-cache")},
		{Code: "known/package-logs", Explains: datesAt("var/log/dpkg.log", "var/log/alternatives.log", "var/log/bootstrap.log",
			"var/log/apt/", "var/log/dnf.", "var/log/yum.log", "var/log/apk.log", "var/log/pacman.log")},
		{Code: "known/package-caches", Explains: datesAt("var/cache/apt/", "var/lib/apt/lists/", "var/cache/dnf/", "var/cache/yum/",
			"var/cache/apk/", "var/lib/dnf/", "var/cache/debconf/")},
		{Code: "known/password-days", Explains: datesAt("etc/shadow", "etc/shadow-")},
		{Code: "known/machine-id", Explains: showsAt(machineID, "etc/machine-id", "var/lib/dbus/machine-id")},
		{Code: "known/engine-files", Explains: showsAt(engineFile, "etc/hostname", "etc/hosts", "etc/resolv.conf")},
		{Code: "known/fontconfig-cache", Explains: showsAt(fontCache, "var/cache/fontconfig/")},
		{Code: "known/python-bytecode", Explains: func(d *Difference) bool { return d.Cause == EmbeddedDate && d.Shows(pycHeader) }},
	}
}

// datesAt explains dates inside of the files at some paths, or at those that begin
// with one that ends in a slash or a full stop.
func datesAt(paths ...string) func(d *Difference) bool {
	return func(d *Difference) bool { return d.Cause == EmbeddedDate && isAt(d.Path, paths) }
}

// showsAt explains what the bytes of the files at some paths have shown.
func showsAt(code string, paths ...string) func(d *Difference) bool {
	return func(d *Difference) bool { return d.Shows(code) && isAt(d.Path, paths) }
}

func isAt(path string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		return path == p || (strings.HasSuffix(p, "/") || strings.HasSuffix(p, ".")) && strings.HasPrefix(path, p)
	})
}

// siblingsOnly says whether the only layers of two images hold the same entries
// in an order that a walk through the tree can have: of what is in a folder,
// one thing comes whole after the other. Only their turns differ, and those of
// the store items themselves do not.
func (w *walk) siblingsOnly() bool {
	a, b, stores := w.a.img.Layers[0].Entries, w.b.img.Layers[0].Entries, w.a.img.Stores
	return isWalk(a, stores) && isWalk(b, stores) && slices.Equal(itemsInOrder(a, stores), itemsInOrder(b, stores))
}

// isWalk says whether entries come as a walk through a tree has them: what is
// in a folder right after it, and no folder is entered twice. Folders that the walk
// has left are known by a hash (FNV-1a) that grows along a path, so that a path costs
// what it is long.
func isWalk(entries []*inspect.Entry, stores store.Dirs) bool {
	left := make(map[uint64]bool)
	var open []string
	for i := range entries {
		path := entries[i].Path
		for len(open) > 0 && !isBelow(path, open[len(open)-1]) {
			left[lastHash(open[len(open)-1])] = true
			open = open[:len(open)-1]
		}
		for hash := range hashes(path) {
			if left[hash] {
				return false
			}
		}
		if kind(entries[i]) == folder && stores.ItemOf(path) != "" {
			open = append(open, path)
		}
	}
	return true
}

// hashes yields the hash of each folder above a path, then of the path itself.
func hashes(path string) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		hash := uint64(14695981039346656037)
		for _, c := range []byte(path) {
			if c == '/' && !yield(hash) {
				return
			}
			hash = (hash ^ uint64(c)) * hashPrime
		}
		yield(hash)
	}
}

const hashPrime = 1099511628211

// hashOn is the hash of a path whose beginning has a hash.
func hashOn(hash uint64, rest string) uint64 {
	for _, c := range []byte(rest) {
		hash = (hash ^ uint64(c)) * hashPrime
	}
	return hash
}

func lastHash(path string) (last uint64) {
	for hash := range hashes(path) {
		last = hash
	}
	return last
}

// itemsInOrder returns the store items of a layer in the order of their entries.
func itemsInOrder(entries []*inspect.Entry, stores store.Dirs) []string {
	var items []string
	for i := range entries {
		if item := stores.ItemOf(entries[i].Path); item != "" && (len(items) == 0 || items[len(items)-1] != item) {
			items = append(items, item)
		}
	}
	return items
}

// wholeItemsMoved says whether all that went elsewhere are whole store items,
// each with its entries in the same order as before.
func (w *walk) wholeItemsMoved() bool {
	for m := range w.moves {
		if item := w.a.img.Stores.ItemOf(m.path); item == "" || item[1:] != m.path {
			return false
		}
	}
	was, wholeWas := w.a.byItem()
	now, wholeNow := w.b.byItem()
	return wholeWas && wholeNow && maps.EqualFunc(was, now, slices.Equal)
}

// byItem lists the paths of each store item in their order, and says whether
// each item lies in one layer. Layers that have an equal are left out.
func (s *side) byItem() (items map[string][]string, whole bool) {
	items, whole = make(map[string][]string), true
	layers := make(map[string]int)
	for i, l := range s.img.Layers {
		if s.equal[i] {
			continue
		}
		for j := range l.Entries {
			item := s.img.Stores.ItemOf(l.Entries[j].Path)
			if item == "" {
				continue
			}
			if at, seen := layers[item]; seen && at != i {
				whole = false
			}
			layers[item] = i
			items[item] = append(items[item], l.Entries[j].Path)
		}
	}
	return items, whole
}
