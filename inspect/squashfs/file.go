package squashfs

import (
	"errors"
	"fmt"
	"io"
)

// tailsKept is how many unpacked fragment blocks are kept: the ends of files
// that lie together were put together.
const tailsKept = 8

// A reader reads the content of a file block by block. What it gives is
// as long as the inode says or ends in an error.
type reader struct {
	fs    *fileSystem
	in    *inode
	sizes metaReader
	at    int64 // where the next block is stored
	left  int64 // bytes of content to come after rest
	rest  []byte
	holes bool
}

func (s *fileSystem) open(in *inode) *reader {
	return &reader{fs: s, in: in, sizes: in.sizes, at: in.start, left: in.size}
}

func (r *reader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, fmt.Errorf("%d bytes before its end: %w", r.left, err)
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next makes the next block the rest. All blocks are full but the last, and
// that one may lie in a fragment with the ends of other files.
func (r *reader) next() (err error) {
	if err := r.fs.pass.Ctx.Err(); err != nil {
		return err
	}
	n := min(r.left, r.fs.super.blockSize)
	if n < r.fs.super.blockSize && r.in.fragment != none32 {
		r.rest, err = r.fs.tail(r.in, n)
	} else {
		r.rest, err = r.full(n)
	}
	if err == nil {
		r.left -= n
	}
	return err
}

// notPacked is the bit that a stored size has when the block is stored as it
// is.
const notPacked = 1 << 24

// full reads a block of n bytes, or a hole.
func (r *reader) full(n int64) ([]byte, error) {
	f, err := r.sizes.record(4)
	if err != nil {
		return nil, fmt.Errorf("reading its list of blocks: %w", err)
	}
	size := f.U32()
	if size == 0 {
		r.holes = true
		return r.fs.zeros[:n], nil
	}
	stored, err := r.fs.storedSize(size)
	if err != nil {
		return nil, err
	}
	data, err := r.fs.block(r.fs.data, r.at, stored, size&notPacked == 0)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != n {
		return nil, fmt.Errorf("the block at byte %d has %d bytes where %d are due", r.at, len(data), n)
	}
	r.at += stored
	return data, nil
}

// storedSize returns the length in a stored size.
func (s *fileSystem) storedSize(size uint32) (int64, error) {
	n := int64(size &^ notPacked)
	if n > s.super.blockSize {
		return 0, fmt.Errorf("a stored block of %d bytes, where blocks have %d", n, s.super.blockSize)
	}
	return n, nil
}

// tail returns the n bytes of a file that lie in a fragment.
func (s *fileSystem) tail(in *inode, n int64) ([]byte, error) {
	data, err := s.fragment(in.fragment)
	if err != nil {
		return nil, fmt.Errorf("reading fragment %d: %w", in.fragment, err)
	}
	if int64(in.offset) > int64(len(data))-n {
		return nil, fmt.Errorf("%d bytes at byte %d of fragment %d, which has %d", n, in.offset, in.fragment, len(data))
	}
	return data[in.offset:][:n], nil
}

// fragment returns an unpacked fragment block.
func (s *fileSystem) fragment(i uint32) ([]byte, error) {
	if i >= s.super.fragments || s.super.fragTable < 0 {
		return nil, fmt.Errorf("there are %d", s.super.fragments)
	}
	row, err := s.row(s.super.fragTable, int64(i), 16)
	if err != nil {
		return nil, err
	}
	at, size := int64(row.U64()), row.U32()
	if data, ok := s.tails.get(at); ok {
		return data, nil
	}
	n, err := s.storedSize(size)
	if err == nil && n == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, err
	}
	data, err := s.block(make([]byte, s.super.blockSize), at, n, size&notPacked == 0)
	if err != nil {
		return nil, err
	}
	s.used.add(at, at+n)
	s.tails.put(at, data)
	return data, s.pass.Grow(theFileSystem, int64(len(data)))
}
