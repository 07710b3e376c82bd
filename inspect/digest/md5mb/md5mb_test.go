package md5mb

import (
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"testing"
)

func random(rnd *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

func checkSums(t *testing.T, contents [][]byte) {
	t.Helper()
	sums := make([][md5.Size]byte, len(contents))
	Sum(sums, contents)
	for i, content := range contents {
		if want := md5.Sum(content); sums[i] != want {
			t.Fatalf("content %d of %d, %d bytes: %x, want %x", i, len(contents), len(content), sums[i], want)
		}
	}
}

// TestEveryLength takes contents of every length up to five blocks, as many at a time
// as there are lanes and more.
func TestEveryLength(t *testing.T) {
	data := random(rand.New(rand.NewPCG(1, 1)), 320)
	for n := range 20 {
		for from := range len(data) {
			var contents [][]byte
			for i := range n {
				contents = append(contents, data[i%7:][:(from+i*13)%300])
			}
			checkSums(t, contents)
		}
	}
}

// TestRandom mixes long and short contents.
func TestRandom(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		contents := make([][]byte, rnd.IntN(40))
		for i := range contents {
			contents[i] = random(rnd, rnd.IntN(1<<(1+rnd.IntN(14))))
		}
		checkSums(t, contents)
	}
}

func BenchmarkSum(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10, 512 << 10} {
		contents := make([][]byte, 16)
		for i := range contents {
			contents[i] = random(rand.New(rand.NewPCG(uint64(i), 3)), size)
		}
		sums := make([][md5.Size]byte, len(contents))
		b.Run(fmt.Sprintf("md5mb/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size * len(contents)))
			for b.Loop() {
				Sum(sums, contents)
			}
		})
		b.Run(fmt.Sprintf("crypto/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size * len(contents)))
			for b.Loop() {
				for i := range contents {
					sums[i] = md5.Sum(contents[i])
				}
			}
		})
	}
}
