package layers

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"io"
	"time"

	"audit/inspect/zeros"
)

// A headerReader reads the entries of a tar as [tar.Reader] does, several times as
// fast: it reads plain headers itself, which nearly all are, and has a tar.Reader read
// the others. The content of an entry is to be read to its end before the next one.
type headerReader struct {
	r     io.Reader
	n     int64  // bytes read from r
	again []byte // that are read again, before what is in r
	buf   [2 * TarBlock]byte

	hdr   tar.Header  // of an entry with a plain header
	left  int64       // of its content
	other *tar.Reader // of an entry with another one, else nil
}

// Next returns the header of the next entry, which the next call may change.
func (t *headerReader) Next() (*tar.Header, error) {
	pad := int(-t.n & (TarBlock - 1)) // of the content before
	n, err := io.ReadFull(source{t}, t.buf[:pad+TarBlock])
	switch {
	case err == io.ErrUnexpectedEOF && n <= pad:
		return nil, io.EOF
	case err != nil:
		return nil, err
	}
	block := t.buf[pad:][:TarBlock]
	if t.other = nil; plain(block, &t.hdr) {
		if t.left = t.hdr.Size; isHeaderOnly(t.hdr.Typeflag) {
			t.left = 0
		}
		return &t.hdr, nil
	}
	t.again, t.other = block, tar.NewReader(source{t})
	return t.other.Next()
}

// Read reads the content of the entry.
func (t *headerReader) Read(p []byte) (int, error) {
	if t.other != nil {
		return t.other.Read(p)
	}
	p = p[:min(int64(len(p)), t.left)]
	var err error
	n := 0
	if len(p) > 0 {
		n, err = source{t}.Read(p)
		t.left -= int64(n)
	}
	switch {
	case err == io.EOF && t.left > 0:
		return n, io.ErrUnexpectedEOF
	case err == nil && t.left == 0:
		return n, io.EOF
	}
	return n, err
}

// A source is what a headerReader reads from.
type source struct{ t *headerReader }

func (s source) Read(p []byte) (int, error) {
	if len(s.t.again) > 0 {
		n := copy(p, s.t.again)
		s.t.again = s.t.again[n:]
		return n, nil
	}
	n, err := s.t.r.Read(p)
	s.t.n += int64(n)
	return n, err
}

// plain sets h to what a header says, if it is one of ustar (POSIX.1-2017, pax,
// "ustar Interchange Format") or of GNU tar that needs nothing else to be understood:
// no extension, no number but octal ones that begin their field.
func plain(b []byte, h *tar.Header) bool {
	prefix := b[345:500]
	switch {
	case b[156] < '0' || b[156] > '6':
		return false
	case string(b[257:263]) == "ustar\x00" && string(b[508:512]) != "tar\x00":
	case string(b[257:265]) == "ustar  \x00" && zeros.First(b[345:512]) < 0:
	default:
		return false
	}
	var numbers [8]int64
	for i, field := range [...][]byte{b[100:108], b[108:116], b[116:124], b[124:136], b[136:148], b[148:156], b[329:337], b[337:345]} {
		var ok bool
		if numbers[i], ok = octal(field); !ok {
			return false
		}
	}
	if numbers[5] != checksum(b) {
		return false
	}
	*h = tar.Header{Typeflag: b[156], Name: text(b[:100], ""), Linkname: text(b[157:257], ""),
		Mode: numbers[0], Uid: int(numbers[1]), Gid: int(numbers[2]), Size: numbers[3], ModTime: time.Unix(numbers[4], 0),
		Uname: text(b[265:297], h.Uname), Gname: text(b[297:329], h.Gname), Devmajor: numbers[6], Devminor: numbers[7]}
	if prefix[0] != 0 {
		h.Name = text(prefix, "") + "/" + h.Name
	}
	return true
}

// text returns what is before the first zero byte, as before where that is the same.
func text(field []byte, before string) string {
	if i := bytes.IndexByte(field, 0); i >= 0 {
		field = field[:i]
	}
	if string(field) == before {
		return before
	}
	return string(field)
}

// octal returns a number that blanks and zero bytes may follow. A field has at most 12
// digits.
func octal(field []byte) (x int64, ok bool) {
	i := 0
	for i < len(field) && field[i]&^7 == '0' {
		x = x<<3 | int64(field[i]&7)
		i++
	}
	for _, c := range field[i:] {
		if c != 0 && c != ' ' {
			return 0, false
		}
	}
	return x, true
}

// checksum returns the sum of the bytes of a header, those of the field of the checksum
// taken for blanks.
func checksum(b []byte) int64 {
	const low = 0x00ff00ff00ff00ff
	var sums uint64 // four of 16 bits: 128 bytes have less than 1<<15
	for i := 0; i < TarBlock; i += 8 {
		word := binary.LittleEndian.Uint64(b[i:])
		sums += word&low + word>>8&low
	}
	sum := int64(sums&0xffff + sums>>16&0xffff + sums>>32&0xffff + sums>>48)
	for _, c := range b[148:156] {
		sum += ' ' - int64(c)
	}
	return sum
}
