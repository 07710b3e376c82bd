package squashfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"audit/inspect/record"
)

// metaSize is what a metadata block unpacks to, but for the last of a table.
const metaSize = 8 << 10

// metaKept is how many unpacked metadata blocks are kept: inodes and names that
// lie together are read together.
const metaKept = 256

// maxStored bounds what a block may be stored as: one that would not get
// smaller is stored as it is.
const maxStored = 1 << 20

// A metaBlock is an unpacked metadata block and where the next one starts.
type metaBlock struct {
	data []byte
	next int64
}

// stored reads n bytes at a place; they are overwritten by the next call.
func (s *fileSystem) stored(at int64, n int64) ([]byte, error) {
	if at < 0 || n > maxStored || at > s.super.used-n {
		return nil, fmt.Errorf("%d bytes at byte %d, where the file system has %d in all", n, at, s.super.used)
	}
	raw := s.raw[:n]
	if got, err := s.file.ReadAt(raw, at); int64(got) < n {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return raw, nil
}

// block unpacks n bytes at a place into dst and returns what came out. It may
// be less than dst has room for, and never more.
func (s *fileSystem) block(dst []byte, at, n int64, packed bool) ([]byte, error) {
	raw, err := s.stored(at, n)
	if err != nil {
		return nil, err
	}
	if !packed {
		if len(raw) > len(dst) {
			return nil, fmt.Errorf("the block at byte %d has %d bytes, and %d at most are due", at, n, len(dst))
		}
		return dst[:copy(dst, raw)], nil
	}
	got, err := s.unpack(dst, raw)
	if err != nil {
		return nil, fmt.Errorf("unpacking the block at byte %d: %w", at, err)
	}
	return dst[:got], nil
}

// metadata returns the metadata block at a place: two bytes that say how it is
// stored, and the block.
func (s *fileSystem) metadata(at int64) (metaBlock, error) {
	if b, ok := s.meta.get(at); ok {
		return b, nil
	}
	head, err := s.stored(at, 2)
	if err != nil {
		return metaBlock{}, err
	}
	size := binary.LittleEndian.Uint16(head)
	n := int64(size &^ 0x8000)
	data, err := s.block(make([]byte, metaSize), at+2, n, size&0x8000 == 0)
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("the metadata block at byte %d is empty", at)
	}
	if err != nil {
		return metaBlock{}, err
	}
	b := metaBlock{data, at + 2 + n}
	s.meta.put(at, b)
	return b, s.pass.Grow(theFileSystem, int64(len(data)))
}

// A metaReader reads on through metadata blocks.
type metaReader struct {
	fs   *fileSystem
	rest []byte
	next int64
}

// metaAt starts to read at an offset in the unpacked metadata block that starts
// at a place.
func (s *fileSystem) metaAt(at int64, offset uint16) (metaReader, error) {
	b, err := s.metadata(at)
	if err != nil {
		return metaReader{}, err
	}
	if int(offset) > len(b.data) {
		return metaReader{}, fmt.Errorf("offset %d in the metadata block at byte %d, which has %d", offset, at, len(b.data))
	}
	return metaReader{s, b.data[offset:], b.next}, nil
}

// metaRef starts to read where ref leads, counted from the start of a table:
// the upper bits say which block, the lower 16 where in it.
func (s *fileSystem) metaRef(table int64, ref uint64) (metaReader, error) {
	if ref>>16 > uint64(s.super.used-table) {
		return metaReader{}, fmt.Errorf("a reference to byte %d of a table leads past the end", ref>>16)
	}
	return s.metaAt(table+int64(ref>>16), uint16(ref))
}

// take returns the next n bytes. They may be read until the table is left
// alone no longer, so nobody writes to them.
func (r *metaReader) take(n int) ([]byte, error) {
	if len(r.rest) >= n {
		p := r.rest[:n]
		r.rest = r.rest[n:]
		return p, nil
	}
	p := make([]byte, 0, n)
	for {
		k := min(n-len(p), len(r.rest))
		p = append(p, r.rest[:k]...)
		r.rest = r.rest[k:]
		if len(p) == n {
			return p, nil
		}
		b, err := r.fs.metadata(r.next)
		if err != nil {
			return nil, err
		}
		r.rest, r.next = b.data, b.next
	}
}

// record returns the numbers in the next n bytes.
func (r *metaReader) record(n int) (record.Fields, error) {
	p, err := r.take(n)
	return record.Fields{B: p}, err
}

// row returns record i of a table whose index, a list of the places of its
// metadata blocks, is at a place.
func (s *fileSystem) row(index int64, i int64, size int) (record.Fields, error) {
	perBlock := int64(metaSize / size)
	at, err := s.stored(index+8*(i/perBlock), 8)
	if err != nil {
		return record.Fields{}, err
	}
	b, err := s.metadata(int64(binary.LittleEndian.Uint64(at)))
	if err != nil {
		return record.Fields{}, err
	}
	offset := int(i%perBlock) * size
	if offset+size > len(b.data) {
		return record.Fields{}, errors.New("the table ends before it")
	}
	return record.Fields{B: b.data[offset : offset+size]}, nil
}

// readIDs reads the table of users and groups.
func (s *fileSystem) readIDs() error {
	s.ids = make([]uint32, s.super.ids)
	for i := range s.ids {
		row, err := s.row(s.super.idTable, int64(i), 4)
		if err != nil {
			return err
		}
		s.ids[i] = row.U32()
	}
	return nil
}

func (s *fileSystem) id(i uint16) (uint32, error) {
	if int(i) >= len(s.ids) {
		return 0, fmt.Errorf("owner %d of %d", i, len(s.ids))
	}
	return s.ids[i], nil
}

// recent keeps the last values that were put into it.
type recent[K comparable, V any] struct {
	values map[K]V
	keys   []K // a ring
	oldest int
}

func newRecent[K comparable, V any](n int) recent[K, V] {
	return recent[K, V]{values: make(map[K]V, n), keys: make([]K, 0, n)}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	v, ok := r.values[key]
	return v, ok
}

func (r *recent[K, V]) put(key K, v V) {
	if len(r.keys) < cap(r.keys) {
		r.keys = append(r.keys, key)
	} else {
		delete(r.values, r.keys[r.oldest])
		r.keys[r.oldest] = key
		r.oldest = (r.oldest + 1) % len(r.keys)
	}
	r.values[key] = v
}
