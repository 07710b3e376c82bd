//go:build !purego

package sha256mb

// accelerated says that the processor has the instructions that blocks1 to blocks3
// use: SSSE3 and SHA.
var accelerated = hasSHA()

func hasSHA() bool {
	const ssse3, sha = 1 << 9, 1 << 29
	most, _, _ := cpuid(0, 0)
	if most < 7 {
		return false
	}
	_, _, ecx := cpuid(1, 0)
	_, ebx, _ := cpuid(7, 0)
	return ecx&ssse3 != 0 && ebx&sha != 0
}

// cpuid returns what the instruction of that name says (Intel SDM, volume 2).
//
//go:noescape
func cpuid(leaf, subleaf uint32) (eax, ebx, ecx uint32)

// The three functions below access nothing but what they are given. A round of their
// loops reads the 64 bytes at each p in four loads of 16, adds 64 to p and takes 1 from
// n; it ends at 0, so that they read 64*n bytes at p, for n >= 1. They are called by
// compress alone, whose n is the least length of its slices in blocks, each of which
// [Lane.ready] has cut to one or more whole blocks. They read and write the 32 bytes of
// each state, read the 256 bytes of k, 16 at a time at offsets up to 240, and the 16 of
// flip. blocks3 keeps 64 bytes at DX, which is its frame of 80 bytes aligned to 16, so
// at most 15 bytes into it.

// blocks1 hashes n blocks at p0; n is at least 1 here and below.
//
//go:noescape
func blocks1(h0 *state, p0 *byte, n int)

// blocks2 hashes n blocks of each of two messages.
//
//go:noescape
func blocks2(h0, h1 *state, p0, p1 *byte, n int)

// blocks3 hashes n blocks of each of three messages.
//
//go:noescape
func blocks3(h0, h1, h2 *state, p0, p1, p2 *byte, n int)
