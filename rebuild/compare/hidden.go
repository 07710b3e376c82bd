package compare

import (
	"maps"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// HiddenEntry is the code of a difference between layers that the root file
// systems do not have.
const HiddenEntry = "difference/hidden-entry"

// hide makes packaging of what differs in layers and not in the root file
// systems: a later layer removes or replaces the entries, or both roots have
// the same at their path. The difference stays, with its path: whoever takes
// the layers apart sees the bytes. What readers could fold in two ways stays
// what it was. It says whether there was any.
func (w *walk) hide() bool {
	var found []*Difference
	for i := range w.out.Differences {
		if d := &w.out.Differences[i]; d.Layer >= 0 && d.Path != "" && !d.Cause.Harmless() {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		return false
	}
	unsure := make(map[uint64]bool)
	if w.a.unsure(unsure) || w.b.unsure(unsure) {
		return false
	}
	some := false
	for _, d := range found {
		if w.isHidden(d) && !within(unsure, hiddenBy(d.Path)) {
			was := d.Cause
			d.Cause, d.files, some = Packaging, nil, true
			d.Evidence = append([]check.Message{check.Say(HiddenEntry, "cause", string(was))}, d.Evidence...)
		}
	}
	return some
}

// isHidden says whether the root file systems do not show a difference of the
// layers.
func (w *walk) isHidden(d *Difference) bool {
	if d.Shows("difference/repeated-entry") || d.Shows("difference/targets-before-link") {
		return false
	}
	x, inA := w.a.img.Root().Name(d.Path)
	y, inB := w.b.img.Root().Name(d.Path)
	switch {
	case w.rootPaths[d.Path], inA && w.rootInodes[x.Inode.ID()], inB && w.rootInodes[y.Inode.ID()]:
		return false
	case inA != inB:
		return false
	case !inA:
		return !w.hidesNothing(d)
	case (d.Cause == Link || d.Cause == HardLink) && !w.sameNames(x, y), d.Shows(headerRecord):
		return false
	case hasTwoHeaders(x) || hasTwoHeaders(y):
		return false
	}
	return w.sameRecords(x, y)
}

// hasTwoHeaders says whether the last name of a file gives it other rights than the
// first: some engines keep those of the first.
func hasTwoHeaders(f inspect.File) bool {
	first, last := f.Inode.Entry, f.Inode.Header
	x, y := first.Attr(), last.Attr()
	return first.Mode != last.Mode || x.UID != y.UID || x.GID != y.GID || !maps.Equal(x.Xattrs, y.Xattrs)
}

// sameRecords says whether the headers that give two files their attributes
// have the same records that no field of an entry holds, such as access control
// lists.
func (w *walk) sameRecords(x, y inspect.File) bool {
	s, t := w.a.shapeOf(x.Inode.Header, w.names), w.b.shapeOf(y.Inode.Header, w.names)
	if s == t {
		return true
	}
	return !slices.ContainsFunc(w.names.differences(s, t), func(f headerDifference) bool { return !f.cause.Harmless() })
}

// shapeOf is the shape of the headers of an entry of any layer.
func (s *side) shapeOf(e *inspect.Entry, names *shapeNames) shapeID {
	if s.byEntry == nil {
		s.byEntry = make(map[*inspect.Entry]shapeID)
		for i, l := range s.img.Layers {
			if s.shapes[i] == nil {
				s.readFrame(i, l, names)
			}
			for j := range l.Entries {
				s.byEntry[l.Entries[j]] = s.shapes[i][j]
			}
		}
	}
	return s.byEntry[e]
}

// unsure adds the hashes of what a layer both has and hides, and of what a global header
// has the name of, which engines remove or keep, each in its way. It says whether the layers have marks of
// overlayfs in place of whiteouts, which some file systems obey.
func (s *side) unsure(found map[uint64]bool) bool {
	for _, f := range s.img.Root().Problems() {
		if f.Code == "integrity/ambiguous-global-header" {
			found[lastHash(strings.TrimSuffix(hiddenBy(f.Path), "/"+opaqueMarker))] = true
		}
	}
	for _, l := range s.img.Layers {
		hidden := make(map[uint64]bool)
		for i := range l.Entries {
			e := l.Entries[i]
			if isWhiteout(e.Path) {
				hidden[lastHash(hiddenBy(e.Path))] = true
			}
			for key := range e.Attr().Xattrs {
				if strings.HasPrefix(key, "trusted.overlay.") || strings.HasPrefix(key, "user.overlay.") {
					return true
				}
			}
			if kind(e) == charDevice && e.Attr().Devmajor == 0 && e.Attr().Devminor == 0 {
				return true
			}
		}
		if len(hidden) == 0 {
			continue
		}
		for i := range l.Entries {
			for hash := range hashes(l.Entries[i].Path) {
				if hidden[hash] && !isWhiteout(l.Entries[i].Path) {
					found[hash] = true
				}
			}
		}
	}
	return false
}

// hidesNothing says whether a difference is a whiteout that only one image has,
// where no lower layer of that image has what it hides: on a base of other
// layers it would hide something.
func (w *walk) hidesNothing(d *Difference) bool {
	s := &w.a
	switch {
	case !isWhiteout(d.Path):
		return false
	case d.Cause == Extra:
		s = &w.b
	case d.Cause != Missing:
		return false
	}
	first, ok := s.lowest()[lastHash(hiddenBy(d.Path))]
	return !ok || first >= d.Layer
}

// lowest leads from the hash of a path to the lowest layer that has it, and from
// that of an opaque marker to the lowest that has something in its folder.
func (s *side) lowest() map[uint64]int {
	if s.first != nil {
		return s.first
	}
	s.first = make(map[uint64]int)
	lower := func(hash uint64, layer int) {
		if at, ok := s.first[hash]; !ok || layer < at {
			s.first[hash] = layer
		}
	}
	for i, l := range s.img.Layers {
		for j := range l.Entries {
			path := l.Entries[j].Path
			if isWhiteout(path) {
				continue
			}
			own := lastHash(path)
			for hash := range hashes(path) {
				lower(hash, i)
				if hash != own {
					lower(hashOn(hash, "/"+opaqueMarker), i)
				}
			}
			if path != "." {
				lower(lastHash(opaqueMarker), i)
			}
		}
	}
	return s.first
}

// hiddenBy is the path that a whiteout hides, or the path itself.
func hiddenBy(path string) string {
	at := strings.LastIndexByte(path, '/') + 1
	if name, ok := strings.CutPrefix(path[at:], ".wh."); ok && name != ".wh..opq" {
		return path[:at] + name
	}
	return path
}

func within(set map[uint64]bool, path string) bool {
	if len(set) == 0 {
		return false
	}
	for hash := range hashes(path) {
		if set[hash] {
			return true
		}
	}
	return false
}
