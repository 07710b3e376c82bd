package compare

import (
	"fmt"
	"strconv"
	"strings"

	"audit/inspect"
)

// block is the unit of a tar archive, in bytes.
const block = 512

// A shaper writes down the shape of headers: a line a peculiarity, the name of
// a field, a tab, and what is peculiar. What the packers of today write by
// default is not mentioned. The layout is that of POSIX.1-2017 pax (ustar and
// extended headers) and of GNU tar 1.35 (tar.h, "oldgnu_header").
type shaper struct{ buf []byte }

// shape describes the headers of e. They start with the padding of the entry
// before, which makes them an odd number of bytes.
func (s *shaper) shape(e *inspect.Entry, piece []byte) []byte {
	s.buf = s.buf[:0]
	pad := len(piece) % block
	s.zeros("padding before the header", piece[:pad])
	piece = piece[pad:]
	for len(piece) >= block && isExtension(piece[156]) {
		n := s.extension(e, piece)
		if n == 0 {
			break
		}
		piece = piece[n:]
	}
	if len(piece) >= block {
		s.header(e, piece[:block])
		piece = piece[block:]
	}
	if len(piece) > 0 {
		s.raw("map of the sparse file", piece)
	}
	return s.buf
}

func (s *shaper) say(field, what string) {
	s.buf = append(s.buf, field...)
	s.buf = append(s.buf, '\t')
	s.buf = append(s.buf, what...)
	s.buf = append(s.buf, '\n')
}

func (s *shaper) raw(field string, value []byte) { s.say(field, strconv.Quote(string(value))) }

func (s *shaper) zeros(field string, value []byte) {
	if !isZero(value) {
		s.raw(field, value)
	}
}

// header describes the header block of the entry itself.
func (s *shaper) header(e *inspect.Entry, h []byte) {
	s.magic("", h)
	s.name(e, h)
	s.number("mode field", h[100:108], e.Mode)
	s.number("uid field", h[108:116], int64(e.Attr().UID))
	s.number("gid field", h[116:124], int64(e.Attr().GID))
	s.number("size field", h[124:136], e.Size)
	s.number("mtime field", h[136:148], e.ModTime)
	s.checksum("", h)
	if h[156] != e.Type {
		s.raw("type flag", h[156:157])
	}
	s.text("link name field", h[157:257], e.Linkname)
	s.text("user name field", h[265:297], e.Attr().Uname)
	s.text("group name field", h[297:329], e.Attr().Gname)
	s.number("device major field", h[329:337], e.Attr().Devmajor)
	s.number("device minor field", h[337:345], e.Attr().Devminor)
	s.zeros("end of the header", h[500:])
}

// magic describes the format that a header declares.
func (s *shaper) magic(prefix string, h []byte) {
	switch magic := string(h[257:265]); magic {
	case "ustar\x0000":
		s.say(prefix+"tar format", "POSIX")
	case gnuMagic:
		s.say(prefix+"tar format", "GNU")
	default:
		s.raw(prefix+"tar format", h[257:265])
	}
}

const gnuMagic = "ustar  \x00"

// name describes the name field with its prefix; GNU tar has other things
// where POSIX has the prefix.
func (s *shaper) name(e *inspect.Entry, h []byte) {
	prefix := h[345:500]
	if string(h[257:265]) == gnuMagic {
		s.zeros(accessTimeField, h[345:357])
		s.zeros(changeTimeField, h[357:369])
		s.zeros("GNU fields", h[369:500])
		prefix = nil
	}
	if isZero(prefix) {
		s.text("name field", h[:100], e.Name)
		return
	}
	start, name := cString(prefix), cString(h[:100])
	if start+"/"+name == e.Name && isZero(prefix[len(start):]) && isZero(h[len(name):100]) {
		s.say("name field", "split after "+strconv.Itoa(len(start))+" bytes")
		return
	}
	s.raw("name field", h[:100])
	s.raw("name prefix field", prefix)
}

// text describes a field that should hold want.
func (s *shaper) text(field string, value []byte, want string) {
	have := cString(value)
	switch {
	case have == want && isZero(value[len(have):]):
	case len(have) >= len(value)-1 && strings.HasPrefix(want, have):
		s.say(field, "cut after "+strconv.Itoa(len(have))+" bytes")
	default:
		s.raw(field, value)
	}
}

// number describes a field that should hold want: octal digits with zeros in
// front and a NUL behind, when nothing is said.
func (s *shaper) number(field string, value []byte, want int64) {
	got, form := parseNumber(value)
	switch {
	case form == "" || got != want:
		s.raw(field, value)
	case form != usualForm:
		s.say(field, form)
	}
}

func (s *shaper) checksum(prefix string, h []byte) {
	sum := int64(8 * ' ')
	for i, c := range h[:block] {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	if got, form := parseNumber(h[148:156]); got != sum || form != `zero-padded octal, then "\x00 "` {
		s.raw(prefix+"checksum field", h[148:156])
	}
}

const usualForm = `zero-padded octal, then "\x00"`

// parseNumber reads a numeric field and names the form in which it is written;
// value and form together are its bytes. The form is "" when it has none.
func parseNumber(field []byte) (int64, string) {
	if isZero(field) {
		return 0, "empty"
	}
	if field[0]&0x80 != 0 {
		return parseBinary(field)
	}
	start := 0
	for start < len(field) && field[start] == ' ' {
		start++
	}
	end := start
	for end < len(field) && '0' <= field[end] && field[end] <= '7' {
		end++
	}
	v, err := strconv.ParseInt(string(field[start:end]), 8, 64)
	tail := field[end:]
	switch {
	case err != nil:
		return 0, ""
	case start > 0 && field[start] == '0' && end > start+1:
		return v, "" // padded with both
	case strings.Trim(string(tail), "\x00 ") != "":
		return v, ""
	case start > 0:
		return v, fmt.Sprintf("space-padded octal, then %q", tail)
	case len(tail) <= 2:
		if string(tail) == "\x00" {
			return v, usualForm
		}
		return v, fmt.Sprintf("zero-padded octal, then %q", tail)
	case isZero(tail) && (field[0] != '0' || end == 1):
		return v, "octal without padding"
	}
	return v, ""
}

// parseBinary reads a number in GNU tar's base 256: big-endian, in two's
// complement behind a set first bit.
func parseBinary(field []byte) (int64, string) {
	v := int64(0)
	fill := byte(0x00)
	if field[0]&0x40 != 0 {
		v, fill = -1, 0xff
	}
	for i, c := range field {
		if i == 0 {
			c = c&0x3f | fill&0xc0
		}
		if i < len(field)-8 && c != fill {
			return 0, ""
		}
		v = v<<8 | int64(c)
	}
	if v < 0 != (fill != 0) {
		return 0, ""
	}
	return v, "base 256"
}

func isZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// cString returns a field up to its first NUL.
func cString(field []byte) string {
	text, _, _ := strings.Cut(string(field), "\x00")
	return text
}
