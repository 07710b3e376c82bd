package compare

import (
	"fmt"
	"maps"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/paths"
)

// What an entry can be, in words.
const (
	file         = "file"
	hardLink     = "hard link"
	symlink      = "symlink"
	folder       = "folder"
	charDevice   = "character device"
	blockDevice  = "block device"
	fifo         = "fifo"
	globalHeader = "global header"
)

// kind says what an entry is (POSIX.1-2017 pax, "typeflag"; 'S' is a sparse
// file of GNU tar).
func kind(e *inspect.Entry) string {
	switch e.Type {
	case '0', 0, '7', 'S':
		return file
	case '1':
		return hardLink
	case '2':
		return symlink
	case '3':
		return charDevice
	case '4':
		return blockDevice
	case '5':
		return folder
	case '6':
		return fifo
	case 'g':
		return globalHeader
	}
	return fmt.Sprintf("entry of type %q", e.Type)
}

// alike says whether two entries are the same in all that was parsed of them
// but the spelling of names.
func alike(a, b *inspect.Entry) bool {
	return kind(a) == kind(b) && sameContent(a, b) && target(a) == target(b) &&
		a.Mode == b.Mode && sameOwner(a, b) && sameTime(a, b) && maps.Equal(a.Attr().Xattrs, b.Attr().Xattrs) &&
		a.Attr().Devmajor == b.Attr().Devmajor && a.Attr().Devminor == b.Attr().Devminor
}

// sameContent says whether two entries hold the same bytes; what was not
// hashed is not known to be the same. The types '1' to '6' have no content.
func sameContent(a, b *inspect.Entry) bool {
	if '1' <= a.Type && a.Type <= '6' || a.Size == 0 && b.Size == 0 {
		return true
	}
	return a.Size == b.Size && a.Digest == b.Digest && !a.Digest.IsZero()
}

func sameOwner(a, b *inspect.Entry) bool {
	return a.Attr().UID == b.Attr().UID && a.Attr().GID == b.Attr().GID && a.Attr().Uname == b.Attr().Uname && a.Attr().Gname == b.Attr().Gname
}

// sameNumbers says whether the owners of two entries differ in no more than names, which
// engines do not read (moby, pkg/archive; containerd, archive/tar.go; containers/storage).
// What unpacks a bare root file system may look them up where it runs, but for root's.
func (w *walk) sameNumbers(a, b *inspect.Entry) bool {
	x, y := a.Attr(), b.Attr()
	if x.UID != y.UID || x.GID != y.GID {
		return false
	}
	return w.a.img.Transport != image.RootFS && w.b.img.Transport != image.RootFS ||
		(x.Uname == y.Uname || isRootName(x.UID, x.Uname) && isRootName(y.UID, y.Uname)) && (x.Gname == y.Gname || isRootName(x.GID, x.Gname) && isRootName(y.GID, y.Gname))
}

// isRootName says whether the name of an owner is that of his number wherever it is looked up.
func isRootName(id int, name string) bool { return name == "" || name == "root" && id == 0 }

func sameTime(a, b *inspect.Entry) bool { return a.ModTime == b.ModTime && a.ModNanos == b.ModNanos }

func sameXattr(a, b at, key string) bool {
	was, inA := a.Attr().Xattrs[key]
	now, inB := b.Attr().Xattrs[key]
	return was == now && inA == inB
}

// target is what a link leads to: for a hard link the path of an entry, for a
// symlink its very text, since "/a/x" and "a/x" lead elsewhere.
func target(e *inspect.Entry) string {
	switch kind(e) {
	case hardLink:
		return paths.Clean(e.Linkname)
	case symlink:
		return e.Linkname
	}
	return ""
}

// differences compares what was parsed of two entries.
func (w *walk) differences(a, b at) []Difference {
	if alike(a.Entry, b.Entry) {
		return nil
	}
	var found []Difference
	add := func(cause Cause, was, now Value, evidence []check.Message) {
		d := Difference{Path: a.Path, Layer: a.layer, Cause: cause, Was: was, Now: now, Evidence: evidence,
			Privileged: lendsRights(a.Entry) || lendsRights(b.Entry)}
		if cause == Content {
			d.files = &contentPair{a, b}
		}
		found = append(found, d)
	}
	w.substance(a, b, add)
	if a.Mode != b.Mode {
		if kind(a.Entry) == symlink && kind(b.Entry) == symlink {
			add(Packaging, Permissions(a.Mode), Permissions(b.Mode), evidence("difference/symlink-mode"))
		} else {
			add(Mode, Permissions(a.Mode), Permissions(b.Mode), nil)
		}
	}
	switch {
	case sameOwner(a.Entry, b.Entry):
	case w.sameNumbers(a.Entry, b.Entry):
		add(Packaging, ownerText(a.Entry), ownerText(b.Entry), evidence("difference/owner-name"))
	default:
		add(Owner, ownerText(a.Entry), ownerText(b.Entry), nil)
	}
	if !sameTime(a.Entry, b.Entry) {
		add(Timestamp, timeText(a.ModTime, a.ModNanos), timeText(b.ModTime, b.ModNanos), nil)
	}
	for _, key := range keys(a.Attr().Xattrs, b.Attr().Xattrs) {
		if !sameXattr(a, b, key) {
			add(Xattr, xattrText(key, a.Attr().Xattrs), xattrText(key, b.Attr().Xattrs), nil)
		}
	}
	return found
}

// substance compares what two entries are: kind, content, target, device.
func (w *walk) substance(a, b at, add func(cause Cause, was, now Value, evidence []check.Message)) {
	ka, kb := kind(a.Entry), kind(b.Entry)
	switch {
	case ka == hardLink && kb == hardLink && target(a.Entry) == target(b.Entry):
	case isFileOrLink(ka) && isFileOrLink(kb) && (ka == hardLink || kb == hardLink):
		cause, code := w.linked(a, b)
		add(cause, entryContent{a.Entry}, entryContent{b.Entry}, evidence(code))
	case ka != kb:
		add(Type, wholeEntry{a.Entry}, wholeEntry{b.Entry}, nil)
	case !sameContent(a.Entry, b.Entry):
		add(Content, entryContent{a.Entry}, entryContent{b.Entry}, nil)
	case target(a.Entry) != target(b.Entry):
		add(Link, Text(nameText(a.Linkname)), Text(nameText(b.Linkname)), nil)
	}
	if a.Attr().Devmajor != b.Attr().Devmajor || a.Attr().Devminor != b.Attr().Devminor {
		cause := Packaging
		if isDevice(ka) || isDevice(kb) {
			cause = Device
		}
		add(cause, deviceText(a.Entry), deviceText(b.Entry), nil)
	}
}

// lendsRights says whether an entry gives whoever uses it rights of somebody else.
func lendsRights(e *inspect.Entry) bool {
	const setuidOrGid = 06000
	return e.Mode&setuidOrGid != 0 && kind(e) != symlink || isDevice(kind(e)) || e.Attr().Xattrs["security.capability"] != ""
}

func isFileOrLink(kind string) bool { return kind == file || kind == hardLink }

func isDevice(kind string) bool { return kind == charDevice || kind == blockDevice }

func keys(a, b map[string]string) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}
