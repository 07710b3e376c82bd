package repack

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"audit/rebuild/gnutar"
)

// A pythonDialect is what differs between versions of Python's tarfile: the
// device numbers of what is no device were zero in older ones, and are empty.
type pythonDialect struct{ zeroDevices bool }

// append appends to b what tarfile writes before the content of a member in its
// default format: a POSIX header, and before that an extended one for what does
// not fit into it or is not ASCII (CPython 3.11, Lib/tarfile.py,
// TarInfo.create_pax_header).
func (d pythonDialect) append(b []byte, h gnutar.Header) []byte {
	var records string
	for _, f := range []struct {
		keyword, text string
		size          int
	}{{"path", h.Name, 100}, {"linkpath", h.Link, 100}, {"uname", h.Uname, 32}, {"gname", h.Gname, 32}} {
		if !isASCII(f.text) || len(f.text) > f.size {
			records += record(f.keyword, f.text)
		}
	}
	for _, f := range []struct {
		keyword string
		value   *int64
		digits  int
	}{{"uid", &h.UID, 7}, {"gid", &h.GID, 7}, {"size", &h.Size, 11}, {"mtime", &h.Time, 11}} {
		if *f.value < 0 || *f.value >= 1<<(3*f.digits) {
			records += record(f.keyword, strconv.FormatInt(*f.value, 10))
			*f.value = 0
		}
	}
	if records != "" {
		if !utf8.ValidString(records) {
			records = "21 hdrcharset=BINARY\n" + records
		}
		b = d.block(b, gnutar.Header{Name: "././@PaxHeader", Size: int64(len(records)), Kind: 'x'})
		b = append(b, records...)
		b = append(b, make([]byte, gnutar.Padding(int64(len(records))))...)
	}
	return d.block(b, h)
}

// record writes a record of an extended header: its own length, a keyword and a
// value (POSIX.1-2017, pax Extended Header).
func record(keyword, value string) string {
	rest := len(keyword) + len(value) + 3
	n := rest
	for n != rest+len(strconv.Itoa(n)) {
		n = rest + len(strconv.Itoa(n))
	}
	return fmt.Sprintf("%d %s=%s\n", n, keyword, value)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// asked returns the text that stands in a header for one that is not ASCII: a
// question mark for each character, and for each byte that is part of none.
func asked(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, s)
}

// block appends one header block.
func (d pythonDialect) block(b []byte, h gnutar.Header) []byte {
	start := len(b)
	b = append(b, make([]byte, 512)...)
	block := b[start:]
	copy(block[0:100], asked(h.Name))
	for _, f := range []struct {
		at, size int
		value    int64
	}{{100, 8, h.Mode}, {108, 8, h.UID}, {116, 8, h.GID}, {124, 12, h.Size}, {136, 12, h.Time}} {
		copy(block[f.at:f.at+f.size], fmt.Sprintf("%0*o", f.size-1, f.value))
	}
	copy(block[148:156], "        ")
	block[156] = h.Kind
	copy(block[157:257], asked(h.Link))
	copy(block[257:265], "ustar\x0000")
	copy(block[265:297], asked(h.Uname))
	copy(block[297:329], asked(h.Gname))
	if d.zeroDevices {
		copy(block[329:337], "0000000")
		copy(block[337:345], "0000000")
	}
	var sum int
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b
}
