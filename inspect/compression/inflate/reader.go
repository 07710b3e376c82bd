package inflate

import (
	"bufio"
	"errors"
	"io"
)

const (
	windowSize = 32 << 10 // how far a distance may reach back
	outSize    = windowSize + 128<<10
	maxMatch   = 258

	// A round writes at most two entries of two literals and a match, which is
	// copied in steps of up to 16 bytes; or three entries.
	outSlack = 3*2 + maxMatch + 16
	// It takes in at most two words.
	inSlack = 16

	literalBits  = 11 // of the stream that choose in the table of literals and lengths
	distanceBits = 9  // and in that of distances

	// Codes of fixed blocks have symbols that mean nothing.
	maxLiterals, maxDistances = 288, 32
)

// ErrCorrupt is what a Reader returns for bytes that are no stream of RFC 1951.
var ErrCorrupt = errors.New("inflate: corrupt stream")

// A Reader reads what a stream expands to.
type Reader struct {
	src  *bufio.Reader
	out  []byte
	r, w int // out[r:w] is ready to be read; what is before w is the window

	word  uint64 // the next bits of the stream, the first the lowest
	count uint   // of them

	final  bool // the block being read is the last
	stored int  // bytes that are left of a stored block
	coded  bool // in a block with Huffman codes
	err    error

	checked bool // the safe loop is to be used though there is a faster one

	// Behind each main table are its subtables. One of 2^n entries has at least
	// n+1 codes: of literals n is 4 at most, so there are fewer than 4 entries a code.
	literals  [1<<literalBits + 4*maxLiterals]entry
	distances [1<<distanceBits + 512]entry
	maker     tableMaker
	lengths   [maxLiterals + maxDistances]uint8
}

// NewReader returns a reader of the stream at the start of src. The buffer of
// src holds 64 bytes or more. Once Read has returned io.EOF, what is next in src
// is the byte behind the stream.
func NewReader(src *bufio.Reader) *Reader {
	return &Reader{src: src, out: make([]byte, outSize)}
}

// Reset starts to read another stream.
func (d *Reader) Reset(src *bufio.Reader) {
	d.src, d.r, d.w = src, 0, 0
	d.word, d.count = 0, 0
	d.final, d.stored, d.coded, d.err = false, 0, false, nil
}

// Read reads the next bytes. The error is ErrCorrupt, io.ErrUnexpectedEOF, that
// of the source, or io.EOF at the end of the stream.
func (d *Reader) Read(p []byte) (int, error) {
	for d.r == d.w {
		if d.err != nil {
			return 0, d.err
		}
		d.err = d.step()
	}
	n := copy(p, d.out[d.r:d.w])
	d.r += n
	return n, nil
}

// step decodes a piece of the stream, at most as much as there is room for.
func (d *Reader) step() error {
	if d.w > len(d.out)-outSlack-windowSize/2 {
		d.w = copy(d.out, d.out[d.w-windowSize:d.w])
		d.r = d.w
	}
	switch {
	case d.coded:
		return d.codes()
	case d.stored > 0:
		return d.copyStored()
	case d.final:
		return io.EOF
	}
	return d.block()
}

// need has at least n bits in the word. No more bytes are taken than that
// takes, and n is 32 at most.
func (d *Reader) need(n uint) error {
	for d.count < n {
		b, err := d.src.ReadByte()
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		d.word |= uint64(b) << d.count
		d.count += 8
	}
	return nil
}

// take returns the next n bits.
func (d *Reader) take(n uint) (int, error) {
	if err := d.need(n); err != nil {
		return 0, err
	}
	v := int(d.word & (1<<n - 1))
	d.word >>= n
	d.count -= n
	return v, nil
}

// block reads the header of a block.
func (d *Reader) block() error {
	head, err := d.take(3)
	if err != nil {
		return err
	}
	d.final = head&1 != 0
	switch head >> 1 {
	case 0:
		return d.startStored()
	case 1:
		d.fixedCodes()
	case 2:
		if err := d.dynamicCodes(); err != nil {
			return err
		}
	default:
		return ErrCorrupt
	}
	d.coded = true
	return nil
}

// startStored reads the length of a stored block, which starts at a byte.
func (d *Reader) startStored() error {
	if _, err := d.take(d.count & 7); err != nil {
		return err
	}
	n, err := d.take(32)
	if err != nil {
		return err
	}
	if n&0xffff != ^n>>16&0xffff {
		return ErrCorrupt
	}
	d.stored = n & 0xffff
	return nil
}

func (d *Reader) copyStored() error {
	n, err := d.src.Read(d.out[d.w:min(len(d.out), d.w+d.stored)])
	d.w += n
	d.stored -= n
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
