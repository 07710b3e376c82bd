package pass

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"audit/inspect/digest"
	"audit/inspect/digest/sha256mb"
)

// Whatever the parts of a file are, and whoever carries its digest, it is that of all
// its bytes.
func TestGiven(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		file := make([]byte, rnd.IntN(1<<(10+seed%14)))
		for i := range file {
			file[i] = byte(rnd.Uint32())
		}
		synctest.Test(t, func(t *testing.T) {
			g := NewGiven(New(t.Context(), Options{}), bytes.NewReader(file), int64(len(file)))
			defer g.Stop()
			for off := 0; off < len(file); {
				off += rnd.IntN(min(len(file)-off, 2*nearBytes) + 1)
				size := rnd.IntN(len(file) - off + 1)
				if carrying := g.Carry(int64(off), int64(size)); carrying != nil {
					carry(t, carrying, rnd, file[off:off+size])
				}
				off += size + 1
			}
			got, err := g.Digest()
			if want := digest.Of(file).Hash(); err != nil || got != want {
				t.Errorf("seed %d, %d bytes: %v, %v, want %v", seed, len(file), got, err, want)
			}
		})
	}
}

// carry reads a part, with another digest in the same group.
func carry(t *testing.T, g *Given, rnd *rand.Rand, part []byte) {
	group := sha256mb.NewGroup()
	lane, err := g.Lane(group)
	if err != nil {
		t.Fatal(err)
	}
	other, n := group.NewLane(), int64(len(part))
	for rest := part; len(rest) > 0; {
		k := min(len(rest), 1+rnd.IntN(200_000))
		lane.Lend(rest[:k])
		other.Lend(rest[:k])
		group.Run()
		rest = rest[k:]
	}
	g.Return(n)
	if other.Finish() != sha256.Sum256(part) {
		t.Error("another digest in the group is wrong")
	}
}

// A reading that is cancelled or fails leaves no goroutine, and says why.
func TestGivenEnds(t *testing.T) {
	file := make([]byte, 3*nearBytes)
	for name, begin := range map[string]func(g *Given){
		"at once": func(*Given) {}, "read apart": func(g *Given) { g.Carry(0, 1) }, "carried": func(g *Given) {
			g.Lane(sha256mb.NewGroup())
			g.Return(1)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			g := NewGiven(New(ctx, Options{}), bytes.NewReader(file), int64(len(file)))
			begin(g)
			if _, err := g.Digest(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			g.Stop()
			g = NewGiven(New(t.Context(), Options{}), bytes.NewReader(file), int64(len(file)))
			begin(g)
			g.Stop()
		})
	}
}
