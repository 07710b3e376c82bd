package substitutes

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// A curve is Ed25519 as a plain group (RFC 8032, section 5.1): the points of
// -x² + y² = 1 + d·x²·y² modulo p, with the base point g of prime order n.
//
// Only public values are reckoned with, so big.Int, which takes longer for
// some numbers than for others, gives nothing away.
type curve struct {
	p, d, n *big.Int
	g       point
}

// A point is (x/z, y/z).
type point struct{ x, y, z *big.Int }

func newCurve() *curve {
	one := big.NewInt(1)
	c := &curve{
		p: new(big.Int).Sub(new(big.Int).Lsh(one, 255), big.NewInt(19)),
		n: new(big.Int).Add(new(big.Int).Lsh(one, 252), number("27742317777372353535851937790883648493")),
		g: affine(
			number("15112221349535400772501151409588531511454012693041857206046113283949847762202"),
			number("46316835694926478169428394003475163141307993866256225615783033603165251855960"),
		),
	}
	c.d = c.over(big.NewInt(-121665), big.NewInt(121666))
	return c
}

func number(decimal string) *big.Int {
	n, _ := new(big.Int).SetString(decimal, 10)
	return n
}

func affine(x, y *big.Int) point { return point{x, y, big.NewInt(1)} }

func (c *curve) mul(a, b *big.Int) *big.Int {
	m := new(big.Int).Mul(a, b)
	return m.Mod(m, c.p)
}

// over returns a/b modulo p.
func (c *curve) over(a, b *big.Int) *big.Int {
	return c.mul(a, new(big.Int).ModInverse(b, c.p))
}

// decode reads a public point as libgcrypt 1.10 takes it (cipher/ecc-eddsa.c):
// 32 bytes of RFC 8032, y with the lowest bit of x on top, lowest byte first;
// the same after a byte 0x40; or 0x04, x and y, highest byte first.
func (c *curve) decode(q []byte) (point, error) {
	switch {
	case len(q) == 65 && q[0] == 0x04:
		return c.onCurve(new(big.Int).SetBytes(q[1:33]), new(big.Int).SetBytes(q[33:]))
	case len(q) == 33 && q[0] == 0x40:
		q = q[1:]
	case len(q) != 32:
		return point{}, fmt.Errorf("a point of %d bytes", len(q))
	}
	raw := slices.Clone(q)
	slices.Reverse(raw)
	sign := uint(raw[0] >> 7)
	raw[0] &= 0x7f
	y := new(big.Int).SetBytes(raw)
	x, err := c.recoverX(y, sign)
	if err != nil {
		return point{}, err
	}
	return c.onCurve(x, y)
}

var errNoPoint = errors.New("not a point of the curve Ed25519")

// recoverX returns the x of that parity that belongs to y.
func (c *curve) recoverX(y *big.Int, parity uint) (*big.Int, error) {
	one := big.NewInt(1)
	yy := c.mul(y, y)
	xx := c.over(new(big.Int).Sub(yy, one), new(big.Int).Add(c.mul(c.d, yy), one))
	x := new(big.Int).ModSqrt(xx, c.p)
	if x == nil {
		return nil, errNoPoint
	}
	if x.Bit(0) != parity {
		x.Sub(c.p, x)
	}
	return x, nil
}

// onCurve returns the point (x, y) when it is one, in its only notation.
func (c *curve) onCurve(x, y *big.Int) (point, error) {
	xx, yy := c.mul(x, x), c.mul(y, y)
	left := new(big.Int).Sub(yy, xx)
	right := c.mul(c.d, c.mul(xx, yy))
	left.Sub(left, right.Add(right, big.NewInt(1)))
	if left.Mod(left, c.p).Sign() != 0 || x.Cmp(c.p) >= 0 || y.Cmp(c.p) >= 0 {
		return point{}, errNoPoint
	}
	return affine(x, y), nil
}

// encode returns the 32 bytes of RFC 8032.
func (c *curve) encode(a point) []byte {
	x, y := c.over(a.x, a.z), c.over(a.y, a.z)
	q := y.FillBytes(make([]byte, 32))
	q[0] |= byte(x.Bit(0) << 7)
	slices.Reverse(q)
	return q
}

// add adds two points, equal ones too: the formulas are complete (Bernstein,
// Birkner, Joye, Lange, Peters: Twisted Edwards Curves, 2008, section 6).
func (c *curve) add(p, q point) point {
	a := c.mul(p.z, q.z)
	b := c.mul(a, a)
	xx := c.mul(p.x, q.x)
	yy := c.mul(p.y, q.y)
	e := c.mul(c.d, c.mul(xx, yy))
	f := new(big.Int).Sub(b, e)
	g := new(big.Int).Add(b, e)
	cross := c.mul(new(big.Int).Add(p.x, p.y), new(big.Int).Add(q.x, q.y))
	cross.Sub(cross, xx).Sub(cross, yy)
	return point{
		x: c.mul(c.mul(a, f), cross),
		y: c.mul(c.mul(a, g), new(big.Int).Add(yy, xx)),
		z: c.mul(f, g),
	}
}

// combine returns u·g + v·q.
func (c *curve) combine(u, v *big.Int, q point) point {
	both := c.add(c.g, q)
	sum := affine(new(big.Int), big.NewInt(1))
	for i := max(u.BitLen(), v.BitLen()) - 1; i >= 0; i-- {
		sum = c.add(sum, sum)
		switch u.Bit(i) | v.Bit(i)<<1 {
		case 1:
			sum = c.add(sum, c.g)
		case 2:
			sum = c.add(sum, q)
		case 3:
			sum = c.add(sum, both)
		}
	}
	return sum
}

// verify says whether (r, s) is the ECDSA signature of a hash by the key q, as
// libgcrypt 1.10 has it (cipher/ecc-ecdsa.c): of the hash count as many leading
// bits as n has, and r is the x of the Edwards form, modulo n.
func (c *curve) verify(q point, hash []byte, r, s *big.Int) bool {
	if r.Sign() <= 0 || r.Cmp(c.n) >= 0 || s.Sign() <= 0 || s.Cmp(c.n) >= 0 {
		return false
	}
	e := new(big.Int).SetBytes(hash)
	if extra := 8*len(hash) - c.n.BitLen(); extra > 0 {
		e.Rsh(e, uint(extra))
	}
	w := new(big.Int).ModInverse(s, c.n)
	u, v := new(big.Int).Mul(e, w), new(big.Int).Mul(r, w)
	sum := c.combine(u.Mod(u, c.n), v.Mod(v, c.n), q)
	x := c.over(sum.x, sum.z)
	return x.Mod(x, c.n).Cmp(r) == 0
}
