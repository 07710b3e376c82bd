package xz

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/ulikunitz/xz/lzma"

	"audit/inspect/check"
	"audit/inspect/limit"
)

// An lzipReader reads lzip members, one behind the other
// (draft-diaz-lzip-09).
type lzipReader struct {
	in     *byteCounter
	charge func(n int64) error
	lz     io.Reader // of the member being read
	from   int64     // where it starts
	crc    hash.Hash32
	size   uint64
	note   func(check.Message) // takes what is wrong though it can be read
}

// NewLzipReader reads members of lzip; charge is asked before memory is taken, and note is
// given what is wrong though it can be read.
func NewLzipReader(r *bufio.Reader, charge func(n int64) error, note func(check.Message)) (*lzipReader, error) {
	l := &lzipReader{in: &byteCounter{r: r}, charge: charge, note: note}
	return l, l.start()
}

// start reads the header of a member.
func (l *lzipReader) start() error {
	l.from = l.in.n
	head, err := l.in.bytes(6)
	if err != nil {
		return NoEOF(err)
	}
	if string(head[:4]) != "LZIP" || head[4] != 1 {
		return fmt.Errorf("version %d of lzip: audit reads 1", head[4])
	}
	dictionary := int64(1) << (head[5] & 0x1f)
	dictionary -= dictionary / 16 * int64(head[5]>>5)
	if dictionary < 4<<10 || dictionary > maxDictionary {
		return &limit.Error{Name: "bytes of an LZMA dictionary", Limit: maxDictionary, Where: "the lzip stream"}
	}
	if err := l.charge(dictionary); err != nil {
		return err
	}
	// The header that LZMA has where it stands alone: properties, dictionary,
	// and no size, for an end marker follows.
	alone := binary.LittleEndian.AppendUint32([]byte{93}, uint32(dictionary))
	alone = binary.LittleEndian.AppendUint64(alone, 1<<64-1)
	l.crc, l.size = crc32.NewIEEE(), 0
	l.lz, err = lzma.NewReader(&behind{alone, l.in})
	return NoEOF(err)
}

// behind reads a few bytes and then what is in a counter, byte by byte: a
// reader of LZMA takes no more than it needs from one that can.
type behind struct {
	first []byte
	*byteCounter
}

func (b *behind) Read(p []byte) (int, error) {
	if len(b.first) == 0 {
		return b.byteCounter.Read(p)
	}
	n := copy(p, b.first)
	b.first = b.first[n:]
	return n, nil
}

func (b *behind) ReadByte() (byte, error) {
	if len(b.first) == 0 {
		return b.byteCounter.ReadByte()
	}
	c := b.first[0]
	b.first = b.first[1:]
	return c, nil
}

func (l *lzipReader) Read(p []byte) (int, error) {
	for l.lz != nil {
		n, err := l.lz.Read(p)
		l.crc.Write(p[:n])
		l.size += uint64(n)
		if err == io.EOF {
			err = l.end()
		}
		if n > 0 || err != nil {
			return n, NoEOF(err)
		}
	}
	return 0, io.EOF
}

// end reads a member's trailer and starts the next. What is none is junk.
func (l *lzipReader) end() error {
	p, err := l.in.bytes(20)
	if err != nil {
		return NoEOF(err)
	}
	if binary.LittleEndian.Uint32(p) != l.crc.Sum32() || binary.LittleEndian.Uint64(p[4:]) != l.size || binary.LittleEndian.Uint64(p[12:]) != uint64(l.in.n-l.from) {
		return errors.New("the trailer of an lzip member does not fit the bytes")
	}
	l.lz = nil
	head, err := l.in.r.Peek(4)
	if string(head) == "LZIP" {
		return l.start()
	}
	if len(head) == 0 && err == io.EOF {
		return nil
	}
	n, err := io.Copy(io.Discard, l.in)
	l.note(check.Say("integrity/trailing-compressed-data", "compression", "lzip", "bytes", n))
	return err
}
