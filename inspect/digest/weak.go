package digest

import (
	"crypto/md5"
	"crypto/sha1"
	"hash"
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

// A WeakHash computes a [Weak], one content after another.
type WeakHash struct {
	kinds Kinds
	md5   hash.Hash
	sha1  hash.Hash
}

// Start begins a content of which these kinds are wanted.
func (w *WeakHash) Start(kinds Kinds) {
	w.kinds = kinds
	if kinds&MD5 != 0 {
		w.md5 = fresh(w.md5, md5.New)
	}
	if kinds&SHA1 != 0 {
		w.sha1 = fresh(w.sha1, sha1.New)
	}
}

func fresh(h hash.Hash, make func() hash.Hash) hash.Hash {
	if h == nil {
		return make()
	}
	h.Reset()
	return h
}

func (w *WeakHash) Write(p []byte) {
	if w.kinds&MD5 != 0 {
		w.md5.Write(p)
	}
	if w.kinds&SHA1 != 0 {
		w.sha1.Write(p)
	}
}

// Sum returns the digests of what was written since Start.
func (w *WeakHash) Sum() Weak {
	sum := Weak{Kinds: w.kinds}
	if w.kinds&MD5 != 0 {
		w.md5.Sum(sum.MD5[:0])
	}
	if w.kinds&SHA1 != 0 {
		w.sha1.Sum(sum.SHA1[:0])
	}
	return sum
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
