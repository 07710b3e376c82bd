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
	if form.kind == 0 || size < 0 || size > int64(len(piece)-block) {
		return 0
	}
	end := block + int(size)
	next := (end + block - 1) / block * block
	if next > len(piece) {
		return 0
	}
	data := piece[block:end]
	s.extensionHeader(e, h, size)
	switch flag {
	case 'L':
		s.longName(flag, data, e.Name())
	case 'K':
		s.longName(flag, data, e.Linkname)
	default:
		s.records(flag, e, data)
	}
	s.zeros(headerField{extended: flag, name: extendedPad}, piece[end:next])
	return next
}

// extensionHeader describes the header block of an extended header. It has a
// name, mode, owner and time of its own, which many packers take from the entry.
func (s *shaper) extensionHeader(e *inspect.Entry, h []byte, size int64) {
	field := func(name fieldName) headerField { return headerField{extended: h[156], name: name} }
	s.magic(h[156], h)
	name := cString(h[:100])
	s.raw(field(namePattern), []byte(template(name, e.Path)))
	if !isZero(h[len(name):100]) {
		s.raw(field(nameField), h[:100])
	}
	s.raw(field(modeField), h[100:108])
	s.taken(field(uidField), h[108:116], int64(e.Attr().UID))
	s.taken(field(gidField), h[116:124], int64(e.Attr().GID))
	s.number(field(sizeField), h[124:136], size)
	s.taken(field(mtimeField), h[136:148], e.ModTime)
	s.checksum(h[156], h)
	s.zeros(field(linkField), h[157:257])
	for _, f := range []struct {
		name     fieldName
		from, to int
	}{{userField, 265, 297}, {groupField, 297, 329}, {majorField, 329, 337}, {minorField, 337, 345}, {prefixField, 345, 500}, {headerEnd, 500, 512}} {
		s.zeros(field(f.name), h[f.from:f.to])
	}
}

// taken describes a number that may be the entry's own.
func (s *shaper) taken(field headerField, value []byte, entry int64) {
	got, form := parseNumber(value)
	if form.kind == 0 || got != entry || got == 0 {
		s.raw(field, value)
		return
	}
	form.own = true
	s.add(field, form)
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

func (s *shaper) longName(flag byte, data []byte, want string) {
	field := headerField{extended: flag, name: longName}
	if string(data) == want+"\x00" {
		s.add(field, headerValue{kind: endsInNUL})
		return
	}
	s.raw(field, data)
}

// records describes PAX records, "LENGTH KEY=VALUE\n" each, for e, or for the
// archive where the flag is that of a global header.
func (s *shaper) records(flag byte, e *inspect.Entry, data []byte) {
	broken := headerField{extended: flag, name: brokenRecords}
	for len(data) > 0 {
		digits, _, ok := bytes.Cut(data, []byte(" "))
		n, err := strconv.Atoi(string(digits))
		if !ok || err != nil || n <= len(digits)+1 || n > len(data) || data[n-1] != '\n' || strconv.Itoa(n) != string(digits) {
			s.raw(broken, data)
			return
		}
		key, value, ok := strings.Cut(string(data[len(digits)+1:n-1]), "=")
		switch {
		case !ok:
			s.raw(broken, data[:n])
		case flag == 'g':
			s.add(headerField{extended: flag, name: paxRecord, key: key}, headerValue{kind: recordText, text: value})
		case isOwn(e, key, value):
			s.add(headerField{name: paxRecord, key: key}, headerValue{kind: ofEntry})
		default:
			s.add(headerField{name: paxRecord, key: key}, headerValue{kind: recordText, text: value})
		}
		data = data[n:]
	}
}

// isOwn says whether a record holds what a field of the entry holds, in the one
// way to write it.
func isOwn(e *inspect.Entry, key, value string) bool {
	switch key {
	case "path":
		return value == e.Name()
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
