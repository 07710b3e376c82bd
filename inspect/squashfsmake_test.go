package inspect

import (
	"audit/fixtures"
	"audit/inspect/digest"
	"audit/inspect/pass"
	"bytes"
	"encoding/binary"
	"testing"
)

// A squashMaker makes squashfs images byte by byte, with nothing packed, so
// that each number in them can be made a lie. Its files have one name each and
// lie in the root, unless a test says otherwise.
type squashMaker struct {
	block  uint32
	data   []byte // from byte 96 on
	inodes []byte
	dirs   []byte
	names  []squashEntry
	tails  []byte // the table of fragments
	ids    []uint32
	xattrs []byte // names and values
	sets   []byte // the table of sets
	number uint32
	shape  func(super []byte) // changes the superblock
}

// A squashEntry is a name in the folder under construction.
type squashEntry struct {
	name   string
	ref    uint64
	number uint32
	kind   uint16
}

func newSquashMaker() *squashMaker { return &squashMaker{block: 4096, ids: []uint32{0}} }

var le = binary.LittleEndian

// numbers appends numbers of the sizes that their types have.
func numbers(p []byte, all ...any) []byte {
	for _, n := range all {
		var err error
		if p, err = binary.Append(p, le, n); err != nil {
			panic(err)
		}
	}
	return p
}

// metaPlace is where a byte of a table lies when its blocks are not packed.
func metaPlace(n int) uint64 {
	return uint64(n/metaSize*(metaSize+2))<<16 | uint64(n%metaSize)
}

// metaBlocks returns a table as it is stored.
func metaBlocks(p []byte) []byte {
	var out []byte
	for len(p) > 0 {
		n := min(len(p), metaSize)
		out = append(numbers(out, uint16(n)|0x8000), p[:n]...)
		p = p[n:]
	}
	return out
}

// inode appends an inode and returns the name that it may have.
func (m *squashMaker) inode(name string, kind uint16, fields ...any) squashEntry {
	m.number++
	e := squashEntry{name, metaPlace(len(m.inodes)), m.number, kind}
	if kind > 7 {
		e.kind -= 7
	}
	m.inodes = numbers(m.inodes, kind, uint16(0o755), uint16(0), uint16(0), uint32(1), m.number)
	m.inodes = numbers(m.inodes, fields...)
	return e
}

// add puts an inode under its name into the folder under construction.
func (m *squashMaker) add(e squashEntry) squashEntry {
	m.names = append(m.names, e)
	return e
}

const (
	noFragment = uint32(none32)
	plainBlock = uint32(notPacked)
)

// file stores content in whole blocks.
func (m *squashMaker) file(name string, content []byte) squashEntry {
	start, sizes := uint32(superblockSize+len(m.data)), []any(nil)
	for p := content; len(p) > 0; p = p[min(len(p), int(m.block)):] {
		sizes = append(sizes, uint32(min(len(p), int(m.block)))|plainBlock)
	}
	m.data = append(m.data, content...)
	return m.add(m.inode(name, 2, append([]any{start, noFragment, uint32(0), uint32(len(content))}, sizes...)...))
}

// folder makes a folder of the names so far and starts anew.
func (m *squashMaker) folder(name string) squashEntry {
	listing, at := m.listing(), metaPlace(len(m.dirs))
	m.dirs = append(m.dirs, listing...)
	m.names = nil
	return m.inode(name, 8, uint32(1), uint32(len(listing)+3), uint32(at>>16), uint32(0), uint16(0), uint16(at), noFragment)
}

// listing returns the listing of the names so far, each in a run of its own.
func (m *squashMaker) listing() []byte {
	var p []byte
	for _, e := range m.names {
		p = numbers(p, uint32(0), uint32(e.ref>>16), e.number)
		p = numbers(p, uint16(e.ref), int16(0), e.kind, uint16(len(e.name)-1))
		p = append(p, e.name...)
	}
	return p
}

// table appends a table and its index to an image and returns where the index
// is.
func table(img, rows []byte) ([]byte, uint64) {
	var index []byte
	for len(rows) > 0 {
		n := min(len(rows), metaSize)
		index = numbers(index, uint64(len(img)))
		img = append(img, metaBlocks(rows[:n])...)
		rows = rows[n:]
	}
	at := uint64(len(img))
	return append(img, index...), at
}

// image ends with the names so far as the root folder.
func (m *squashMaker) image() []byte {
	root := m.folder("")
	img := append(make([]byte, superblockSize), m.data...)
	inodes := uint64(len(img))
	img = append(img, metaBlocks(m.inodes)...)
	dirs := uint64(len(img))
	img = append(img, metaBlocks(m.dirs)...)
	img, tails := table(img, m.tails)
	img, ids := table(img, numbers(nil, m.ids))
	pairs, xattrs := uint64(len(img)), uint64(none64)
	if m.sets != nil {
		img = append(img, metaBlocks(m.xattrs)...)
		sets, at := table(img, m.sets)
		index := bytes.Clone(sets[at:])
		xattrs = at
		img = append(numbers(sets[:at], pairs, uint32(len(m.sets)/16), uint32(0)), index...)
	}
	super := numbers([]byte("hsqs"), m.number, uint32(1), m.block, uint32(len(m.tails)/16), uint16(1), uint16(log2(m.block)),
		uint16(0), uint16(len(m.ids)), uint16(4), uint16(0), root.ref, uint64(len(img)), ids, xattrs, inodes, dirs, tails, uint64(none64))
	if m.shape != nil {
		m.shape(super)
	}
	copy(img, super)
	return img
}

func log2(n uint32) int {
	for i := range 32 {
		if n>>i == 1 {
			return i
		}
	}
	return 0
}

// An image that is not tampered with is read without complaint.
func TestSquashMaker(t *testing.T) {
	img, err := openBytes(t, honestSquashfs(), pass.Options{Stores: fixtures.Stores()})
	if err != nil || len(img.Problems) > 0 {
		t.Fatal(err, img)
	}
	sum := func(content string) string { return sketchContent(digest.Of([]byte(content)), len(content)) }
	want := "5 . |0 a " + sum("the end of a fil") + "|0 b " + sum(string(text(9000))) + "|5 d |0 d/e " + sum("nd of another") +
		"|3 dev |2 l -> a|6 pipe |s sock |0 x " + sum("test") + " user.note=hi|"
	if got := sketch(img); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// honestSquashfs has one of each kind.
func honestSquashfs() []byte {
	m := newSquashMaker()
	m.data = append(m.data, "the end of a file and of another"...)
	m.tails = numbers(nil, uint64(superblockSize), uint32(len(m.data))|plainBlock, uint32(0))
	inner := m.inode("e", 2, uint32(0), uint32(0), uint32(19), uint32(13))
	m.add(inner)
	d := m.folder("d")
	m.add(m.inode("a", 2, uint32(0), uint32(0), uint32(0), uint32(16)))
	m.file("b", text(9000))
	m.add(d)
	m.add(m.inode("dev", 5, uint32(1), uint32(0x103)))
	m.add(m.inode("l", 3, uint32(1), uint32(1), byte('a')))
	m.add(m.inode("pipe", 6, uint32(1)))
	m.add(m.inode("sock", 7, uint32(1)))
	m.xattrs = numbers(nil, uint16(0), uint16(4), []byte("note"), uint32(2), []byte("hi"))
	m.sets = numbers(nil, uint64(0), uint32(1), uint32(14))
	start := uint64(superblockSize + len(m.data))
	m.data = append(m.data, "test"...)
	m.add(m.inode("x", 9, start, uint64(4), uint64(0), uint32(1), noFragment, uint32(0), uint32(0), uint32(4)|plainBlock))
	return m.image()
}
