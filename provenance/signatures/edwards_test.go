package signatures

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"filippo.io/edwards25519"
)

// scalar returns a number modulo the order of the group.
func scalar(n *big.Int) *edwards25519.Scalar {
	return reduce(new(big.Int).Mod(n, order()).FillBytes(make([]byte, 32)))
}

// order is that of the base point (RFC 8032, section 5.1).
func order() *big.Int {
	n, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	return n.Add(n, new(big.Int).Lsh(big.NewInt(1), 252))
}

// The group is that of crypto/ed25519: its public keys come out of its seeds.
func TestGroup(t *testing.T) {
	for i := range 8 {
		seed := sha256.Sum256([]byte{byte(i)})
		h := sha512.Sum512(seed[:])
		h[0] &= 248
		h[31] = h[31]&127 | 64
		slices.Reverse(h[:32])
		got := new(edwards25519.Point).ScalarBaseMult(scalar(new(big.Int).SetBytes(h[:32]))).Bytes()
		want := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: %X, want %X", i, got, want)
		}
		p, err := decodePoint(want)
		if err != nil || !slices.Equal(p.Bytes(), want) {
			t.Errorf("seed %d: %v", i, err)
		}
	}
	last := new(edwards25519.Point).ScalarBaseMult(scalar(big.NewInt(-1)))
	if last.Add(last, edwards25519.NewGeneratorPoint()).Equal(edwards25519.NewIdentityPoint()) != 1 {
		t.Error("the base point has another order")
	}
}

// A signature holds for its hash and its key, and for nothing near them.
func TestECDSA(t *testing.T) {
	key := secret(123456789)
	q := key.point()
	hash := sha256.Sum256([]byte("audit"))
	r, s := key.ecdsa(hash)
	if !verifyECDSA(q, hash, r.Bytes(), s.Bytes()) {
		t.Fatal("a good signature does not hold")
	}
	if !verifyECDSA(q, hash, append(make([]byte, 9), r.Bytes()...), append(make([]byte, 9), s.Bytes()...)) {
		t.Error("leading zeros count")
	}
	// The lowest three bits of the hash do not count: the order has 253.
	low := hash
	low[31] ^= 7
	if !verifyECDSA(q, low, r.Bytes(), s.Bytes()) {
		t.Error("bits below the group count")
	}
	for i := range 253 {
		bad := hash
		bad[i/8] ^= 0x80 >> (i % 8)
		if verifyECDSA(q, bad, r.Bytes(), s.Bytes()) {
			t.Errorf("holds with bit %d of the hash changed", i)
		}
	}
	one, n := big.NewInt(1), order()
	wide := new(big.Int).Lsh(one, 256)
	bad := map[string][2]*big.Int{
		"r + 1": {new(big.Int).Add(r, one), s}, "s + 1": {r, new(big.Int).Add(s, one)},
		"r + n": {new(big.Int).Add(r, n), s}, "s + n": {r, new(big.Int).Add(s, n)},
		"r = n": {n, s}, "s = n": {r, n},
		"n - r": {new(big.Int).Sub(n, r), s}, "2^256 + r": {new(big.Int).Add(wide, r), s}, "2^256 + s": {r, new(big.Int).Add(wide, s)},
		"r = 0": {new(big.Int), s}, "s = 0": {r, new(big.Int)}, "swapped": {s, r},
	}
	for name, v := range bad {
		if verifyECDSA(q, hash, v[0].Bytes(), v[1].Bytes()) {
			t.Errorf("%s holds", name)
		}
	}
	other := new(edwards25519.Point).Add(q, edwards25519.NewGeneratorPoint())
	if verifyECDSA(other, hash, r.Bytes(), s.Bytes()) {
		t.Error("holds with another key")
	}
}

// The group has a cofactor of 8. As in libgcrypt, a key of any order is a key,
// and with a point of small order added it is another one, for which a signature
// holds only where that point is multiplied by a multiple of its order.
func TestCofactor(t *testing.T) {
	key := secret(123456789)
	// A point of order 8 and its multiples (Ed25519 has no others of small order).
	eighth, err := hex.DecodeString("26E8958FC2B227B045C3F489F2EF98F0D5DFAC05D3C63339B13802886D53FC05")
	if err != nil {
		t.Fatal(err)
	}
	small, err := decodePoint(eighth)
	if err != nil {
		t.Fatal(err)
	}
	sum := edwards25519.NewIdentityPoint()
	for i := range 8 {
		if p, err := decodePoint(sum.Bytes()); err != nil || p.Equal(sum) != 1 {
			t.Errorf("%d times the point: %v", i, err)
		}
		q := new(edwards25519.Point).Add(key.point(), sum)
		held := 0
		for n := range 64 {
			hash := sha256.Sum256([]byte{byte(n)})
			r, s := key.ecdsa(hash)
			v := new(big.Int).Mul(r, new(big.Int).ModInverse(s, order()))
			v.Mod(v, order()).Mul(v, big.NewInt(int64(i))).Mod(v, big.NewInt(8))
			holds := verifyECDSA(q, hash, r.Bytes(), s.Bytes())
			if holds != (v.Sign() == 0) {
				t.Errorf("%d times the point, hash %d: holds is %v", i, n, holds)
			}
			if holds {
				held++
			}
		}
		if held == 0 {
			t.Errorf("%d times the point: no signature holds", i)
		}
		sum.Add(sum, small)
	}
	if sum.Equal(edwards25519.NewIdentityPoint()) != 1 {
		t.Error("the point is not of order 8")
	}
}

func BenchmarkVerify(b *testing.B) {
	key := secret(123456789)
	q := key.point()
	hash := sha256.Sum256([]byte("audit"))
	r, s := key.ecdsa(hash)
	for b.Loop() {
		verifyECDSA(q, hash, r.Bytes(), s.Bytes())
	}
}

// The signatures of 1,000 narinfos of Guix, each parsed before.
func BenchmarkVerify1000Narinfos(b *testing.B) {
	key := secret(123456789)
	keys := key.keys(b, "bench")
	all := make([]*narinfo, 1000)
	for i := range all {
		path := fmt.Sprintf("/gnu/store/%032d-p", i)
		text := fmt.Sprintf("StorePath: %s\nNarHash: sha256:%052d\nNarSize: 1\nReferences: \n", path, i)
		info, err := parseNarinfo([]byte(key.sign(text)))
		if err != nil {
			b.Fatal(err)
		}
		all[i] = info
	}
	for b.Loop() {
		for _, info := range all {
			if _, err := info.signers(keys); err != nil {
				b.Fatal(err)
			}
		}
	}
}
