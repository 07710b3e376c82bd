package squashfs

import (
	"fmt"
	"math"

	"audit/inspect/image"
	"audit/inspect/limit"
)

// A kind is what an inode is, as names in folders have it.
type kind uint16

// The kinds. An inode of kind+7 is the same with larger numbers and extended
// attributes.
const (
	folderKind kind = 1 + iota
	fileKind
	squashSymlink
	blockDevice
	charDevice
	squashFIFO
	socketKind
)

// entryType returns the type flag that a tar has for a kind; it has none for
// sockets.
func (k kind) entryType() byte {
	return [...]byte{folderKind: '5', fileKind: '0', squashSymlink: '2', blockDevice: '4', charDevice: '3', squashFIFO: '6', socketKind: image.Socket}[k]
}

// A inode is what a name leads to.
type inode struct {
	ref    uint64 // where it is
	kind   kind
	mode   uint16 // 07777
	uid    uint32
	gid    uint32
	mtime  uint32 // seconds since 1970; Linux takes it for unsigned
	number uint32
	xattr  uint32 // none32 when it has none

	start    int64      // of a file's blocks; of a folder's listing, in the table
	offset   uint32     // of a folder's listing in its block; of a file's end in its fragment
	size     int64      // of a file, in bytes; of a folder's listing
	fragment uint32     // none32 when the file has none
	sizes    metaReader // of a file: how its blocks are stored
	target   string     // of a symlink
	rdev     uint32     // of a device
}

// inode reads the inode that ref leads to.
func (s *fileSystem) inode(ref uint64) (*inode, error) {
	r, err := s.metaRef(s.super.inodeTable, ref)
	if err != nil {
		return nil, err
	}
	f, err := r.record(16)
	if err != nil {
		return nil, err
	}
	in := &inode{ref: ref, kind: kind(f.U16()), mode: f.U16() & 07777, xattr: none32, fragment: none32}
	if in.uid, err = s.id(f.U16()); err != nil {
		return nil, err
	}
	if in.gid, err = s.id(f.U16()); err != nil {
		return nil, err
	}
	in.mtime, in.number = f.U32(), f.U32()
	extended := in.kind > socketKind
	if extended {
		in.kind -= socketKind
	}
	return in, s.body(in, &r, extended)
}

// body reads what follows the part that all inodes have.
func (s *fileSystem) body(in *inode, r *metaReader, extended bool) error {
	switch in.kind {
	case folderKind:
		return in.readFolder(r, extended)
	case fileKind:
		return in.readFile(r, extended)
	case squashSymlink:
		return in.readSymlink(r, extended)
	case blockDevice, charDevice:
		f, err := r.record(8)
		if err != nil {
			return err
		}
		f.U32() // links
		in.rdev = f.U32()
	case squashFIFO, socketKind:
		if _, err := r.take(4); err != nil {
			return err
		}
	default:
		return fmt.Errorf("an inode of kind %d", in.kind)
	}
	return in.readXattr(r, extended)
}

func (in *inode) readXattr(r *metaReader, extended bool) error {
	if !extended {
		return nil
	}
	f, err := r.record(4)
	if err == nil {
		in.xattr = f.U32()
	}
	return err
}

func (in *inode) readFolder(r *metaReader, extended bool) error {
	if extended {
		f, err := r.record(24)
		if err != nil {
			return err
		}
		f.U32() // links
		in.size, in.start = int64(f.U32()), int64(f.U32())
		f.U32() // inode of the folder above
		f.U16() // length of the index for look-ups by name
		in.offset, in.xattr = uint32(f.U16()), f.U32()
		return nil
	}
	f, err := r.record(16)
	if err != nil {
		return err
	}
	in.start = int64(f.U32())
	f.U32() // links
	in.size, in.offset = int64(f.U16()), uint32(f.U16())
	return nil
}

func (in *inode) readFile(r *metaReader, extended bool) error {
	if !extended {
		f, err := r.record(16)
		if err != nil {
			return err
		}
		in.start, in.fragment, in.offset, in.size = int64(f.U32()), f.U32(), f.U32(), int64(f.U32())
		in.sizes = *r
		return nil
	}
	f, err := r.record(40)
	if err != nil {
		return err
	}
	start, size := f.U64(), f.U64()
	f.U64() // bytes in holes
	f.U32() // links
	in.fragment, in.offset, in.xattr = f.U32(), f.U32(), f.U32()
	if start > math.MaxInt64 || size > math.MaxInt64 {
		return fmt.Errorf("a file of %d bytes at byte %d", size, start)
	}
	in.start, in.size, in.sizes = int64(start), int64(size), *r
	return nil
}

func (in *inode) readSymlink(r *metaReader, extended bool) error {
	f, err := r.record(8)
	if err != nil {
		return err
	}
	f.U32() // links
	n := f.U32()
	if most := int64(r.fs.pass.Limits.PathBytes); int64(n) > most {
		return &limit.Error{Name: "path bytes", Limit: most, Where: theFileSystem}
	}
	target, err := r.take(int(n))
	if err != nil {
		return err
	}
	in.target = string(target)
	return in.readXattr(r, extended)
}

// device returns the numbers of a device, packed as Linux has done it since 2.6
// (include/linux/kdev_t.h, new_decode_dev).
func (in *inode) device() (major, minor int64) {
	n := int64(in.rdev)
	return n >> 8 & 0xfff, n&0xff | n>>12&0xfff00
}
