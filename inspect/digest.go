package inspect

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A Sum is a SHA-256 digest, compact because every entry has one.
type Sum [sha256.Size]byte

// IsZero says that nothing was hashed: a real digest is never zero.
func (s Sum) IsZero() bool { return s == Sum{} }

// Hash returns the sum as a digest with its algorithm.
func (s Sum) Hash() v1.Hash {
	if s.IsZero() {
		return v1.Hash{}
	}
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(s[:])}
}

func (s Sum) String() string { return s.Hash().String() }

// sumOf returns what h has hashed so far.
func sumOf(h hash.Hash) (s Sum) {
	h.Sum(s[:0])
	return s
}

func sumOfBytes(p []byte) Sum { return sha256.Sum256(p) }

// A meter hashes and counts the bytes that are read through it.
type meter struct {
	r io.Reader
	h hash.Hash
	n int64
}

func newMeter(r io.Reader) *meter { return &meter{r: r, h: sha256.New()} }

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if m.h != nil {
		m.h.Write(p[:n])
	}
	m.n += int64(n)
	return n, err
}

func (m *meter) sum() Sum {
	if m.h == nil {
		return Sum{}
	}
	return sumOf(m.h)
}

// An otherHash computes the digest that the path of a blob names where that is
// not SHA-256, which every blob gets (OCI image-spec v1.1, descriptor.md
// registers SHA-512 beside it). A nil one computes nothing.
type otherHash struct {
	algorithm string
	h         hash.Hash
}

// newOtherHash returns nil when path names no digest, or one of SHA-256.
func newOtherHash(path string) *otherHash {
	rest, _ := strings.CutPrefix(path, "blobs/")
	algorithm, _, ok := strings.Cut(rest, "/")
	if !ok || rest == path || algorithm == "sha256" {
		return nil
	}
	h, err := v1.Hasher(algorithm)
	if err != nil {
		return nil
	}
	return &otherHash{algorithm, h}
}

// tee returns r, hashed while it is read.
func (o *otherHash) tee(r io.Reader) io.Reader {
	if o == nil {
		return r
	}
	return io.TeeReader(r, o.h)
}

func (o *otherHash) sum() v1.Hash {
	if o == nil {
		return v1.Hash{}
	}
	return v1.Hash{Algorithm: o.algorithm, Hex: hex.EncodeToString(o.h.Sum(nil))}
}
