package deb

import (
	"encoding/binary"
	"math/bits"
)

// sipHash is SipHash (Aumasson and Bernstein, 2012) with so many rounds a word, and two
// more at the end than that, by which Python names the source of byte code: of 64 bits,
// with a key of which the second half is zero (CPython Python/pyhash.c).
func sipHash(key uint64, rounds int, p []byte) uint64 {
	v0, v1 := key^0x736f6d6570736575, uint64(0x646f72616e646f6d)
	v2, v3 := key^0x6c7967656e657261, uint64(0x7465646279746573)
	round := func(n int) {
		for range n {
			v0 += v1
			v2 += v3
			v1 = bits.RotateLeft64(v1, 13) ^ v0
			v3 = bits.RotateLeft64(v3, 16) ^ v2
			v0 = bits.RotateLeft64(v0, 32)
			v2 += v1
			v0 += v3
			v1 = bits.RotateLeft64(v1, 17) ^ v2
			v3 = bits.RotateLeft64(v3, 21) ^ v0
			v2 = bits.RotateLeft64(v2, 32)
		}
	}
	last := uint64(len(p)) << 56
	for ; len(p) >= 8; p = p[8:] {
		word := binary.LittleEndian.Uint64(p)
		v3 ^= word
		round(rounds)
		v0 ^= word
	}
	var rest [8]byte
	copy(rest[:], p)
	last |= binary.LittleEndian.Uint64(rest[:])
	v3 ^= last
	round(rounds)
	v0 ^= last
	v2 ^= 0xff
	round(rounds + 2)
	return v0 ^ v1 ^ v2 ^ v3
}
