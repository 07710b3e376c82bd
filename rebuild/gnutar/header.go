// Package gnutar writes the headers of tar archives as GNU tar does, byte for
// byte, and says in which fields headers that were read differ from them. Guix
// and Nix pack their images with GNU tar.
//
// It follows GNU tar 1.35, src/create.c and src/tar.h, in the format that
// --format=gnu gives.
package gnutar

import "archive/tar"

// Sizes in bytes.
const (
	BlockSize  = 512
	RecordSize = 20 * BlockSize // of tar's own blocking factor
	NameSize   = 100            // of the header's fields name and linkname
)

// A Header is one member of an archive in the terms of its header block.
type Header struct {
	Name         string // of a folder with its slash
	Mode         int64
	UID, GID     int64
	Size, Time   int64
	Kind         byte
	Link         string
	Uname, Gname string
}

// IsLong says that name or link need blocks of their own.
func (h Header) IsLong() bool { return len(h.Name) > NameSize || len(h.Link) > NameSize }

// A Dialect is what differs between two runs of the same GNU tar.
type Dialect struct {
	// Superuser is the name of user 0 and group 0 in the headers that carry
	// long names. tar asks the builder's own /etc/passwd for it; in a build
	// environment that knows no such user it is "".
	Superuser string
	// NameFirst says that a long name stands before a long link target, as
	// tar --delete leaves them; tar itself writes them the other way round.
	NameFirst bool
}

// Append appends to b the blocks that stand before the content of a member
// (start_header, write_gnu_long_link and finish_header).
func (d Dialect) Append(b []byte, h Header) []byte {
	if d.NameFirst {
		b = d.appendLong(b, tar.TypeGNULongName, h.Name)
		b = d.appendLong(b, tar.TypeGNULongLink, h.Link)
	} else {
		b = d.appendLong(b, tar.TypeGNULongLink, h.Link)
		b = d.appendLong(b, tar.TypeGNULongName, h.Name)
	}
	return AppendBlock(b, h)
}

// appendLong appends the blocks for a name too long for its header field.
// A name of exactly 100 bytes fits: GNU tar then leaves out the final NUL.
func (d Dialect) appendLong(b []byte, kind byte, name string) []byte {
	if len(name) <= NameSize {
		return b
	}
	size := int64(len(name) + 1) // with a final NUL
	b = AppendBlock(b, Header{Name: "././@LongLink", Mode: 0o644, Size: size, Kind: kind, Uname: d.Superuser, Gname: d.Superuser})
	b = append(b, name...)
	return append(b, make([]byte, 1+Padding(size))...)
}

// AppendBlock appends one header block. The device numbers of what is no device
// and everything after them are zero bytes in this format, no digits.
func AppendBlock(b []byte, h Header) []byte {
	start := len(b)
	b = append(b, make([]byte, BlockSize)...)
	block := b[start:]
	copy(block[0:100], h.Name)
	putNumber(block[100:108], h.Mode)
	putNumber(block[108:116], h.UID)
	putNumber(block[116:124], h.GID)
	putNumber(block[124:136], h.Size)
	putNumber(block[136:148], h.Time)
	block[156] = h.Kind
	copy(block[157:257], h.Link)
	copy(block[257:265], "ustar  \x00")
	copy(block[265:297], h.Uname)
	copy(block[297:329], h.Gname)
	putNumber(block[148:155], Checksum(block)) // six digits and a NUL
	block[155] = ' '
	return b
}

// Checksum adds up the bytes of a header block, with spaces for the field that
// contains the sum.
func Checksum(block []byte) (sum int64) {
	for i, c := range block {
		if 148 <= i && i < 156 {
			c = ' '
		}
		sum += int64(c)
	}
	return sum
}

// putNumber fills a field with octal digits and a NUL, or, where the digits are
// too few, with a two's complement number whose first bit is set (to_chars).
func putNumber(field []byte, v int64) {
	last := len(field) - 1
	if v < 0 || v >= 1<<(3*last) {
		putBinary(field, v)
		return
	}
	field[last] = 0
	for i := last - 1; i >= 0; i-- {
		field[i] = byte('0' + v&7)
		v >>= 3
	}
}

func putBinary(field []byte, v int64) {
	lead := byte(0x80)
	if v < 0 {
		lead = 0xff
	}
	for i := len(field) - 1; i > 0; i-- {
		field[i] = byte(v)
		v >>= 8
	}
	field[0] = lead
}

// Padding is how many zero bytes fill the last block of size bytes.
func Padding(size int64) int64 { return -size & (BlockSize - 1) }

// EndOfArchive is how many zero bytes follow the last member, which ends at byte
// end: two blocks, and what the last record lacks.
func EndOfArchive(end int64) int64 {
	const blocks = 2 * BlockSize
	return blocks + (RecordSize-(end+blocks)%RecordSize)%RecordSize
}
