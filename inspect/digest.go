package inspect

import (
	"crypto/sha256"
	"encoding/hex"

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
