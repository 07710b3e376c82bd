package digest

import (
	"crypto/md5"
	"crypto/sha1"
	"hash"

	"audit/inspect/digest/md5mb"
)

// Kinds are digests that can be taken beside SHA-256: those that the databases of
// package managers record. They do not resist whoever makes two files of one
// digest; they show what differs from a record.
type Kinds uint8

// The kinds, which can be added up.
const (
	MD5 Kinds = 1 << iota
	SHA1
)

// A Weak has the digests of Kinds; the others are zero.
type Weak struct {
	Kinds Kinds
	MD5   [md5.Size]byte
	SHA1  [sha1.Size]byte
}

// A WeakHash computes the [Weak] of one content after another. The MD5 digests of small
// ones are computed together, so that all wait until there are enough of these.
type WeakHash struct {
	done  func(index int, sum Weak)
	index int
	kinds Kinds
	md5   hash.Hash // of a content that does not wait
	sha1  hash.Hash

	arena   []byte // contents that wait for their MD5, one behind the other
	ended   int    // where the last of them ends
	gathers bool   // the one being read goes there, behind the others
	waiting []weakContent
}

// A weakContent is one that was read, and that lies in the arena where its MD5 is not
// computed yet.
type weakContent struct {
	index   int
	sum     Weak
	content []byte
}

const (
	// arenaBytes and maxWaiting are how much waits together, gatheredBytes is the size
	// from which on a content does not.
	arenaBytes, maxWaiting, gatheredBytes = 8 << 20, 1 << 12, 2 << 20
	// weakPiece is how much of a content is read at a time.
	weakPiece = 128 << 10
)

// NewWeakHash returns a hash that calls done with the digests of each content in turn
// and with its index.
func NewWeakHash(done func(index int, sum Weak)) *WeakHash { return &WeakHash{done: done} }

// Start begins a content of about size bytes of which these kinds are wanted.
func (w *WeakHash) Start(index int, kinds Kinds, size int64) {
	w.index, w.kinds = index, kinds
	if kinds&SHA1 != 0 {
		w.sha1 = fresh(w.sha1, sha1.New)
	}
	w.gathers = kinds&MD5 != 0 && size < gatheredBytes
	switch {
	case w.gathers:
		if w.arena == nil {
			w.arena = make([]byte, 0, arenaBytes+weakPiece)
		}
		if int64(w.ended)+size > arenaBytes || len(w.waiting) >= maxWaiting {
			w.Flush()
		}
		w.arena = w.arena[:w.ended]
	case kinds&MD5 != 0:
		w.md5 = fresh(w.md5, md5.New)
	}
}

func fresh(h hash.Hash, make func() hash.Hash) hash.Hash {
	if h == nil {
		return make()
	}
	h.Reset()
	return h
}

// Buffer returns where to read the next piece of the content to; nil where it may be
// anywhere.
func (w *WeakHash) Buffer() []byte {
	n := len(w.arena)
	if w.gathers && n+weakPiece > cap(w.arena) { // it is larger than was said
		w.gathers, w.md5 = false, fresh(w.md5, md5.New)
		w.md5.Write(w.arena[w.ended:])
	}
	if !w.gathers {
		return nil
	}
	return w.arena[n : n+weakPiece]
}

// Write takes the next piece of the content, which is at the start of Buffer.
func (w *WeakHash) Write(p []byte) {
	switch {
	case w.gathers:
		w.arena = w.arena[:len(w.arena)+len(p)]
	case w.kinds&MD5 != 0:
		w.md5.Write(p)
	}
	if w.kinds&SHA1 != 0 {
		w.sha1.Write(p)
	}
}

// End ends the content.
func (w *WeakHash) End() {
	if w.kinds == 0 {
		return
	}
	c := weakContent{index: w.index, sum: Weak{Kinds: w.kinds}}
	switch {
	case w.gathers:
		c.content, w.ended = w.arena[w.ended:], len(w.arena)
	case w.kinds&MD5 != 0:
		w.md5.Sum(c.sum.MD5[:0])
	}
	if w.kinds&SHA1 != 0 {
		w.sha1.Sum(c.sum.SHA1[:0])
	}
	if c.content == nil && len(w.waiting) == 0 {
		w.done(c.index, c.sum)
		return
	}
	w.waiting = append(w.waiting, c)
}

// Flush computes the digests of all contents that wait.
func (w *WeakHash) Flush() {
	var contents [][]byte
	for _, c := range w.waiting {
		if c.content != nil {
			contents = append(contents, c.content)
		}
	}
	sums := make([][md5.Size]byte, len(contents))
	md5mb.Sum(sums, contents)
	for _, c := range w.waiting {
		if c.content != nil {
			c.sum.MD5, sums = sums[0], sums[1:]
		}
		w.done(c.index, c.sum)
	}
	clear(w.waiting)
	w.waiting, w.ended = w.waiting[:0], 0
}

// WeakOf returns these digests of p.
func WeakOf(p []byte, kinds Kinds) Weak {
	sum := Weak{Kinds: kinds}
	if kinds&MD5 != 0 {
		sum.MD5 = md5.Sum(p)
	}
	if kinds&SHA1 != 0 {
		sum.SHA1 = sha1.Sum(p)
	}
	return sum
}
