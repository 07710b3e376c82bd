package xz

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"

	"audit/inspect/zeros"
)

// Unpack unpacks one xz stream of one block (The .xz File Format 1.2.1),
// which is what a squashfs stores for each of its own. The library's reader of
// such streams gives a stream as much memory as it asks for, up to 4 GiB, and
// knows no filters; so only its LZMA2 is used, with a dictionary of the size of
// what may come out.
func Unpack(dst, src []byte) (int, error) {
	in := bytes.NewReader(src)
	check, err := xzStreamHeader(in)
	if err != nil {
		return 0, err
	}
	start := in.Len()
	head, err := readXZBlockHeader(in)
	if err != nil {
		return 0, err
	}
	packed := in.Len()
	lz, err := lzma.Reader2Config{DictCap: max(lzma.MinDictCap, len(dst))}.NewReader2(in)
	if err != nil {
		return 0, err
	}
	n, err := Fill(dst, lz)
	if err != nil {
		return 0, err
	}
	if head.unpacked >= 0 && head.unpacked != int64(n) || head.packed >= 0 && head.packed != int64(packed-in.Len()) {
		return 0, errors.New("xz block of another size than its header says")
	}
	for _, f := range slices.Backward(head.filters) {
		f(dst[:n])
	}
	unpadded := int64(start - in.Len() + check.size())
	if err := xzBlockEnd(in, start, check, dst[:n]); err != nil {
		return 0, err
	}
	return n, xzStreamEnd(in, check, unpadded, int64(n))
}

// An xzCheck is the kind of checksum of a stream.
type xzCheck byte

const xzSHA256 xzCheck = 10

func (c xzCheck) hash() hash.Hash {
	switch c {
	case 1:
		return crc32.NewIEEE()
	case 4:
		return crc64.New(crc64.MakeTable(crc64.ECMA))
	case xzSHA256:
		return sha256.New()
	}
	return nil
}

func (c xzCheck) size() int {
	if h := c.hash(); h != nil {
		return h.Size()
	}
	return 0
}

var (
	xzMagic  = []byte("\xfd7zXZ\x00")
	xzFooter = []byte("YZ")
	errXZ    = errors.New("not a whole xz stream")
)

// next returns the next n bytes of a block.
func next(in *bytes.Reader, n int) ([]byte, error) {
	p := make([]byte, n)
	if k, _ := in.Read(p); k < n {
		return nil, errXZ
	}
	return p, nil
}

func checkCRC(p []byte, want []byte) error {
	if crc32.ChecksumIEEE(p) != binary.LittleEndian.Uint32(want) {
		return errors.New("an xz checksum does not fit the bytes")
	}
	return nil
}

func xzStreamHeader(in *bytes.Reader) (xzCheck, error) {
	p, err := next(in, 12)
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(p[:6], xzMagic) {
		return 0, errXZ
	}
	check := xzCheck(p[7])
	if p[6] != 0 || check != 0 && check.hash() == nil {
		return 0, fmt.Errorf("xz stream flags %x: audit reads those without checksum, with CRC32, CRC64 and SHA-256", p[6:8])
	}
	return check, checkCRC(p[6:8], p[8:])
}

// An xzBlockHeader says how a block is packed; sizes are -1 when it does not
// say them.
type xzBlockHeader struct {
	packed, unpacked int64
	dictionary       int64            // bytes that LZMA2 looks back
	filters          []func(p []byte) // what LZMA2 is not, in the order of packing
}

func readXZBlockHeader(in *bytes.Reader) (xzBlockHeader, error) {
	h := xzBlockHeader{packed: -1, unpacked: -1}
	size, err := in.ReadByte()
	if err != nil || size == 0 {
		return h, errXZ
	}
	rest, err := next(in, 4*int(size)+3)
	if err != nil {
		return h, err
	}
	body, crc := rest[:len(rest)-4], rest[len(rest)-4:]
	if err := checkCRC(append([]byte{size}, body...), crc); err != nil {
		return h, err
	}
	flags := body[0]
	r := bytes.NewReader(body[1:])
	if flags&0x40 != 0 {
		if h.packed, err = varint(r); err != nil {
			return h, err
		}
	}
	if flags&0x80 != 0 {
		if h.unpacked, err = varint(r); err != nil {
			return h, err
		}
	}
	return h, h.readFilters(r, int(flags&3))
}

