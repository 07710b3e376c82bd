package squashfs

import (
	"errors"
	"fmt"

	"audit/inspect/record"
)

// An xattrTable has the extended attributes of a squashfs: sets of them, each
// shared by all inodes that have the same.
type xattrTable struct {
	fs    *fileSystem
	pairs int64 // where names and values are
	index int64 // where the list of sets is
	count uint32
	sets  map[uint32]map[string]string // those read
}

// maxXattr is the longest value that Linux allows (XATTR_SIZE_MAX).
const maxXattr = 64 << 10

// xattrCost is what an attribute is taken to cost beyond its bytes.
const xattrCost = 64

func (s *fileSystem) readXattrTable() error {
	s.xattrs = xattrTable{fs: s, sets: make(map[uint32]map[string]string)}
	at := s.super.xattrTable
	if at < 0 {
		return nil
	}
	raw, err := s.stored(at, 16)
	if err != nil {
		return err
	}
	f := record.Fields{B: raw}
	s.xattrs.pairs, s.xattrs.count, s.xattrs.index = int64(f.U64()), f.U32(), at+16
	if s.xattrs.pairs < superblockSize || s.xattrs.pairs > at {
		return fmt.Errorf("its names and values should be at byte %d", s.xattrs.pairs)
	}
	return nil
}

// of returns the set of attributes that an inode names; nil when it has none.
func (t *xattrTable) of(i uint32) (map[string]string, error) {
	if i == none32 {
		return nil, nil
	}
	if set, ok := t.sets[i]; ok {
		return set, nil
	}
	if i >= t.count {
		return nil, fmt.Errorf("set %d of %d", i, t.count)
	}
	row, err := t.fs.row(t.index, int64(i), 16)
	if err != nil {
		return nil, err
	}
	ref, count := row.U64(), row.U32()
	set, err := t.read(ref, count)
	if err != nil {
		return nil, err
	}
	t.sets[i] = set
	return set, nil
}

func (t *xattrTable) read(ref uint64, count uint32) (map[string]string, error) {
	r, err := t.fs.metaRef(t.pairs, ref)
	if err != nil || count == 0 {
		return nil, err
	}
	set := make(map[string]string)
	for range count {
		name, value, err := t.pair(&r)
		if err != nil {
			return nil, err
		}
		if err := t.fs.pass.Keep(theFileSystem, int64(len(name)+len(value))+xattrCost); err != nil {
			return nil, err
		}
		if _, twice := set[name]; twice {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		set[name] = value
	}
	return set, nil
}

// outOfLine is the bit of a name whose value is only a reference to it.
const outOfLine = 0x100

func (t *xattrTable) pair(r *metaReader) (name, value string, err error) {
	f, err := r.record(4)
	if err != nil {
		return "", "", err
	}
	kind, n := f.U16(), f.U16()
	prefix := map[uint16]string{0: "user.", 1: "trusted.", 2: "security."}[kind&0xff]
	if prefix == "" {
		return "", "", fmt.Errorf("names of kind %d", kind)
	}
	base, err := r.take(int(n))
	if err != nil {
		return "", "", err
	}
	name = prefix + string(base)
	value, err = t.value(r)
	if err == nil && kind&outOfLine != 0 {
		value, err = t.elsewhere(value)
	}
	return name, value, err
}

func (t *xattrTable) value(r *metaReader) (string, error) {
	f, err := r.record(4)
	if err != nil {
		return "", err
	}
	n := f.U32()
	if n > maxXattr {
		return "", fmt.Errorf("a value of %d bytes, where Linux allows %d", n, maxXattr)
	}
	value, err := r.take(int(n))
	return string(value), err
}

// elsewhere returns the value that another one refers to.
func (t *xattrTable) elsewhere(ref string) (string, error) {
	if len(ref) != 8 {
		return "", errors.New("a reference to a value that is not of 8 bytes")
	}
	f := record.Fields{B: []byte(ref)}
	r, err := t.fs.metaRef(t.pairs, f.U64())
	if err != nil {
		return "", err
	}
	return t.value(&r)
}
