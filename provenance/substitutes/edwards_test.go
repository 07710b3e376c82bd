package substitutes

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
	"slices"
	"testing"
)

// The group is that of crypto/ed25519: its public keys come out of its seeds.
func TestGroup(t *testing.T) {
	c := newCurve()
	zero := affine(new(big.Int), big.NewInt(1))
	for i := range 8 {
		seed := sha256.Sum256([]byte{byte(i)})
		h := sha512.Sum512(seed[:])
		h[0] &= 248
		h[31] = h[31]&127 | 64
		slices.Reverse(h[:32])
		scalar := new(big.Int).SetBytes(h[:32])
		got := c.encode(c.combine(scalar, new(big.Int), zero))
		want := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: %X, want %X", i, got, want)
		}
		p, err := c.decode(want)
		if err != nil || !slices.Equal(c.encode(p), want) {
			t.Errorf("seed %d: %v", i, err)
		}
	}
	if end := c.combine(c.n, new(big.Int), zero); c.over(end.x, end.z).Sign() != 0 {
		t.Error("the base point has another order")
	}
}

// A signature holds for its hash and its key, and for nothing near them.
func TestECDSA(t *testing.T) {
	c := newCurve()
	zero := affine(new(big.Int), big.NewInt(1))
	key := secret(123456789)
	q := c.combine(big.NewInt(int64(key)), new(big.Int), zero)
	hash := sha256.Sum256([]byte("audit"))
	r, s := key.ecdsa(hash)
	if !c.verify(q, hash[:], r, s) {
		t.Fatal("a good signature does not hold")
	}
	// The lowest three bits of the hash do not count: n has 253.
	low := hash
	low[31] ^= 7
	if !c.verify(q, low[:], r, s) {
		t.Error("bits below the group count")
	}
	for i := range 253 {
		bad := hash
		bad[i/8] ^= 0x80 >> (i % 8)
		if i%16 == 0 && c.verify(q, bad[:], r, s) {
			t.Errorf("holds with bit %d of the hash changed", i)
		}
	}
	one := big.NewInt(1)
	bad := map[string][2]*big.Int{
		"r + 1": {new(big.Int).Add(r, one), s}, "s + 1": {r, new(big.Int).Add(s, one)},
		"r + n": {new(big.Int).Add(r, c.n), s}, "s + n": {r, new(big.Int).Add(s, c.n)},
		"-r": {new(big.Int).Neg(r), s}, "-s": {r, new(big.Int).Neg(s)},
		"r = 0": {new(big.Int), s}, "s = 0": {r, new(big.Int)}, "swapped": {s, r},
	}
	for name, v := range bad {
		if c.verify(q, hash[:], v[0], v[1]) {
			t.Errorf("%s holds", name)
		}
	}
	if c.verify(c.add(q, c.g), hash[:], r, s) {
		t.Error("holds with another key")
	}
}

func BenchmarkVerify(b *testing.B) {
	c := newCurve()
	key := secret(123456789)
	q := c.combine(big.NewInt(int64(key)), new(big.Int), affine(new(big.Int), big.NewInt(1)))
	hash := sha256.Sum256([]byte("audit"))
	r, s := key.ecdsa(hash)
	for b.Loop() {
		c.verify(q, hash[:], r, s)
	}
}
