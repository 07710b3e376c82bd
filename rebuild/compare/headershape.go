package compare

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"audit/inspect"
)

// A shapeID stands for the shape of an entry's headers: all that the fields of
// an [inspect.Entry] do not show them, such as how numbers are written, which
// extended headers there are and what else they contain. Field values and shape
// together are the bytes of the headers. 0 is the shape of unknown headers.
type shapeID int32

// shapeNames gives each shape a number; an archive has a handful of them.
type shapeNames struct {
	ids    map[string]shapeID
	shapes []string
	size   int
	diffs  map[[2]shapeID][]headerDifference
}

func newShapeNames() *shapeNames {
	return &shapeNames{ids: map[string]shapeID{"": 0}, shapes: []string{""}, diffs: make(map[[2]shapeID][]headerDifference)}
}

// maxShapes bounds the bytes of all shapes that are kept. Beyond, a shape is
// only known by its digest: a difference is still found, but not where it is.
const maxShapes = 64 << 20

func (n *shapeNames) id(shape []byte) shapeID {
	if id, ok := n.ids[string(shape)]; ok {
		return id
	}
	if n.size+len(shape) > maxShapes && len(shape) > 100 {
		return n.id(byDigest(0, sha256.Sum256(shape)))
	}
	id := shapeID(len(n.shapes))
	n.shapes = append(n.shapes, string(shape))
	n.ids[n.shapes[id]] = id
	n.size += len(shape)
	return id
}

// byDigest is the shape of headers, of n bytes, that are known by a digest alone.
func byDigest(n int64, digest [sha256.Size]byte) []byte {
	return peculiarity{headerField{name: allHeaders}, headerValue{kind: digested, n: int(n), text: hex.EncodeToString(digest[:])}}.appendTo(nil)
}

// readFrames reads the frames of all layers that have no equal.
func (s *side) readFrames(names *shapeNames) {
	for i, l := range s.img.Layers {
		if !s.equal[i] {
			s.readFrame(i, l, names)
		}
	}
}

// maxPiece bounds the headers of one entry that are looked into.
const maxPiece = 8 << 20

func (s *side) readFrame(i int, l *inspect.Layer, names *shapeNames) {
	s.shapes[i] = make([]shapeID, len(l.Entries))
	r := l.Frame.Open()
	var buf []byte
	var sh shaper
	for j := range l.Entries {
		e := l.Entries[j]
		if e.FrameSize > maxPiece {
			h := sha256.New()
			if _, err := io.CopyN(h, r, e.FrameSize); err != nil {
				return
			}
			s.shapes[i][j] = names.id(byDigest(e.FrameSize, [sha256.Size]byte(h.Sum(nil))))
			continue
		}
		if int64(cap(buf)) < e.FrameSize {
			buf = make([]byte, e.FrameSize)
		}
		buf = buf[:e.FrameSize]
		if _, err := io.ReadFull(r, buf); err != nil {
			return
		}
		s.shapes[i][j] = names.id(sh.shape(e, buf))
	}
	if l.Frame.Size > 0 {
		s.tails[i] = readTail(l, r)
	}
}

// block is the unit of a tar archive, in bytes.
const block = 512

// A shaper writes down the shape of headers: their peculiarities, one after the
// other. What the packers of today write by default is none. The layout is that of POSIX.1-2017 pax (ustar and
// extended headers) and of GNU tar 1.35 (tar.h, "oldgnu_header").
type shaper struct{ buf []byte }

// shape describes the headers of e. They start with the padding of the entry
// before, which makes them an odd number of bytes.
func (s *shaper) shape(e *inspect.Entry, piece []byte) []byte {
	s.buf = s.buf[:0]
	pad := len(piece) % block
	s.zeros(headerField{name: paddingBefore}, piece[:pad])
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
		s.raw(headerField{name: sparseMap}, piece)
	}
	return s.buf
}

func (s *shaper) add(field headerField, value headerValue) {
	s.buf = peculiarity{field, value}.appendTo(s.buf)
}

