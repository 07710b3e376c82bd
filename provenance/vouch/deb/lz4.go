package deb

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// apt keeps lists in the frame format of LZ4 where it is told to compress them (LZ4 Frame
// Format 1.6.4, LZ4 Block Format). Checksums are not verified: what comes out is hashed.

const lz4Magic = 0x184d2204

func isLZ4(head []byte) bool {
	return len(head) >= 4 && binary.LittleEndian.Uint32(head) == lz4Magic
}

// lz4Window is how far a match reaches back.
const lz4Window = 64 << 10

var errLZ4 = errors.New("the LZ4 frame is damaged")

// An lz4Reader reads the frames of a stream one after the other.
type lz4Reader struct {
	r       *bufio.Reader
	open    bool // a frame
	most    int  // bytes of a block
	blocks  bool // have checksums
	content bool // has a checksum
	out     []byte
	at      int // of what was returned of out
	packed  []byte
}

func newLZ4(r *bufio.Reader) *lz4Reader { return &lz4Reader{r: r} }

func (z *lz4Reader) Read(p []byte) (int, error) {
	for z.at == len(z.out) {
		var err error
		if z.open {
			err = z.block()
		} else {
			err = z.frame()
		}
		if err != nil {
			return 0, err
		}
	}
	n := copy(p, z.out[z.at:])
	z.at += n
	return n, nil
}

// frame reads the header of a frame; io.EOF where none follows.
func (z *lz4Reader) frame() error {
	head := make([]byte, 7)
	if _, err := io.ReadFull(z.r, head[:4]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(head) != lz4Magic {
		return errLZ4
	}
	if _, err := io.ReadFull(z.r, head[4:6]); err != nil {
		return unexpected(err)
	}
	flags, sizes := head[4], head[5]>>4&7
	if flags>>6 != 1 || sizes < 4 {
		return fmt.Errorf("an LZ4 frame with flags %#x is not known", flags)
	}
	more := 1 // the checksum of the header
	if flags&8 != 0 {
		more += 8
	}
	if flags&1 != 0 {
		more += 4
	}
	if _, err := z.r.Discard(more); err != nil {
		return unexpected(err)
	}
	z.open, z.blocks, z.content, z.most = true, flags&16 != 0, flags&4 != 0, 1<<(8+2*sizes)
	z.out, z.at = z.out[:0], 0
	return nil
}

func (z *lz4Reader) block() error {
	var word [4]byte
	if _, err := io.ReadFull(z.r, word[:]); err != nil {
		return unexpected(err)
	}
	size := binary.LittleEndian.Uint32(word[:])
	if size == 0 {
		z.open = false
		return z.skip(z.content)
	}
	stored := size>>31 == 1
	size &^= 1 << 31
	if int(size) > z.most {
		return errLZ4
	}
	if cap(z.packed) < int(size) {
		z.packed = make([]byte, size)
	}
	z.packed = z.packed[:size]
	if _, err := io.ReadFull(z.r, z.packed); err != nil {
		return unexpected(err)
	}
	keep := max(0, len(z.out)-lz4Window)
	z.out = append(z.out[:0], z.out[keep:]...)
	z.at = len(z.out)
	if stored {
		z.out = append(z.out, z.packed...)
	} else if err := z.unpack(z.packed); err != nil {
		return err
	}
	return z.skip(z.blocks)
}

func (z *lz4Reader) skip(checksum bool) error {
	if !checksum {
		return nil
	}
	_, err := z.r.Discard(4)
	return unexpected(err)
}

// unpack appends what a block unpacks to.
func (z *lz4Reader) unpack(p []byte) error {
	start := len(z.out)
	for len(p) > 0 {
		token := p[0]
		p = p[1:]
		literals, rest, ok := lz4Length(int(token>>4), p)
		if !ok || literals > len(rest) {
			return errLZ4
		}
		z.out = append(z.out, rest[:literals]...)
		p = rest[literals:]
		if len(p) == 0 {
			break // the last sequence has no match
		}
		if len(p) < 2 {
			return errLZ4
		}
		distance := int(binary.LittleEndian.Uint16(p))
		length, rest, ok := lz4Length(int(token&15), p[2:])
		length += 4
		if !ok || distance == 0 || distance > len(z.out) || len(z.out)-start+length > z.most {
			return errLZ4
		}
		p = rest
		for from := len(z.out) - distance; length > 0; length-- {
			z.out = append(z.out, z.out[from])
			from++
		}
	}
	if len(z.out)-start > z.most {
		return errLZ4
	}
	return nil
}

// lz4Length reads the rest of a length of which the token has four bits.
func lz4Length(n int, p []byte) (length int, rest []byte, ok bool) {
	if n < 15 {
		return n, p, true
	}
	for i, b := range p {
		if n += int(b); b != 255 {
			return n, p[i+1:], true
		}
	}
	return 0, nil, false
}
