package xz

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"

	"audit/inspect/limit"
	"audit/inspect/zeros"
)

// maxDictionary bounds how much an LZMA stream may make us remember; xz -9 and
// lzip -9 use 64 and 32 MiB.
const maxDictionary = 64 << 20

// An reader reads xz streams, one behind the other (The .xz File Format
// 1.2.1). The library's own reader gives each stream as much memory as it asks
// for, up to 4 GiB; so only its LZMA2 is used.
type reader struct {
	in     *byteCounter
	charge func(n int64) error // counts the memory that blocks ask for

	inStream bool
	check    xzCheck
	index    xzIndex
	block    *xzBlock // being read; nil between blocks
}

// An xzBlock is the block being read.
type xzBlock struct {
	lz    io.Reader
	head  xzBlockHeader
	from  int64 // where its header starts
	data  int64 // where its data starts
	size  int64 // bytes unpacked so far
	check hash.Hash
}

// An xzIndex is what the index of a stream has to say of its blocks, as the
// hash of the bytes that say it.
type xzIndex struct {
	records int64
	sum     hash.Hash
}

func (x *xzIndex) add(unpadded, size int64) {
	x.records++
	x.sum.Write(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(unpadded)), uint64(size)))
}

// NewReader reads the header of the first stream.
func NewReader(r *bufio.Reader, charge func(n int64) error) (*reader, error) {
	x := &reader{in: &byteCounter{r: r}, charge: charge}
	return x, x.startStream()
}

func (x *reader) Read(p []byte) (int, error) {
	for {
		if x.block != nil {
			n, err := x.block.read(p)
			if err == io.EOF {
				err = x.endBlock()
			}
			if n > 0 || err != nil {
				return n, NoEOF(err)
			}
			continue
		}
		if err := x.next(); err != nil {
			return 0, err
		}
	}
}

// next starts the next block, or stream; io.EOF where there is none.
func (x *reader) next() error {
	if !x.inStream {
		if err := x.skipPadding(); err != nil {
			return err
		}
		return NoEOF(x.startStream())
	}
	size, err := x.in.r.Peek(1)
	switch {
	case err != nil:
		return NoEOF(err)
	case size[0] == 0:
		return NoEOF(x.endStream())
	}
	return NoEOF(x.startBlock(4 * (int(size[0]) + 1)))
}

// skipPadding reads the zeros that may follow a stream, four at a time.
func (x *reader) skipPadding() error {
	for {
		head, err := x.in.r.Peek(4)
		switch {
		case len(head) == 0 && err == io.EOF:
			return io.EOF
		case len(head) < 4:
			return NoEOF(err)
		case !bytes.Equal(head, []byte{0, 0, 0, 0}):
			return nil
		}
		if _, err := x.in.bytes(4); err != nil {
			return err
		}
	}
}

func (x *reader) startStream() error {
	head, err := x.in.bytes(12)
	if err != nil {
		return NoEOF(err)
	}
	if x.check, err = xzStreamHeader(bytes.NewReader(head)); err != nil {
		return err
	}
	x.inStream, x.index = true, xzIndex{sum: sha256.New()}
	return nil
}

// startBlock reads a block's header, which has size bytes.
func (x *reader) startBlock(size int) error {
	from := x.in.n
	raw, err := x.in.bytes(size)
	if err != nil {
		return err
	}
	head, err := readXZBlockHeader(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if len(head.filters) > 0 {
		return errors.New("an xz stream with a filter, which audit cannot undo: it can LZMA2")
	}
	if head.dictionary > maxDictionary {
		return &limit.Error{Name: "bytes of an LZMA dictionary", Limit: maxDictionary, Where: "the xz stream"}
	}
	if err := x.charge(head.dictionary); err != nil {
		return err
	}
	b := &xzBlock{head: head, from: from, data: x.in.n, check: x.check.hash()}
	b.lz, err = lzma.Reader2Config{DictCap: int(max(lzma.MinDictCap, head.dictionary))}.NewReader2(x.in)
	x.block = b
	return err
}

func (b *xzBlock) read(p []byte) (int, error) {
	n, err := b.lz.Read(p)
	b.size += int64(n)
	if b.check != nil {
		b.check.Write(p[:n])
	}
	return n, err
}

// endBlock compares a block with its header and its checksum.
func (x *reader) endBlock() error {
	b := x.block
	x.block = nil
	if b.head.unpacked >= 0 && b.head.unpacked != b.size || b.head.packed >= 0 && b.head.packed != x.in.n-b.data {
		return errors.New("an xz block of another size than its header says")
	}
	unpadded := x.in.n - b.from + int64(x.check.size())
	if err := x.padding(b.from); err != nil {
		return err
	}
	want, err := x.in.bytes(x.check.size())
	if err != nil {
		return err
	}
	if b.check != nil && !x.check.fits(b.check, want) {
		return errors.New("the checksum of an xz block does not fit the bytes")
	}
	x.index.add(unpadded, b.size)
	return nil
}

// padding reads zeros up to a multiple of four bytes from a place on.
func (x *reader) padding(from int64) error {
	p, err := x.in.bytes(int((from - x.in.n) & 3))
	if err == nil && zeros.First(p) >= 0 {
		err = errXZ
	}
	return err
}

// endStream reads the index and the footer of a stream.
func (x *reader) endStream() error {
	from, crc, sum := x.in.n, crc32.NewIEEE(), sha256.New()
	x.in.tee = crc
	defer func() { x.in.tee = nil }()
	if _, err := x.in.ReadByte(); err != nil {
		return err
	}
	if n, err := x.in.varint(); err != nil || n != uint64(x.index.records) {
		return cmpErr(err, "the index of an xz stream does not list its blocks")
	}
	for range 2 * x.index.records {
		n, err := x.in.varint()
		if err != nil {
			return err
		}
		sum.Write(binary.AppendUvarint(nil, n))
	}
	if !bytes.Equal(sum.Sum(nil), x.index.sum.Sum(nil)) {
		return errors.New("the index of an xz stream is not that of its blocks")
	}
	if err := x.padding(from); err != nil {
		return err
	}
	size := x.in.n - from
	x.in.tee = nil
	return x.footer(crc.Sum32(), size)
}

func (x *reader) footer(crc uint32, size int64) error {
	p, err := x.in.bytes(4 + 12)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(p) != crc || checkCRC(p[8:14], p[4:8]) != nil {
		return errors.New("an xz checksum does not fit the bytes")
	}
	if int64(binary.LittleEndian.Uint32(p[8:])) != size/4 || p[12] != 0 || p[13] != byte(x.check) || !bytes.Equal(p[14:], xzFooter) {
		return errXZ
	}
	x.inStream = false
	return nil
}

// fits says whether a checksum is that of what was hashed: a CRC is stored in
// little endian.
func (c xzCheck) fits(h hash.Hash, want []byte) bool {
	sum := h.Sum(nil)
	if c != xzSHA256 {
		slices.Reverse(sum)
	}
	return bytes.Equal(sum, want)
}
