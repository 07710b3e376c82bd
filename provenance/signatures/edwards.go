package signatures

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"filippo.io/edwards25519"
)

var errNoPoint = errors.New("not a point of the curve Ed25519")

// decodePoint reads a public point as libgcrypt 1.10 takes it
// (cipher/ecc-eddsa.c): 32 bytes of RFC 8032, y with the lowest bit of x on
// top, lowest byte first; the same after a byte 0x40; or 0x04, x and y, highest
// byte first. Each point has one encoding of each form: a coordinate that is
// not below the field's prime is no point. What subgroup a point is in does not
// matter to ECDSA, nor to libgcrypt.
func decodePoint(q []byte) (*edwards25519.Point, error) {
	switch {
	case len(q) == 65 && q[0] == 0x04:
		return decodeCoordinates(q[1:33], q[33:])
	case len(q) == 33 && q[0] == 0x40:
		q = q[1:]
	case len(q) != 32:
		return nil, fmt.Errorf("a point of %d bytes", len(q))
	}
	p, err := new(edwards25519.Point).SetBytes(q)
	if err != nil || !bytes.Equal(p.Bytes(), q) {
		return nil, errNoPoint
	}
	return p, nil
}

// decodeCoordinates returns the point (x, y), both highest byte first.
func decodeCoordinates(x, y []byte) (*edwards25519.Point, error) {
	q := slices.Clone(y)
	slices.Reverse(q)
	if q[31]&0x80 != 0 {
		return nil, errNoPoint
	}
	q[31] |= x[31] << 7
	p, err := decodePoint(q)
	if err != nil || !bytes.Equal(xOf(p), x) {
		return nil, errNoPoint
	}
	return p, nil
}

// xOf returns the x of a point, highest byte first.
func xOf(p *edwards25519.Point) []byte {
	x, _, z, _ := p.ExtendedCoordinates()
	b := x.Multiply(x, z.Invert(z)).Bytes()
	slices.Reverse(b)
	return b
}

// decodeScalar reads a number from 1 to the order of the group minus 1, highest
// byte first. It may be without leading zeros, or with more than there need be.
func decodeScalar(b []byte) (*edwards25519.Scalar, bool) {
	n := new(big.Int).SetBytes(b)
	if n.Sign() == 0 || n.BitLen() > 256 {
		return nil, false
	}
	le := n.FillBytes(make([]byte, 32))
	slices.Reverse(le)
	s, err := new(edwards25519.Scalar).SetCanonicalBytes(le)
	return s, err == nil
}

// reduce returns a number of 32 bytes, highest first, modulo the order of the
// group.
func reduce(b []byte) *edwards25519.Scalar {
	wide := make([]byte, 64)
	copy(wide[32:], b)
	slices.Reverse(wide)
	s, _ := new(edwards25519.Scalar).SetUniformBytes(wide) // fails on another length alone
	return s
}

// verifyECDSA says whether (r, s) is the ECDSA signature of a hash by the key q,
// as libgcrypt 1.10 has it (cipher/ecc-ecdsa.c): of the hash count as many
// leading bits as the order of the group has, 253, and r is the x of the Edwards
// form modulo that order. Only public values are computed with.
func verifyECDSA(q *edwards25519.Point, hash [32]byte, r, s []byte) bool {
	rs, okR := decodeScalar(r)
	ss, okS := decodeScalar(s)
	if !okR || !okS {
		return false
	}
	e := new(big.Int).Rsh(new(big.Int).SetBytes(hash[:]), 3).FillBytes(make([]byte, 32))
	w := new(edwards25519.Scalar).Invert(ss)
	u := reduce(e)
	u.Multiply(u, w)
	v := w.Multiply(w, rs)
	sum := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(v, q, u)
	return reduce(xOf(sum)).Equal(rs) == 1
}