// The filters that are known by number.
const (
	xzX86   = 0x04
	xzLZMA2 = 0x21
)

// readFilters reads n filters and LZMA2, which comes last.
func (h *xzBlockHeader) readFilters(r *bytes.Reader, n int) error {
	for i := range n + 1 {
		id, err := varint(r)
		if err != nil {
			return err
		}
		size, err := varint(r)
		if err != nil || size > int64(r.Len()) {
			return errXZ
		}
		props, err := next(r, int(size))
		if err != nil {
			return err
		}
		switch {
		case i == n && id == xzLZMA2 && size == 1:
			h.dictionary = dictionarySize(props[0])
		case i < n && id == xzX86 && size == 0:
			h.filters = append(h.filters, undoX86)
		default:
			return fmt.Errorf("xz filter 0x%02x (properties %x), which audit cannot undo: it can LZMA2 and the one for x86", id, props)
		}
	}
	return nil
}

// dictionarySize returns the size of a dictionary that one byte stands for.
func dictionarySize(bits byte) int64 {
	if bits > 40 {
		return 1 << 62
	}
	return (2 | int64(bits&1)) << (bits/2 + 11)
}

// varint reads a number of up to 63 bits, 7 a byte.
func varint(r *bytes.Reader) (int64, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil || n > 1<<63-1 {
		return 0, errXZ
	}
	return int64(n), nil
}

// xzBlockEnd reads the padding and the checksum that follow a block that
// started when start bytes were left.
func xzBlockEnd(in *bytes.Reader, start int, check xzCheck, data []byte) error {
	if err := xzPadding(in, start); err != nil {
		return err
	}
	h := check.hash()
	if h == nil {
		return nil
	}
	want, err := next(in, h.Size())
	if err != nil {
		return err
	}
	h.Write(data)
	if !check.fits(h, want) {
		return errors.New("the checksum of the xz block does not fit the bytes")
	}
	return nil
}

// xzPadding reads zeros up to a multiple of four bytes.
func xzPadding(in *bytes.Reader, start int) error {
	p, err := next(in, -(start-in.Len())&3)
	if err == nil && zeros.First(p) >= 0 {
		err = errXZ
	}
	return err
}

// xzStreamEnd reads the index, which lists the one block, and the footer.
func xzStreamEnd(in *bytes.Reader, check xzCheck, unpadded, size int64) error {
	start := in.Len()
	all, _ := next(in, start)
	in.Seek(-int64(start), 1)
	for _, want := range []int64{0, 1, unpadded, size} {
		if n, err := varint(in); err != nil || n != want {
			return errors.New("the index of the xz stream is not that of its block")
		}
	}
	if err := xzPadding(in, start); err != nil {
		return err
	}
	n := start - in.Len() // bytes of the index, without its checksum
	if len(all) != n+4+12 {
		return ErrTrailing
	}
	if err := checkCRC(all[:n], all[n:n+4]); err != nil {
		return err
	}
	footer := all[n+4:]
	if err := checkCRC(footer[4:10], footer[:4]); err != nil {
		return err
	}
	if int(binary.LittleEndian.Uint32(footer[4:])) != (n+4)/4-1 || footer[8] != 0 || footer[9] != byte(check) || !bytes.Equal(footer[10:], xzFooter) {
		return errXZ
	}
	return nil
}

// Fill reads r to its end, which must come before dst is overfull.
func Fill(dst []byte, r io.Reader) (int, error) {
	n := 0
	for n < len(dst) {
		k, err := r.Read(dst[n:])
		n += k
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	if k, err := io.ReadFull(r, make([]byte, 1)); k > 0 {
		return n, ErrTooLong
	} else if err != io.EOF {
		return n, err
	}
	return n, nil
}

// What is wrong with the bytes of a block.
var (
	ErrTooLong  = errors.New("it unpacks to more than a block may contain")
	ErrTrailing = errors.New("bytes follow its packed ones")
)
