package compare

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"audit/inspect"
)

// What the fields of a shape are called that come from extended headers.
const (
	recordField    = "PAX record "
	extensionField = "extended header "
	// entrysOwn stands for the value of a record that is what the entry's field has.
	// Values are quoted, so that none is the same; see valuesText.
	entrysOwn = "\x01"
)

// What the fields of GNU tar's header are called that have times.
const (
	accessTimeField = "access time field"
	changeTimeField = "change time field"
)

// isExtension says whether a type flag is that of a header about the next
// entry: POSIX extended headers, and the long names and link names of GNU tar.
func isExtension(flag byte) bool {
	return flag == 'x' || flag == 'g' || flag == 'X' || flag == 'L' || flag == 'K'
}

// extension describes the extended header at the start of piece and returns
// how many bytes it takes; 0 when it cannot be understood.
func (s *shaper) extension(e *inspect.Entry, piece []byte) int {
	h, flag := piece[:block], piece[156]
	size, form := parseNumber(h[124:136])
	if form == "" || size < 0 || size > int64(len(piece)-block) {
		return 0
	}
	end := block + int(size)
	next := (end + block - 1) / block * block
	if next > len(piece) {
		return 0
	}
	data := piece[block:end]
	s.extensionHeader(e, h, size, fmt.Sprintf("%s%c: ", extensionField, flag))
	switch flag {
	case 'L':
		s.longText(extensionField+"L: text", data, e.Name)
	case 'K':
		s.longText(extensionField+"K: text", data, e.Linkname)
	case 'g':
		s.records(nil, data)
	default:
		s.records(e, data)
	}
	s.zeros(fmt.Sprintf("%s%c: padding", extensionField, flag), piece[end:next])
	return next
}

// extensionHeader describes the header block of an extended header. It has a
// name, mode, owner and time of its own, which many packers take from the entry.
func (s *shaper) extensionHeader(e *inspect.Entry, h []byte, size int64, prefix string) {
	s.magic(prefix, h)
	s.say(prefix+"name", strconv.Quote(template(cString(h[:100]), e.Path)))
	if name := cString(h[:100]); !isZero(h[len(name):100]) {
		s.raw(prefix+"name field", h[:100])
	}
	s.raw(prefix+"mode", h[100:108])
	s.taken(prefix+"uid", h[108:116], int64(e.Attr().UID))
	s.taken(prefix+"gid", h[116:124], int64(e.Attr().GID))
	s.number(prefix+"size", h[124:136], size)
	s.taken(prefix+"mtime", h[136:148], e.ModTime)
	s.checksum(prefix, h)
	s.zeros(prefix+"link name", h[157:257])
	for _, f := range []struct {
		name     string
		from, to int
	}{{"user name", 265, 297}, {"group name", 297, 329}, {"device major", 329, 337}, {"device minor", 337, 345}, {"name prefix", 345, 500}, {"end", 500, 512}} {
		s.zeros(prefix+f.name, h[f.from:f.to])
	}
}

// taken describes a number that may be the entry's own.
func (s *shaper) taken(field string, value []byte, entry int64) {
	if got, form := parseNumber(value); form != "" && got == entry && got != 0 {
		s.say(field, "the entry's, "+form)
		return
	}
	s.raw(field, value)
}

// template replaces the folder and base name of an entry in the name of its
// extended header by %d and %f, as pax(1) calls them, so that all entries of
// an archive have the same.
func template(name, entry string) string {
	if entry == "." {
		return name
	}
	dir, base := path.Split(entry)
	if before, ok := strings.CutSuffix(name, "/"+base); ok {
		name = before + "/%f"
	} else if i := strings.LastIndexByte(name, '/'); i >= 0 && strings.HasPrefix(base, name[i+1:]) {
		name = name[:i+1] + "%f, cut after " + strconv.Itoa(len(name)-i-1) + " bytes"
	}
	if rest, ok := strings.CutPrefix(name, dir); ok && dir != "" {
		name = "%d/" + rest
	}
	return name
}

func (s *shaper) longText(field string, data []byte, want string) {
	if string(data) == want+"\x00" {
		s.say(field, "ends in NUL")
		return
	}
	s.raw(field, data)
}

// records describes PAX records, "LENGTH KEY=VALUE\n" each, for e, or for the
// archive where e is nil.
func (s *shaper) records(e *inspect.Entry, data []byte) {
	for len(data) > 0 {
		digits, _, ok := bytes.Cut(data, []byte(" "))
		n, err := strconv.Atoi(string(digits))
		if !ok || err != nil || n <= len(digits)+1 || n > len(data) || data[n-1] != '\n' || strconv.Itoa(n) != string(digits) {
			s.raw(extensionField+"x: records", data)
			return
		}
		key, value, ok := strings.Cut(string(data[len(digits)+1:n-1]), "=")
		switch {
		case !ok:
			s.raw(extensionField+"x: records", data[:n])
		case e != nil && isOwn(e, key, value):
			s.say(recordField+nameText(key), entrysOwn)
		case e != nil:
			s.say(recordField+nameText(key), valueText(value))
		default:
			s.say("global "+recordField+nameText(key), valueText(value))
		}
		data = data[n:]
	}
}

// isOwn says whether a record holds what a field of the entry holds, in the one
// way to write it.
func isOwn(e *inspect.Entry, key, value string) bool {
	switch key {
	case "path":
		return value == e.Name
	case "linkpath":
		return value == e.Linkname
	case "size":
		return value == strconv.FormatInt(e.Size, 10)
	case "uid":
		return value == strconv.Itoa(e.Attr().UID)
	case "gid":
		return value == strconv.Itoa(e.Attr().GID)
	case "uname":
		return value == e.Attr().Uname
	case "gname":
		return value == e.Attr().Gname
	case "mtime":
		return value == paxTime(e.ModTime, e.ModNanos)
	}
	if name, ok := xattrName(key); ok {
		have, ok := e.Attr().Xattrs[name]
		return ok && (have == value || strings.HasPrefix(key, "LIBARCHIVE.") && have == libarchiveValue(value))
	}
	return false
}

// libarchiveValue decodes the value of a record of bsdtar, which repeats in
// base64, with or without padding, what SCHILY.xattr holds (libarchive
// archive_write_set_format_pax.c). It is the text itself when it is no base64.
func libarchiveValue(text string) string {
	value, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return text
	}
	return string(value)
}

// xattrName returns the name of the extended attribute that a record holds
// (star(1), libarchive-formats(5)).
func xattrName(key string) (string, bool) {
	if name, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok {
		return name, true
	}
	name, ok := strings.CutPrefix(key, "LIBARCHIVE.xattr.")
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain // bsdtar escapes what is no plain character
	}
	return name, ok
}

// paxTime writes a time as PAX records have it: seconds, and a fraction
// without zeros at its end.
func paxTime(seconds int64, nanos int32) string {
	text := strconv.FormatInt(seconds, 10)
	if nanos != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%09d", nanos), "0")
	}
	return text
}
