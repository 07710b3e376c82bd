package repack

import (
	"archive/tar"
	"maps"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/paths"
	"audit/rebuild/gnutar"
)

// Up to 1.3 the packer of tarballs named on tar's command line what to pack:
// /var/guix, /gnu/store, and for each symlink the folder that it is in and the
// link itself (guix/scripts/pack.scm at v1.0.0 to v1.3.0,
// self-contained-tarball). What is in a folder that was named came with the
// folder, and then a second time.

// maxOrders bounds of how many symlinks every order is tried: what order the
// caller gave them in is not recorded.
const maxOrders = 6

// namedNodes drops what has no entry in such a tarball: folders above those that
// are named.
func (x extra) namedNodes() {
	keep := make(map[string]bool)
	for _, arg := range x.namedArguments(x.links()) {
		for p := range x.nodes {
			keep[p] = keep[p] || p == arg || strings.HasPrefix(p, arg+"/")
		}
	}
	maps.DeleteFunc(x.nodes, func(p string, _ node) bool { return !keep[p] })
}

// links lists the symlinks that the caller asked for, sorted.
func (x extra) links() []string {
	var links []string
	for p, n := range x.nodes {
		if n.kind == tar.TypeSymlink && !strings.HasPrefix(p, "var/guix/") {
			links = append(links, p)
		}
	}
	slices.Sort(links)
	return links
}

// namedArguments returns the names on tar's command line for links in an order.
func (x extra) namedArguments(links []string) []string {
	var args []string
	if _, ok := x.nodes["var/guix/db/db.sqlite"]; ok {
		args = append(args, "var/guix")
	}
	args = append(args, storeDir[1:len(storeDir)-1])
	for _, link := range links {
		for _, p := range []string{paths.Above(link), link} {
			if p != "" && !slices.Contains(args, p) {
				args = append(args, p)
			}
		}
	}
	return args
}

// namedSequence returns the entries that tar writes for arguments, what is in
// the store left out.
func (x extra) namedSequence(args []string) []string {
	children := make(map[string][]string)
	for _, p := range slices.Sorted(maps.Keys(x.nodes)) {
		children[paths.Above(p)] = append(children[paths.Above(p)], p)
	}
	var sequence []string
	var dump func(p string)
	dump = func(p string) {
		sequence = append(sequence, p)
		for _, child := range children[p] {
			dump(child)
		}
	}
	for _, p := range args {
		dump(p)
	}
	return sequence
}

// walkNamed follows the entries of such a tarball: those in the store as any,
// the others in one of the sequences that a caller can have asked for.
func (c *layerCheck) walkNamed() {
	c.seen = make(map[string]int, len(c.layer.Entries))
	c.repeats = make(map[int]int)
	var found []string
	for i := range c.layer.Entries {
		e := c.layer.Entries[i]
		first, again := c.seen[e.Path]
		inStore := itemOf(e.Path) != ""
		switch {
		case again && !inStore && c.extra.nodes[e.Path].kind != 0:
			c.repeats[i] = first
		case again:
			c.problem(e.Path, "repack/duplicate-entry", "entry", i, "first", first)
			continue
		default:
			c.seen[e.Path] = i
		}
		if !c.belongs(e) {
			continue
		}
		if !inStore {
			found = append(found, e.Path)
		}
		switch {
		case !inStore && e.Path != "gnu/store":
			c.close(0)
		case c.place(e):
			c.weigh(e)
		}
	}
	c.close(0)
	c.checkSequence(found)
}

// checkSequence compares the order of what is not in the store.
func (c *layerCheck) checkSequence(found []string) {
	var closest []string
	for links := range orders(c.extra.links(), found) {
		due := c.extra.namedSequence(c.extra.namedArguments(links))
		if slices.Equal(found, due) {
			return
		}
		if closest == nil || common(found, due) > common(found, closest) {
			closest = due
		}
	}
	i := common(found, closest)
	c.problem(at(found, i), "repack/sequence-order", "number", i+1, "packer", c.era.name, "want", at(closest, i))
}

func common(a, b []string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// orders yields the orders in which the caller may have given the links: all of
// few, else that in which the links come last in what was found.
func orders(links, found []string) func(yield func([]string) bool) {
	if len(links) > maxOrders {
		last := make(map[string]int)
		for i, p := range found {
			last[p] = i
		}
		slices.SortFunc(links, func(a, b string) int { return last[a] - last[b] })
		return func(yield func([]string) bool) { yield(links) }
	}
	return func(yield func([]string) bool) { permute(links, 0, yield) }
}

func permute(list []string, k int, yield func([]string) bool) bool {
	if k == len(list) {
		return yield(list)
	}
	for i := k; i < len(list); i++ {
		list[k], list[i] = list[i], list[k]
		if !permute(list, k+1, yield) {
			return false
		}
		list[k], list[i] = list[i], list[k]
	}
	return true
}

// repeated returns the header of an entry that tar meets again: it links what is
// no folder to what it wrote before, unless it was asked to write files whole.
func (c *layerCheck) repeated(h gnutar.Header, first *inspect.Entry) gnutar.Header {
	if c.style.linked && h.Kind != tar.TypeDir {
		h.Kind, h.Link, h.Size = tar.TypeLink, "./"+first.Path, 0
	}
	return h
}
