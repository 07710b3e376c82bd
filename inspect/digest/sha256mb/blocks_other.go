//go:build !amd64 || purego

package sha256mb

const accelerated = false

func blocks1(h0 *state, p0 *byte, n int) { panic("unreachable") }

func blocks2(h0, h1 *state, p0, p1 *byte, n int) { panic("unreachable") }

func blocks3(h0, h1, h2 *state, p0, p1, p2 *byte, n int) { panic("unreachable") }
