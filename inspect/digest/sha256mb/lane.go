package sha256mb

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
)

const (
	blockSize = sha256.BlockSize
	// bufferSize is how much of what is written a lane keeps for others to have as
	// much.
	bufferSize = 128 << 10
)

// A state is the hash value between two blocks (FIPS 180-4, 6.2), in the order in
// which SHA256RNDS2 takes it: f, e, b, a, h, g, d, c.
type state [8]uint32

// initial is the hash value before the first block (FIPS 180-4, 5.3.3).
var initial = state{0x9b05688c, 0x510e527f, 0xbb67ae85, 0x6a09e667, 0x5be0cd19, 0x1f83d9ab, 0xa54ff53a, 0x3c6ef372}

// sum returns the state as a digest.
func (h *state) sum() (sum [sha256.Size]byte) {
	for i, from := range [8]int{3, 2, 7, 6, 1, 0, 5, 4} {
		binary.BigEndian.PutUint32(sum[4*i:], h[from])
	}
	return sum
}

// A Lane computes the digest of one message after another. It belongs to one
// group, and all lanes of a group to one goroutine at a time.
type Lane struct {
	group  *Group
	std    hash.Hash // in place of all below where there is no acceleration
	h      state
	length uint64
	queued bool // it is among the lanes of the group that have something

	// What is not hashed yet is buffer[start:end], then lent.
	buffer     []byte
	start, end int
	lent       []byte
}

// Write adds p to the message. It never fails.
func (l *Lane) Write(p []byte) (int, error) {
	n := len(p)
	if l.std != nil {
		return l.std.Write(p)
	}
	l.keep()
	l.length += uint64(n)
	if n > bufferSize-(l.end-l.start) {
		l.lent = p
		l.align()
		l.queue()
		l.group.Run()
		return n, nil
	}
	l.add(p)
	l.queue()
	return n, nil
}

// WriteString is Write of a string.
func (l *Lane) WriteString(s string) (int, error) { return l.Write([]byte(s)) }

// Lend is Write of bytes that stay as they are until [Group.Run], which saves
// copying them.
func (l *Lane) Lend(p []byte) {
	if l.std != nil {
		l.std.Write(p)
		return
	}
	l.keep()
	l.length += uint64(len(p))
	l.lent = p
	l.align()
	l.queue()
}

// Finish returns the digest of the message, and begins another.
func (l *Lane) Finish() (sum [sha256.Size]byte) {
	if l.std != nil {
		l.std.Sum(sum[:0])
		l.std.Reset()
		return sum
	}
	l.keep()
	l.pad()
	l.queue()
	l.group.drain(l)
	sum = l.h.sum()
	l.h, l.length = initial, 0
	l.release(nil)
	return sum
}

// Reset begins another message in place of one that is not finished.
func (l *Lane) Reset() {
	if l.std != nil {
		l.std.Reset()
		return
	}
	l.h, l.length, l.lent = initial, 0, nil
	l.release(nil)
}

// Park hashes what waits, and frees the memory that it took: a message that may
// go on much later costs little until then.
func (l *Lane) Park() {
	if l.std != nil || l.buffer == nil {
		return
	}
	l.keep()
	l.group.drain(l)
	l.release(bytes.Clone(l.buffer[l.start:l.end]))
}

// Move makes l a lane of another group, in the midst of its message.
func (l *Lane) Move(g *Group) {
	if l.std != nil {
		return
	}
	l.Park()
	if i := slices.Index(l.group.queue, l); i >= 0 {
		l.group.queue = slices.Delete(l.group.queue, i, i+1)
	}
	l.group, l.queued = g, false
}

// release gives the buffer back to the group; rest stays.
func (l *Lane) release(rest []byte) {
	if len(l.buffer) == bufferSize {
		l.group.free = append(l.group.free, l.buffer)
	}
	l.buffer, l.start, l.end = rest, 0, len(rest)
}

// pad ends the message (FIPS 180-4, 5.1.1).
func (l *Lane) pad() {
	var p [2 * blockSize]byte
	p[0] = 0x80
	n := blockSize - int(l.length%blockSize)
	if n < 1+8 {
		n += blockSize
	}
	binary.BigEndian.PutUint64(p[n-8:], l.length*8)
	l.add(p[:n])
}

// add copies p into the buffer, and makes room for it where there is none.
func (l *Lane) add(p []byte) {
	if len(p) > bufferSize-(l.end-l.start) {
		l.group.drain(l)
	}
	if l.end+len(p) > len(l.buffer) {
		l.move()
	}
	l.end += copy(l.buffer[l.end:], p)
}

// move moves what waits to the front of a buffer of full size.
func (l *Lane) move() {
	rest := l.buffer[l.start:l.end]
	if len(l.buffer) < bufferSize {
		l.buffer = l.group.newBuffer()
	}
	l.start, l.end = 0, copy(l.buffer, rest)
}

// align fills the last block in the buffer, so that what is lent goes on with a
// whole one.
func (l *Lane) align() {
	if part := (l.end - l.start) % blockSize; part > 0 {
		n := min(blockSize-part, len(l.lent))
		head := l.lent[:n]
		l.lent = l.lent[n:]
		l.add(head)
	}
}

// keep copies what is lent and not hashed yet.
func (l *Lane) keep() {
	if len(l.lent) == 0 {
		return
	}
	if over := len(l.lent) - (bufferSize - (l.end - l.start)); over > 0 {
		l.group.drain(l)
	}
	l.add(l.lent)
	l.lent = nil
}

// ready returns the whole blocks that can be hashed next, which lie together.
func (l *Lane) ready() []byte {
	if n := (l.end - l.start) &^ (blockSize - 1); n > 0 {
		return l.buffer[l.start : l.start+n]
	}
	if l.end == l.start {
		return l.lent[:len(l.lent)&^(blockSize-1)]
	}
	return nil
}

// waiting is how many bytes are not hashed yet.
func (l *Lane) waiting() int { return l.end - l.start + len(l.lent) }

// advance goes on behind n bytes of what was ready.
func (l *Lane) advance(n int) {
	if l.end == l.start {
		l.lent = l.lent[n:]
		return
	}
	if l.start += n; l.start == l.end {
		l.start, l.end = 0, 0
	}
}

func (l *Lane) queue() {
	if !l.queued {
		l.queued = true
		l.group.queue = append(l.group.queue, l)
	}
}
