package compare

import (
	"maps"

	"audit/inspect"
)

// rootsByPath leads from the paths of a layer that are hard links, or the
// target of one, to the entry that has the content. A link to nothing that
// stands before it has none.
type rootsByPath map[string]*inspect.Entry

func (s *side) rootsOf(layer int) rootsByPath {
	if s.roots[layer] == nil {
		s.roots[layer] = findRoots(s.img.Layers[layer].Entries)
	}
	return s.roots[layer]
}

func findRoots(entries []*inspect.Entry) rootsByPath {
	targets := make(map[string]bool)
	for i := range entries {
		if kind(entries[i]) == hardLink {
			targets[target(entries[i])] = true
		}
	}
	roots := make(rootsByPath)
	for i := range entries {
		e := entries[i]
		switch {
		case kind(e) == hardLink:
			roots[e.Path] = roots[target(e)]
		case targets[e.Path]:
			roots[e.Path] = e
		}
	}
	return roots
}

// root returns the entry that has the content of a file or hard link, nil
// when the layer has none.
func (s *side) root(e at) *inspect.Entry {
	if kind(e.Entry) == hardLink {
		return s.rootsOf(e.layer)[e.Path]
	}
	return e.Entry
}

// Codes of two entries that are packed otherwise, of which one is a hard link.
const (
	SameFile   = "difference/same-file"    // both name the same file
	LinkOrCopy = "difference/link-or-copy" // a link here, a copy there, of the same file
)

// linked compares two entries of which at least one is a hard link. Where another of the
// same names came first in the tar, a container sees the same as long as the file behind
// both is: that is packaging. Where one image has a link and the other a copy it reads the
// same bytes, but what is written under one name shows under the other in one image alone:
// but for store items, into which nothing is written, that is a cause of its own. A link to
// another file is a link. The code says which.
func (w *walk) linked(a, b at) (Cause, string) {
	x, y := w.a.root(a), w.b.root(b)
	switch {
	case x == nil || y == nil:
		return Link, "difference/link-before-target"
	case kind(x) != file || kind(y) != file:
		return Link, "difference/link-to-no-file"
	case !sameContent(x, y):
		return Link, "difference/linked-files-differ"
	case x.Mode != y.Mode || !sameOwner(x, y) || !maps.Equal(x.Attr().Xattrs, y.Attr().Xattrs):
		return Link, "difference/linked-files-rights"
	case kind(a.Entry) == hardLink && kind(b.Entry) == hardLink && !w.sameGroup(a, b):
		return Link, "difference/linked-files-apart"
	case kind(a.Entry) == kind(b.Entry):
		return Packaging, SameFile
	case w.a.img.Stores.InItem(a.Path):
		return Packaging, LinkOrCopy
	}
	return HardLink, LinkOrCopy
}

// sameGroup says whether the targets of two hard links are names of the same
// file in both images.
func (w *walk) sameGroup(a, b at) bool {
	inA, inB := w.a.rootsOf(a.layer), w.b.rootsOf(b.layer)
	return inA[target(b.Entry)] == inA[a.Path] && inB[target(a.Entry)] == inB[b.Path]
}
