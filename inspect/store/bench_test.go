package store

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkScanner(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 8<<20)
	for i := range data {
		if i&(1<<13) != 0 { // about half cannot be compressed, as in a layer
			data[i] = byte(rnd.Uint32())
		}
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		scanAll(string(data), 128<<10)
	}
}
