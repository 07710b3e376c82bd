package compare

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/paths"
	"audit/rebuild/compare/explain"
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
		a.Mode == b.Mode && sameOwner(a, b) && sameTime(a, b) && maps.Equal(a.Xattrs, b.Xattrs) &&
		a.Devmajor == b.Devmajor && a.Devminor == b.Devminor
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
	return a.UID == b.UID && a.GID == b.GID && a.Uname == b.Uname && a.Gname == b.Gname
}

func sameTime(a, b *inspect.Entry) bool { return a.ModTime == b.ModTime && a.ModNanos == b.ModNanos }

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
	add := func(cause Cause, was, now string, evidence []check.Message) {
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
			add(Packaging, modeText(a.Mode), modeText(b.Mode), evidence("difference/symlink-mode"))
		} else {
			add(Mode, modeText(a.Mode), modeText(b.Mode), nil)
		}
	}
	if !sameOwner(a.Entry, b.Entry) {
		add(Owner, ownerText(a.Entry), ownerText(b.Entry), nil)
	}
	if !sameTime(a.Entry, b.Entry) {
		add(Timestamp, timeText(a.ModTime, a.ModNanos), timeText(b.ModTime, b.ModNanos), nil)
	}
	for _, key := range keys(a.Xattrs, b.Xattrs) {
		was, inA := a.Xattrs[key]
		now, inB := b.Xattrs[key]
		if was != now || inA != inB {
			add(Xattr, xattrText(key, was, inA), xattrText(key, now, inB), nil)
		}
	}
	return found
}

// substance compares what two entries are: kind, content, target, device.
func (w *walk) substance(a, b at, add func(cause Cause, was, now string, evidence []check.Message)) {
	ka, kb := kind(a.Entry), kind(b.Entry)
	switch {
	case ka == hardLink && kb == hardLink && target(a.Entry) == target(b.Entry):
	case isFileOrLink(ka) && isFileOrLink(kb) && (ka == hardLink || kb == hardLink):
		cause, code := w.linked(a, b)
		add(cause, linkText(a.Entry), linkText(b.Entry), evidence(code))
	case ka != kb:
		add(Type, describe(a.Entry), describe(b.Entry), nil)
	case !sameContent(a.Entry, b.Entry):
		add(Content, contentText(a.Entry), contentText(b.Entry), nil)
	case target(a.Entry) != target(b.Entry):
		add(Link, nameText(a.Linkname), nameText(b.Linkname), nil)
	}
	if a.Devmajor != b.Devmajor || a.Devminor != b.Devminor {
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
	return e.Mode&setuidOrGid != 0 && kind(e) != symlink || isDevice(kind(e)) || e.Xattrs["security.capability"] != ""
}

func isFileOrLink(kind string) bool { return kind == file || kind == hardLink }

func isDevice(kind string) bool { return kind == charDevice || kind == blockDevice }

func keys(a, b map[string]string) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// describe says in a line what an entry is.
func describe(e *inspect.Entry) string {
	what := kind(e)
	switch what {
	case file:
		what = contentText(e)
	case hardLink, symlink:
		what = linkText(e)
	case charDevice, blockDevice:
		what += " " + deviceText(e)
	}
	if mark := whiteout(e.Path); mark != "" {
		what = mark + ", " + what
	}
	return fmt.Sprintf("%s, %s, %s", what, modeText(e.Mode), ownerText(e))
}

// whiteout says what a marker hides in the layers below (OCI image-spec v1.1,
// layer.md), "" for all other entries.
func whiteout(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	hidden, ok := strings.CutPrefix(name, ".wh.")
	switch {
	case !ok:
		return ""
	case hidden == ".wh..opq":
		return "opaque marker: hides all of the folder in lower layers"
	}
	return "whiteout: hides " + nameText(hidden) + " of lower layers"
}

func contentText(e *inspect.Entry) string {
	if e.Digest.IsZero() {
		return fmt.Sprintf("file of %d bytes", e.Size)
	}
	return fmt.Sprintf("file of %d bytes, %s", e.Size, e.Digest)
}

func linkText(e *inspect.Entry) string {
	switch k := kind(e); k {
	case hardLink, symlink:
		return k + " to " + nameText(e.Linkname)
	}
	return contentText(e)
}

// modeText writes permissions as chmod(1) takes them, with the bits that lend
// rights in words.
func modeText(mode int64) string {
	text := fmt.Sprintf("%04o", mode)
	for _, bit := range []struct {
		mask int64
		name string
	}{{04000, "setuid"}, {02000, "setgid"}, {01000, "sticky"}} {
		if mode&bit.mask != 0 {
			text += " " + bit.name
		}
	}
	return text
}

func ownerText(e *inspect.Entry) string {
	text := fmt.Sprintf("%d:%d", e.UID, e.GID)
	if e.Uname != "" || e.Gname != "" {
		text += fmt.Sprintf(" (%s:%s)", nameText(e.Uname), nameText(e.Gname))
	}
	return text
}

func deviceText(e *inspect.Entry) string { return fmt.Sprintf("%d:%d", e.Devmajor, e.Devminor) }

// timeText writes a time by RFC 3339, or as seconds where its year has more
// than four digits.
func timeText(seconds int64, nanos int32) string {
	t := time.Unix(seconds, int64(nanos)).UTC()
	if seconds < -62135596800 || seconds > 253402300799 {
		return fmt.Sprintf("@%d.%09d", seconds, nanos)
	}
	return t.Format(time.RFC3339Nano)
}

// xattrText writes an extended attribute as getfattr(1) does, and a file
// capability with its names.
func xattrText(key, value string, present bool) string {
	if !present {
		return ""
	}
	text := nameText(key) + "=" + valueText(value)
	if key == "security.capability" {
		text += capabilities(value)
	}
	return text
}

// valueText writes text quoted, all else in hexadecimal.
func valueText(value string) string {
	if explain.IsPlain(value) {
		return strconv.Quote(value)
	}
	return fmt.Sprintf("0x%x", value)
}

// nameText writes a name as it is when it can be printed, else quoted.
func nameText(name string) string {
	if explain.IsPlain(name) {
		return name
	}
	return strconv.Quote(name)
}
