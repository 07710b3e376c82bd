package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/digest/sha256mb"
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

// Of returns the SHA-256 of bytes.
func Of(p []byte) Sum { return sha256.Sum256(p) }

// A Meter hashes and counts the bytes that are read through it.
type Meter struct {
	R io.Reader
	N int64
	// Lend says that what is read next stays as it is until the group of the meter
	// is run.
	Lend bool
	// Also, when set, is another lane for what is read, of the same group.
	Also *sha256mb.Lane
	// What is hashed goes to one of them; both are nil when nothing is.
	alone hash.Hash
	lane  *sha256mb.Lane
}

// NewMeter returns a meter of r whose digest is computed alone.
func NewMeter(r io.Reader) *Meter { return &Meter{R: r, alone: sha256.New()} }

// NewMeterIn returns a meter of r whose digest is computed with the others of g.
func NewMeterIn(g *sha256mb.Group, r io.Reader) *Meter { return &Meter{R: r, lane: g.NewLane()} }

// pieceBytes is how much is read at a time of what is not lent: a part of what a
// lane can keep until others have as much.
const pieceBytes = 32 << 10

func (m *Meter) Read(p []byte) (int, error) {
	if m.lane != nil && !m.Lend {
		p = p[:min(len(p), pieceBytes)]
	}
	n, err := m.R.Read(p)
	m.Write(p[:n])
	return n, err
}

// Write hashes and counts bytes that are read elsewhere. It never fails.
func (m *Meter) Write(p []byte) (int, error) {
	switch {
	case m.Also == nil:
	case m.Lend:
		m.Also.Lend(p)
	default:
		m.Also.Write(p)
	}
	switch {
	case m.alone != nil:
		m.alone.Write(p)
	case m.lane != nil && m.Lend:
		m.lane.Lend(p)
	case m.lane != nil:
		m.lane.Write(p)
	}
	m.N += int64(len(p))
	return len(p), nil
}

// Sum returns the digest of what was read, and is called once, at the end.
func (m *Meter) Sum() (s Sum) {
	switch {
	case m.alone != nil:
		m.alone.Sum(s[:0])
	case m.lane != nil:
		s = m.lane.Finish()
	}
	return s
}

// An otherHash computes the digest that the path of a blob names where that is
// not SHA-256, which every blob gets (OCI image-spec v1.1, descriptor.md
// registers SHA-512 beside it). A nil one computes nothing.
type otherHash struct {
	algorithm string
	h         hash.Hash
}

// NewOtherHash returns nil when path names no digest, or one of SHA-256.
func NewOtherHash(path string) *otherHash {
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

// Tee returns r, hashed while it is read.
func (o *otherHash) Tee(r io.Reader) io.Reader {
	if o == nil {
		return r
	}
	return io.TeeReader(r, o.h)
}

func (o *otherHash) Sum() v1.Hash {
	if o == nil {
		return v1.Hash{}
	}
	return v1.Hash{Algorithm: o.algorithm, Hex: hex.EncodeToString(o.h.Sum(nil))}
}

// InName returns the digest that the name of a member claims for its
// bytes: "sha256:HEX/layer.tar" (layered packers), "blobs/sha256/HEX"
// (docker save since 25), "HEX.json" and "HEX.tar" (docker save, skopeo),
// "HEX.tar.gz" and "sha256:HEX" (crane).
func InName(path string) v1.Hash {
	name := path
	for _, start := range []string{"blobs/sha256/", "sha256:"} {
		name = strings.TrimPrefix(name, start)
	}
	for _, end := range []string{".json", ".tar", ".tar.gz"} {
		name = strings.TrimSuffix(name, end)
	}
	if rest, ok := strings.CutSuffix(path, "/layer.tar"); ok {
		name, _ = strings.CutPrefix(rest, "sha256:")
	}
	if name == path || strings.HasSuffix(path, "/layer.tar") && !strings.HasPrefix(path, "sha256:") {
		return v1.Hash{}
	}
	hash, err := v1.NewHash("sha256:" + name)
	if err != nil {
		return v1.Hash{}
	}
	return hash
}

// BlobPath is where a blob lies in an image layout (OCI image-spec v1.1,
// image-layout.md).
func BlobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
