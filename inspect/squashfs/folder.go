package squashfs

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"audit/inspect/record"
)

// A name is a name in a folder and what it says of its inode.
type name struct {
	name   string
	ref    uint64
	number uint32
	kind   kind
}

// matches says whether an inode is what the name says of it: Linux believes
// now the one, now the other.
func (d name) matches(in *inode) error {
	if d.kind != in.kind || d.number != in.number {
		return fmt.Errorf("its folder says inode %d of kind %d, and it is inode %d of kind %d", d.number, d.kind, in.number, in.kind)
	}
	return nil
}

// A listing reads the names of a folder. They come in runs whose inodes
// lie in the same metadata block and whose numbers are near to each other.
type listing struct {
	r      metaReader
	left   int64 // bytes of the listing
	run    uint32
	block  uint64
	number uint32
}

// listedDots counts three bytes for "." and "..", which are not stored.
const listedDots = 3

// maxRun is how many names a run may have.
const maxRun = 256

func (s *fileSystem) listing(in *inode) (*listing, error) {
	if in.size <= listedDots {
		return &listing{}, nil
	}
	r, err := s.metaRef(s.super.dirTable, uint64(in.start)<<16|uint64(in.offset))
	return &listing{r: r, left: in.size - listedDots}, err
}

// next returns the next name, io.EOF after the last.
func (l *listing) next() (name, error) {
	if l.run == 0 {
		if l.left == 0 {
			return name{}, io.EOF
		}
		if err := l.nextRun(); err != nil {
			return name{}, err
		}
	}
	l.run--
	f, err := l.record(8)
	if err != nil {
		return name{}, err
	}
	offset, delta, is := f.U16(), int16(f.U16()), f.U16()
	text, err := l.take(int(f.U16()) + 1)
	if err != nil {
		return name{}, err
	}
	d := name{string(text), l.block<<16 | uint64(offset), l.number + uint32(int32(delta)), kind(is)}
	return d, checkName(d.name)
}

func (l *listing) nextRun() error {
	f, err := l.record(12)
	if err != nil {
		return err
	}
	l.run, l.block, l.number = f.U32()+1, uint64(f.U32()), f.U32()
	if l.run > maxRun || l.run == 0 {
		return fmt.Errorf("a run of more than %d names", maxRun)
	}
	return nil
}

func (l *listing) record(n int) (record.Fields, error) {
	p, err := l.take(n)
	return record.Fields{B: p}, err
}

func (l *listing) take(n int) ([]byte, error) {
	if l.left < int64(n) {
		return nil, errors.New("its listing is longer than its inode says")
	}
	l.left -= int64(n)
	return l.r.take(n)
}

// maxName is the longest name that Linux reads (SQUASHFS_NAME_LEN).
const maxName = 256

// checkName rejects names that would lead elsewhere.
func checkName(name string) error {
	if name == "." || name == ".." || len(name) > maxName || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%.300q is no name for a file", name)
	}
	return nil
}
