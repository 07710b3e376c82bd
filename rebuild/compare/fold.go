package compare

import (
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/paths"
)

// listed is a cause that is reported already, for a path or for a file under any of
// its names: one of the two.
type listed struct {
	path  string
	inode image.InodeID
	cause Cause
}

// folded compares the root file systems that a container sees, as an engine folds
// them from all layers: which file a link leads through, what a whiteout hides and
// which entry comes last decide what that is, whatever the entries of single layers
// show. What these have shown already is not reported again. It notes which
// paths of the root file systems differ.
func (w *walk) folded() {
	if w.allEqual() {
		return
	}
	known := make(map[listed]bool)
	for _, d := range w.out.Differences {
		known[listed{path: d.Path, cause: d.Cause}] = true
		for _, inode := range w.inodes(d.Path) {
			known[listed{inode: inode, cause: d.Cause}] = true
		}
	}
	was, now := w.a.img.Root(), w.b.img.Root()
	for i, j := 0, 0; i < was.Len() || j < now.Len(); {
		a, b := fileAt(was, i), fileAt(now, j)
		switch order := compareFiles(a, b); {
		case order < 0:
			if !isImplied(a.Inode.Header, now) {
				w.inRoot(known, a.Layer, -1, rootDifference(a, Missing))
			}
			i++
		case order > 0:
			if !isImplied(b.Inode.Header, was) {
				w.inRoot(known, -1, b.Layer, rootDifference(b, Extra))
			}
			j++
		default:
			switch {
			case a.Inode.Header == a.Inode.Entry && b.Inode.Header == b.Inode.Entry && alike(a.Inode.Entry, b.Inode.Entry) && kind(a.Inode.Entry) != hardLink:
			case w.dangles(a, b):
				w.inRoot(known, a.Layer, b.Layer, Difference{Path: a.Path, Layer: a.Layer, Cause: Link, Was: wholeEntry{a.Inode.Entry}, Now: wholeEntry{b.Inode.Entry},
					Evidence: evidence("difference/link-before-target")})
			case !w.isSeen(a, b):
				w.inRoot(known, a.Layer, b.Layer, w.differences(inodeAt(a), inodeAt(b))...)
			}
			i, j = i+1, j+1
		}
	}
}

// allEqual says whether all layers are the same in the same order: then so are the
// root file systems.
func (w *walk) allEqual() bool {
	for i, j := range w.a.partner {
		if i != j || !w.a.equal[i] {
			return false
		}
	}
	return len(w.a.partner) == len(w.b.partner)
}

// rootDifference is a file that only one of the root file systems has.
func rootDifference(f inspect.File, cause Cause) Difference {
	e := inodeAt(f)
	d := Difference{Path: f.Path, Layer: f.Layer, Cause: cause, Was: wholeEntry{e.Entry}, Privileged: lendsRights(e.Entry)}
	if cause == Extra {
		d.Was, d.Now = nil, d.Was
	}
	return d
}

// inodeAt is a file as an engine makes it: an entry without hard links, with the
// rights that the last name of the inode has given it.
func inodeAt(f inspect.File) at {
	e, last := *f.Inode.Entry, f.Inode.Header
	attr := *last.Attr()
	attr.Devmajor, attr.Devminor = e.Attr().Devmajor, e.Attr().Devminor
	e.Path, e.Mode, e.ModTime, e.ModNanos, e.Attributes = f.Path, last.Mode, last.ModTime, last.ModNanos, &attr
	return at{&e, f.Layer}
}

// dangles says whether a name is a hard link to nothing that an engine could link
// it to, in layers that are not compared with each other: what engines make of it
// depends on what lies around it.
func (w *walk) dangles(a, b inspect.File) bool {
	return (kind(a.Inode.Entry) == hardLink || kind(b.Inode.Entry) == hardLink) && w.a.partner[a.Layer] != b.Layer
}

// isSeen says whether two files have the same names, of which these are not the
// first: then they were compared under that one.
func (w *walk) isSeen(a, b inspect.File) bool {
	return len(a.Inode.Links) > 1 && a.Path != a.Inode.Links[0] && w.sameNames(a, b)
}

// sameNames says whether two files have the same names. It compares those of two
// inodes once, however many they are.
func (w *walk) sameNames(a, b inspect.File) bool {
	pair := [2]image.InodeID{a.Inode.ID(), b.Inode.ID()}
	same, ok := w.named[pair]
	if !ok {
		same = slices.Equal(a.Inode.Links, b.Inode.Links)
		w.named[pair] = same
	}
	return same
}

// inodes are the files of that path in the two root file systems, where they have
// other names too.
func (w *walk) inodes(path string) (found []image.InodeID) {
	for _, img := range []*inspect.Image{w.a.img, w.b.img} {
		if f, ok := img.Root().Name(path); ok && len(f.Inode.Links) > 1 {
			found = append(found, f.Inode.ID())
		}
	}
	return found
}

// inRoot notes differences between the root file systems, but for those that the
// entries have shown under any name of the file, and those of packaging.
func (w *walk) inRoot(known map[listed]bool, a, b int, found ...Difference) {
	for _, d := range found {
		if !d.Cause.Harmless() {
			w.rootPaths[d.Path] = true
			for _, inode := range w.inodes(d.Path) {
				w.rootInodes[inode] = true
			}
		}
		if d.Cause == Packaging || w.isReported(known, d) {
			continue
		}
		d.Evidence = append([]check.Message{check.Say("difference/of-folded-layers")}, d.Evidence...)
		w.report(d, a, b)
	}
}

// isReported says whether a difference of the root file systems is known from the
// entries: under its own path or that of another name of the file, where the entry
// is a link to another file, or where the files as a whole are of two kinds.
func (w *walk) isReported(known map[listed]bool, d Difference) bool {
	if known[listed{path: d.Path, cause: d.Cause}] || known[listed{path: d.Path, cause: Link}] {
		return true
	}
	for _, inode := range w.inodes(d.Path) {
		if known[listed{inode: inode, cause: d.Cause}] || known[listed{inode: inode, cause: Link}] {
			return true
		}
	}
	return false
}

// fileAt is a file by its place, and after the last the zero File.
func fileAt(root *inspect.Root, i int) inspect.File {
	if i == root.Len() {
		return inspect.File{}
	}
	return root.File(i)
}

// compareFiles orders two files; the zero File comes last.
func compareFiles(was, now inspect.File) int {
	switch {
	case was.Entry == nil:
		return 1
	case now.Entry == nil:
		return -1
	}
	return paths.Compare(was.Path, now.Path)
}
