package repack

import "archive/tar"

const (
	blockSize  = 512
	recordSize = 20 * blockSize // tar's own blocking factor
	nameSize   = 100            // of the fields name and linkname
)

// A header is one member of a tar archive in the terms of its header block.
type header struct {
	name         string // of a folder with its slash
	mode         int64
	uid, gid     int64
	size, mtime  int64
	kind         byte
	link         string
	uname, gname string
}

// isLong says that name or link need blocks of their own.
func (h header) isLong() bool { return len(h.name) > nameSize || len(h.link) > nameSize }

// A dialect is what differs between two runs of the same GNU tar.
type dialect struct {
	// superuser is the name of user 0 and group 0 in the headers that carry
	// long names. tar asks the builder's own /etc/passwd for it, and the build
	// environment of guix-daemon knows no such user: "" there.
	superuser string
	// nameFirst says that a long name stands before a long link target, as
	// tar --delete leaves them; tar itself writes them the other way round.
	nameFirst bool
}

// appendHeader appends to b the blocks that stand before the content of a
// member, as tar --format=gnu writes them (GNU tar 1.35, src/create.c,
// start_header, write_gnu_long_link and finish_header).
func (d dialect) appendHeader(b []byte, h header) []byte {
	if d.nameFirst {
		b = d.appendLong(b, tar.TypeGNULongName, h.name)
		b = d.appendLong(b, tar.TypeGNULongLink, h.link)
	} else {
		b = d.appendLong(b, tar.TypeGNULongLink, h.link)
		b = d.appendLong(b, tar.TypeGNULongName, h.name)
	}
	return appendBlock(b, h)
}

// appendLong appends the blocks for a name that its header field cannot hold.
// A name of exactly 100 bytes fits: GNU tar then leaves out the final NUL.
func (d dialect) appendLong(b []byte, kind byte, name string) []byte {
	if len(name) <= nameSize {
		return b
	}
	size := int64(len(name) + 1) // with a final NUL
	b = appendBlock(b, header{name: "././@LongLink", mode: 0o644, size: size, kind: kind, uname: d.superuser, gname: d.superuser})
	b = append(b, name...)
	return append(b, make([]byte, 1+padding(size))...)
}

// appendBlock appends one header block. The device numbers of what is no
// device and everything after them are zero bytes in this format, no digits.
func appendBlock(b []byte, h header) []byte {
	start := len(b)
	b = append(b, make([]byte, blockSize)...)
	block := b[start:]
	copy(block[0:100], h.name)
	putNumber(block[100:108], h.mode)
	putNumber(block[108:116], h.uid)
	putNumber(block[116:124], h.gid)
	putNumber(block[124:136], h.size)
	putNumber(block[136:148], h.mtime)
	copy(block[148:156], "        ")
	block[156] = h.kind
	copy(block[157:257], h.link)
	copy(block[257:265], "ustar  \x00")
	copy(block[265:297], h.uname)
	copy(block[297:329], h.gname)
	var sum int64
	for _, c := range block {
		sum += int64(c)
	}
	putNumber(block[148:155], sum) // six digits, NUL; the space after them stays
	return b
}

// putNumber fills a field with octal digits and a NUL, or, where the digits
// are too few, with a two's complement number whose first bit is set (GNU tar
// 1.35, src/create.c, to_chars).
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

// padding is how many zero bytes fill the last block of size bytes.
func padding(size int64) int64 { return -size & (blockSize - 1) }

// endOfArchive is how many zero bytes follow the last member, which ends at
// byte end: two blocks, and what the last record lacks.
func endOfArchive(end int64) int64 {
	const blocks = 2 * blockSize
	return blocks + (recordSize-(end+blocks)%recordSize)%recordSize
}
