package compare

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild/compare/explain"
)

// A Value is what one of two images has where they differ; nil stands for
// nothing. It becomes words in package report, by the code of its message.
type Value interface{ Message() check.Message }

// Text is a value in the notation that its field has: a path, a time by RFC 3339,
// an owner as tar(1) lists it, an extended attribute as getfattr(1) shows it.
type Text string

// Message is the text itself.
func (t Text) Message() check.Message { return check.Say("value/text", "text", string(t)) }

// TextValue is the value of a text, nil for none.
func TextValue(s string) Value {
	if s == "" {
		return nil
	}
	return Text(s)
}

// Permissions are the bits of a mode: permissions, setuid, setgid and sticky.
type Permissions int64

// Message has the mode as chmod(1) takes it, and the names of the special bits.
func (p Permissions) Message() check.Message {
	var names []string
	for _, bit := range []struct {
		mask Permissions
		name string
	}{{04000, "setuid"}, {02000, "setgid"}, {01000, "sticky"}} {
		if p&bit.mask != 0 {
			names = append(names, bit.name)
		}
	}
	return check.Say("value/mode", "mode", fmt.Sprintf("%04o", int64(p)), "bits", strings.Join(names, " "))
}

// coded is a value that is a message and nothing else.
type coded check.Message

func (c coded) Message() check.Message { return check.Message(c) }

// Argument is a value as the argument of a message; of a text it is at most 200
// characters.
func Argument(v Value) any {
	switch v := v.(type) {
	case nil:
		return ""
	case Text:
		return check.Clip(string(v))
	}
	return v.Message()
}

// A wholeEntry is an entry with all that its header says.
type wholeEntry struct{ *inspect.Entry }

func (e wholeEntry) Message() check.Message {
	entry := check.Say("value/entry", "what", e.what(), "mode", Permissions(e.Mode).Message(), "owner", string(ownerText(e.Entry)))
	switch hidden, ok := strings.CutPrefix(path.Base(e.Path), whiteoutPrefix); {
	case !ok:
		return entry
	case path.Base(e.Path) == opaqueMarker:
		return check.Say("value/opaque-marker", "entry", entry)
	default:
		return check.Say("value/whiteout", "hides", nameText(hidden), "entry", entry)
	}
}

func (e wholeEntry) what() check.Message {
	switch k := kind(e.Entry); k {
	case file, hardLink, symlink:
		return entryContent(e).Message()
	case charDevice, blockDevice:
		return check.Say("value/device", "kind", k, "numbers", string(deviceText(e.Entry)))
	default:
		return check.Say("value/kind", "kind", k)
	}
}

// An entryContent is the bytes of an entry, or where it leads as a link.
type entryContent struct{ *inspect.Entry }

func (e entryContent) Message() check.Message {
	k := kind(e.Entry)
	switch {
	case k == hardLink || k == symlink:
		return check.Say("value/link", "kind", k, "target", nameText(e.Linkname))
	case e.Digest.IsZero():
		return check.Say("value/file", "size", e.Size)
	}
	return check.Say("value/file", "size", e.Size, "digest", e.Digest)
}

// Whiteouts hide what lower layers have (OCI image-spec v1.1, layer.md).
const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
)

func isWhiteout(name string) bool { return strings.HasPrefix(path.Base(name), whiteoutPrefix) }

func ownerText(e *inspect.Entry) Text {
	text := fmt.Sprintf("%d:%d", e.Attr().UID, e.Attr().GID)
	if e.Attr().Uname != "" || e.Attr().Gname != "" {
		text += fmt.Sprintf(" (%s:%s)", nameText(e.Attr().Uname), nameText(e.Attr().Gname))
	}
	return Text(text)
}

func deviceText(e *inspect.Entry) Text {
	return Text(fmt.Sprintf("%d:%d", e.Attr().Devmajor, e.Attr().Devminor))
}

// timeText writes a time by RFC 3339, or as seconds where its year has more
// than four digits.
func timeText(seconds int64, nanos int32) Text {
	t := time.Unix(seconds, int64(nanos)).UTC()
	if seconds < -62135596800 || seconds > 253402300799 {
		return Text(fmt.Sprintf("@%d.%09d", seconds, nanos))
	}
	return Text(t.Format(time.RFC3339Nano))
}

// xattrText writes an extended attribute as getfattr(1) does, and a file
// capability with its names.
func xattrText(key string, of map[string]string) Value {
	value, present := of[key]
	if !present {
		return nil
	}
	text := nameText(key) + "=" + valueText(value)
	if key == "security.capability" {
		text += capabilities(value)
	}
	return Text(text)
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
