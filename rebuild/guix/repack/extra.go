package repack

import (
	"archive/tar"
	"maps"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/paths"
	"audit/provenance/guix"
	"audit/rebuild/gnutar"
)

// A node is an entry that the packer makes itself, outside the store items.
type node struct {
	kind  byte
	mode  int64
	link  string
	below string // of a symlink that the caller asked for: what its target begins with
}

// An extra is all that the packer makes beside the store items, by path.
type extra struct {
	nodes map[string]node
	bare  map[string]bool // symlinks that come without the folders above them
}

// newExtra returns what the packer of an era makes for a recipe.
func newExtra(e era, pack guix.Pack, img *inspect.Image) extra {
	x := extra{nodes: make(map[string]node), bare: make(map[string]bool)}
	if e.dotted || e.populated {
		x.layout(guix.NewLayout(pack))
		x.onlySome(img)
		if e.named {
			x.namedNodes()
		}
		return x
	}
	if e.tmp {
		x.nodes["tmp"] = node{kind: tar.TypeDir, mode: 0o1777}
	}
	if e.storeDirs {
		x.folder("gnu/store")
	}
	for _, s := range pack.Symlinks {
		source := strings.Trim(s.Source, "/")
		if e.bareLinks {
			x.bare[source] = true
		} else {
			x.folder(paths.Above(source))
		}
		x.nodes[source] = node{kind: tar.TypeSymlink, mode: 0o777, link: pack.Root + "/" + s.Target, below: pack.Root + "/"}
	}
	if pack.Database {
		x.database(pack.Root)
	}
	return x
}

// layout adds what a packer makes.
func (x extra) layout(l guix.Layout) {
	for p, made := range l {
		n := node{kind: made[0].Kind, mode: int64(made[0].Mode), link: made[0].Target}
		if n.kind == tar.TypeSymlink {
			n.mode = 0o777
		}
		x.nodes[p] = n
	}
}

// onlySome drops what only some versions of a system's packer made, where the
// image has nothing of the kind.
func (x extra) onlySome(img *inspect.Image) {
	has := make(map[string]bool)
	for f := range img.Root().Files() {
		has[f.Path] = true
	}
	for _, p := range []string{"run", "var/run", "root"} {
		if !has[p] {
			delete(x.nodes, p)
		}
	}
}

// database adds what (gnu build install) makes around the store's database.
func (x extra) database(root string) {
	const profiles = "var/guix/profiles/per-user/root"
	x.folder("var/guix/db")
	x.folder("var/guix/gcroots")
	x.folder(profiles)
	x.nodes["var/guix/db/db.sqlite"] = node{kind: tar.TypeReg, mode: 0o644}
	x.symlink("var/guix/gcroots/profiles", "/var/guix/profiles")
	x.symlink(profiles+"/guix-profile-1-link", root)
	x.symlink(profiles+"/guix-profile", "guix-profile-1-link")
}

// folder adds the folder at p and those above it.
func (x extra) folder(p string) {
	for ; p != ""; p = paths.Above(p) {
		if _, ok := x.nodes[p]; !ok {
			x.nodes[p] = node{kind: tar.TypeDir, mode: 0o755}
		}
	}
}

func (x extra) symlink(p, target string) {
	x.nodes[p] = node{kind: tar.TypeSymlink, mode: 0o777, link: target}
}

// header returns the header that the packer gives the entry e, which is n.
func (n node) header(e *inspect.Entry) gnutar.Header {
	h := gnutar.Header{Name: e.Path, Mode: n.mode, Kind: n.kind, Link: n.link, Time: 1}
	switch {
	case n.kind == tar.TypeDir:
		h.Name += "/"
	case n.kind == tar.TypeReg:
		h.Size = e.Size
	case n.below != "" && strings.HasPrefix(e.Linkname, n.below) && path.Clean(e.Linkname) == path.Clean(n.link):
		h.Link = e.Linkname // "bin/" is as good as "bin": the caller's own text
	}
	return h
}

// arguments returns the names that the packer hands to tar for x, in order.
// The order of bare symlinks is the caller's, so it is taken from the image.
func (x extra) arguments(found []string, e era) []string {
	var args []string
	if e.fromRoot {
		return []string{"."}
	}
	if e.populated && !e.sorted { // in the order of readdir
		for _, p := range found {
			if _, ok := x.nodes[p]; ok {
				args = append(args, p)
			}
		}
		return args
	}
	for _, p := range slices.Sorted(maps.Keys(x.nodes)) {
		if !strings.Contains(p, "/") && !x.bare[p] {
			args = append(args, p)
		}
	}
	for _, p := range found {
		if x.bare[p] {
			args = append(args, p)
		}
	}
	return args
}
