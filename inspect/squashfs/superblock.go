package squashfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"audit/inspect/pass"
	"audit/inspect/record"
)

// superblockSize is the length of what a squashfs starts with.
const superblockSize = 96

const magic = "hsqs"

// none64 and none32 stand for a table, a fragment or attributes that are not.
const (
	none64 = math.MaxUint64
	none32 = math.MaxUint32
)

// A superblock says where all the rest of a squashfs is.
type superblock struct {
	inodes     uint32
	blockSize  int64
	fragments  uint32
	compressor compressor
	flags      uint16
	ids        uint16
	root       uint64 // where the inode of the root is
	used       int64  // bytes of the file system, without what pads it
	idTable    int64
	xattrTable int64 // -1 when there is none
	inodeTable int64
	dirTable   int64
	fragTable  int64 // -1 when there is none
}

// hasOptions is the flag of a superblock that the options of the compressor
// follow.
const hasOptions = 0x400

func readSuperblock(b *pass.Region) (superblock, error) {
	raw := make([]byte, superblockSize)
	if n, err := b.ReadAt(raw, 0); err != nil {
		if err == io.EOF {
			err = fmt.Errorf("truncated: %d bytes where the superblock has %d", n, superblockSize)
		}
		return superblock{}, err
	}
	if string(raw[:4]) != magic {
		return superblock{}, errors.New("not a squashfs: it has another magic number")
	}
	f := record.Fields{B: raw[4:]}
	s := superblock{inodes: f.U32()}
	f.U32() // time of making
	s.blockSize, s.fragments = int64(f.U32()), f.U32()
	s.compressor = compressor(f.U16())
	log := f.U16()
	s.flags, s.ids = f.U16(), f.U16()
	major, minor := f.U16(), f.U16()
	if major != 4 || minor != 0 {
		return s, fmt.Errorf("squashfs version %d.%d: audit reads 4.0", major, minor)
	}
	if s.blockSize < 4<<10 || s.blockSize > 1<<20 || s.blockSize != 1<<(log&63) {
		return s, fmt.Errorf("blocks of %d bytes (and 2 to the power of %d): a power of two between 4096 and 1048576 is due", s.blockSize, log)
	}
	s.root = f.U64()
	return s, s.places(f, b.Size)
}

// places reads where the tables are.
func (s *superblock) places(f record.Fields, size int64) error {
	used := f.U64()
	if used < superblockSize || used > math.MaxInt64 {
		return fmt.Errorf("it claims to be of %d bytes", used)
	}
	s.used = int64(used)
	if s.used > size {
		return fmt.Errorf("truncated: %d bytes where its superblock says %d", size, s.used)
	}
	for _, table := range []struct {
		at       *int64
		name     string
		optional bool
	}{
		{&s.idTable, "owners", false},
		{&s.xattrTable, "extended attributes", true},
		{&s.inodeTable, "inodes", false},
		{&s.dirTable, "folders", false},
		{&s.fragTable, "fragments", true},
	} {
		at := f.U64()
		if *table.at = int64(at); at == none64 && table.optional {
			continue
		}
		if at < superblockSize || at >= used {
			return fmt.Errorf("its table of %s should be at byte %d of %d", table.name, at, used)
		}
	}
	return nil
}

// Is recognises a squashfs by its first bytes.
func Is(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }
