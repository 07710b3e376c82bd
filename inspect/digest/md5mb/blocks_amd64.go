//go:build !purego

package md5mb

import (
	"cmp"
	"crypto/md5"
	"encoding/binary"
	"math"
	"slices"

	"golang.org/x/sys/cpu"
)

// lanes are how many messages are hashed at a time at most.
const lanes = 16

// width is how many are here: 16 with AVX-512, 8 with AVX2, else 0.
var width = func() int {
	switch {
	case cpu.X86.HasAVX512F:
		return 16
	case cpu.X86.HasAVX2:
		return 8
	}
	return 0
}()

// A state has the four words of each lane (RFC 1321, 3.3).
type state [4][lanes]uint32

// initial are the words before the first block.
var initial = [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}

// k are the numbers that the steps add (RFC 1321, 3.4).
var k = func() (k [64]uint32) {
	for i := range k {
		k[i] = uint32(math.Abs(math.Sin(float64(i+1))) * (1 << 32))
	}
	return k
}()

// blocks8 hashes n blocks of 64 bytes at each of the first eight of p; n is at least 1.
// It accesses nothing but these, the state, the numbers k and its own frame: a round
// reads the 64 bytes at DX behind each pointer, in two loads of 32, adds 64 to DX, which
// is 0 first, and takes 1 from n, and it ends at 0. [batch.run] is its only caller, whose
// n is the least number of blocks that a lane has left, and which gives idle lanes the
// pointer of one at work.
//
//go:noescape
func blocks8(h *state, p *[lanes]*byte, n int, k *[64]uint32)

// blocks16 is blocks8 of all of p, in which it reads the pointers again in each round.
//
//go:noescape
func blocks16(h *state, p *[lanes]*byte, n int, k *[64]uint32)

// Sum sets each of sums to the digest of the content of the same index.
func Sum(sums [][md5.Size]byte, contents [][]byte) {
	if width == 0 || len(contents) < 3 {
		for i, content := range contents {
			sums[i] = md5.Sum(content)
		}
		return
	}
	b := batch{sums: sums, contents: contents, order: make([]int, len(contents))}
	for i := range b.order {
		b.order[i] = i
	}
	// The longest come first, so that the lanes end together.
	slices.SortFunc(b.order, func(i, j int) int { return cmp.Compare(len(contents[j]), len(contents[i])) })
	for i := range width {
		b.begin(i)
	}
	for b.working > 0 {
		b.run()
	}
}

// A batch are contents that are being hashed.
type batch struct {
	sums     [][md5.Size]byte
	contents [][]byte
	order    []int // of those that no lane has begun
	h        state
	lanes    [lanes]lane
	working  int // lanes that have something
}

// A lane hashes one content: first its whole blocks, then the rest.
type lane struct {
	busy bool
	of   int    // index of the content
	left []byte // whole blocks
	rest []byte // the end of the message in whole blocks; nil when it is in left
	end  [2 * md5.BlockSize]byte
}

// begin has a lane hash the next content, if there is one.
func (b *batch) begin(i int) {
	l := &b.lanes[i]
	if l.busy = len(b.order) > 0; !l.busy {
		return
	}
	b.working++
	l.of, b.order = b.order[0], b.order[1:]
	for word := range b.h {
		b.h[word][i] = initial[word]
	}
	content := b.contents[l.of]
	whole := len(content) &^ (md5.BlockSize - 1)
	l.left, l.rest = content[:whole], l.pad(content[whole:], len(content))
	if whole == 0 {
		l.left, l.rest = l.rest, nil
	}
}

// pad returns the last bytes of a content of size bytes as whole blocks (RFC 1321, 3.1
// and 3.2).
func (l *lane) pad(tail []byte, size int) []byte {
	clear(l.end[:])
	n := copy(l.end[:], tail)
	l.end[n] = 0x80
	blocks := (n + 1 + 8 + md5.BlockSize - 1) / md5.BlockSize * md5.BlockSize
	binary.LittleEndian.PutUint64(l.end[blocks-8:], uint64(size)*8)
	return l.end[:blocks]
}

// run hashes as many blocks of each lane as all have that are at work.
func (b *batch) run() {
	size, any := 0, (*byte)(nil)
	for i := range width {
		if l := &b.lanes[i]; l.busy && (any == nil || len(l.left) < size) {
			size, any = len(l.left), &l.left[0]
		}
	}
	var p [lanes]*byte
	for i := range width {
		if p[i] = any; b.lanes[i].busy {
			p[i] = &b.lanes[i].left[0]
		}
	}
	if width == lanes {
		blocks16(&b.h, &p, size/md5.BlockSize, &k)
	} else {
		blocks8(&b.h, &p, size/md5.BlockSize, &k)
	}
	for i := range width {
		if b.lanes[i].busy {
			b.advance(i, size)
		}
	}
}

// advance goes on behind n bytes that a lane has hashed.
func (b *batch) advance(i, n int) {
	l := &b.lanes[i]
	if l.left = l.left[n:]; len(l.left) > 0 {
		return
	}
	if l.rest != nil {
		l.left, l.rest = l.rest, nil
		return
	}
	for word := range b.h {
		binary.LittleEndian.PutUint32(b.sums[l.of][4*word:], b.h[word][i])
	}
	b.working--
	b.begin(i)
}