func (s *shaper) raw(field headerField, value []byte) {
	s.add(field, headerValue{kind: rawBytes, text: string(value)})
}

func (s *shaper) zeros(field headerField, value []byte) {
	if !isZero(value) {
		s.raw(field, value)
	}
}

// header describes the header block of the entry itself.
func (s *shaper) header(e *inspect.Entry, h []byte) {
	s.magic(0, h)
	s.name(e, h)
	s.number(headerField{name: modeField}, h[100:108], int64(e.Mode))
	s.number(headerField{name: uidField}, h[108:116], int64(e.Attr().UID))
	s.number(headerField{name: gidField}, h[116:124], int64(e.Attr().GID))
	s.number(headerField{name: sizeField}, h[124:136], e.Size)
	s.number(headerField{name: mtimeField}, h[136:148], e.ModTime)
	s.checksum(0, h)
	if h[156] != e.Type {
		s.raw(headerField{name: typeFlag}, h[156:157])
	}
	s.text(headerField{name: linkField}, h[157:257], e.Linkname)
	s.text(headerField{name: userField}, h[265:297], e.Attr().Uname)
	s.text(headerField{name: groupField}, h[297:329], e.Attr().Gname)
	s.number(headerField{name: majorField}, h[329:337], e.Attr().Devmajor)
	s.number(headerField{name: minorField}, h[337:345], e.Attr().Devminor)
	s.zeros(headerField{name: headerEnd}, h[500:])
}

// magic describes the format that a header declares.
func (s *shaper) magic(extended byte, h []byte) {
	field := headerField{extended: extended, name: tarFormat}
	switch magic := string(h[257:265]); magic {
	case "ustar\x0000":
		s.add(field, headerValue{kind: formatName, text: "POSIX"})
	case gnuMagic:
		s.add(field, headerValue{kind: formatName, text: "GNU"})
	default:
		s.raw(field, h[257:265])
	}
}

const gnuMagic = "ustar  \x00"

// name describes the name field with its prefix; GNU tar has other things
// where POSIX has the prefix.
func (s *shaper) name(e *inspect.Entry, h []byte) {
	prefix := h[345:500]
	if string(h[257:265]) == gnuMagic {
		s.zeros(headerField{name: accessTime}, h[345:357])
		s.zeros(headerField{name: changeTime}, h[357:369])
		s.zeros(headerField{name: gnuFields}, h[369:500])
		prefix = nil
	}
	if isZero(prefix) {
		s.text(headerField{name: nameField}, h[:100], e.Name())
		return
	}
	start, name := cString(prefix), cString(h[:100])
	if start+"/"+name == e.Name() && isZero(prefix[len(start):]) && isZero(h[len(name):100]) {
		s.add(headerField{name: nameField}, headerValue{kind: splitName, n: len(start)})
		return
	}
	s.raw(headerField{name: nameField}, h[:100])
	s.raw(headerField{name: prefixField}, prefix)
}

// text describes a field that should hold want.
func (s *shaper) text(field headerField, value []byte, want string) {
	have := cString(value)
	switch {
	case have == want && isZero(value[len(have):]):
	case len(have) >= len(value)-1 && strings.HasPrefix(want, have):
		s.add(field, headerValue{kind: cutText, n: len(have)})
	default:
		s.raw(field, value)
	}
}

// number describes a field that should hold want: octal digits with zeros in
// front and a NUL behind are its usual form.
func (s *shaper) number(field headerField, value []byte, want int64) {
	got, form := parseNumber(value)
	switch {
	case form.kind == 0 || got != want:
		s.raw(field, value)
	case form != headerValue{kind: zeroPadded, text: "\x00"}:
		s.add(field, form)
	}
}

func (s *shaper) checksum(extended byte, h []byte) {
	sum := int64(8 * ' ')
	for i, c := range h[:block] {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	if got, form := parseNumber(h[148:156]); got != sum || form != (headerValue{kind: zeroPadded, text: "\x00 "}) {
		s.raw(headerField{extended: extended, name: checksumField}, h[148:156])
	}
}
