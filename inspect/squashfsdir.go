package inspect

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// A squashName is a name in a folder and what it says of its inode.
type squashName struct {
	name   string
	ref    uint64
	number uint32
	kind   squashKind
}

// matches says whether an inode is what the name says of it: Linux believes
// now the one, now the other.
func (d squashName) matches(in *squashInode) error {
	if d.kind != in.kind || d.number != in.number {
		return fmt.Errorf("its folder says inode %d of kind %d, and it is inode %d of kind %d", d.number, d.kind, in.number, in.kind)
	}
	return nil
}

// A squashListing reads the names of a folder. They come in runs whose inodes
// lie in the same metadata block and whose numbers are near to each other.
type squashListing struct {
	r      metaReader
	left   int64 // bytes of the listing
	run    uint32
	block  uint64
	number uint32
}

// Linux counts three bytes for "." and "..", which are not stored.
const squashDots = 3

// maxRun is how many names a run may have.
const maxRun = 256

func (s *squashFS) listing(in *squashInode) (*squashListing, error) {
	if in.size <= squashDots {
		return &squashListing{}, nil
	}
	r, err := s.metaRef(s.super.dirTable, uint64(in.start)<<16|uint64(in.offset))
	return &squashListing{r: r, left: in.size - squashDots}, err
}

// next returns the next name, io.EOF after the last.
func (l *squashListing) next() (squashName, error) {
	if l.run == 0 {
		if l.left == 0 {
			return squashName{}, io.EOF
		}
		if err := l.nextRun(); err != nil {
			return squashName{}, err
		}
	}
	l.run--
	f, err := l.record(8)
	if err != nil {
		return squashName{}, err
	}
	offset, delta, kind := f.u16(), int16(f.u16()), f.u16()
	name, err := l.take(int(f.u16()) + 1)
	if err != nil {
		return squashName{}, err
	}
	d := squashName{string(name), l.block<<16 | uint64(offset), l.number + uint32(int32(delta)), squashKind(kind)}
	return d, checkName(d.name)
}

func (l *squashListing) nextRun() error {
	f, err := l.record(12)
	if err != nil {
		return err
	}
	l.run, l.block, l.number = f.u32()+1, uint64(f.u32()), f.u32()
	if l.run > maxRun || l.run == 0 {
		return fmt.Errorf("a run of more than %d names", maxRun)
	}
	return nil
}

func (l *squashListing) record(n int) (fields, error) {
	p, err := l.take(n)
	return fields{p}, err
}

func (l *squashListing) take(n int) ([]byte, error) {
	if l.left < int64(n) {
		return nil, errors.New("its listing is longer than its inode says")
	}
	l.left -= int64(n)
	return l.r.take(n)
}

// maxSquashName is the longest name that Linux reads (SQUASHFS_NAME_LEN).
const maxSquashName = 256

// checkName rejects names that would lead elsewhere.
func checkName(name string) error {
	if name == "." || name == ".." || len(name) > maxSquashName || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%.300q is no name for a file", name)
	}
	return nil
}
