//go:build !purego

package store

import "golang.org/x/sys/cpu"

// foreign returns how many of the n bytes at p, in blocks of 32, come before a block of
// which a half has nothing but hash digits; n when there is none. It reads 32 bytes at
// p and goes on by 32 while that is below n, which is a multiple of 32 and not 0: skip
// is its only caller.
//
//go:noescape
func foreign(p *byte, n int) int

// skip returns a place from i on before which no run of hash digits begins that is as
// long as a hash. Such a run has all of a group of 16 bytes, wherever these are counted
// from, and one that begins behind the first byte of a group has the next.
func skip(b []byte, i int) int {
	n := (len(b) - i) &^ 31
	if n < 64 || !cpu.X86.HasAVX2 {
		return i
	}
	return max(i, i+foreign(&b[i], n)-15)
}
