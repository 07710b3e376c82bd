package sha256mb

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
)

func random(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 0))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

// TestEveryLength takes every message of up to four blocks, split in every way.
func TestEveryLength(t *testing.T) {
	data := random(1, 4*blockSize+1)
	g := NewGroup()
	l := g.NewLane()
	for n := range len(data) {
		want := sha256.Sum256(data[:n])
		for split := range n + 1 {
			l.Write(data[:split])
			l.Lend(data[split:n])
			g.Run()
			if got := l.Finish(); got != want {
				t.Fatalf("%d bytes, split at %d: %x, want %x", n, split, got, want)
			}
		}
	}
}

// TestBlocks compares the three functions with crypto/sha256, lane by lane.
func TestBlocks(t *testing.T) {
	for lanes := 1; lanes <= 3; lanes++ {
		for n := range 300 {
			g := NewGroup()
			var all []*Lane
			var data [][]byte
			for i := range lanes {
				all, data = append(all, g.NewLane()), append(data, random(uint64(i), 64*n+i))
				all[i].Lend(data[i])
			}
			g.Run()
			for i, l := range all {
				if got, want := l.Finish(), sha256.Sum256(data[i]); got != want {
					t.Fatalf("lane %d of %d, %d bytes: %x, want %x", i, lanes, len(data[i]), got, want)
				}
			}
		}
	}
}

// play does what script says with up to four lanes: two bytes a step, of which the
// first has the lane and what to do, the second the size.
func play(t *testing.T, script []byte) {
	g := NewGroup()
	data := random(7, 40<<10)
	var lanes [4]*Lane
	var written [4][]byte
	for i := range lanes {
		lanes[i] = g.NewLane()
	}
	var lent [][]byte
	for ; len(script) >= 2; script = script[2:] {
		i, do, n := script[0]&3, script[0]>>2&7, int(script[1])
		if script[0]&32 != 0 {
			n = n * 157 // up to 40,035
		}
		p := append([]byte(nil), data[int(script[0])*3%7:][:n]...)
		switch do {
		case 0, 1, 2:
			lanes[i].Write(p)
			clear(p)
			written[i] = append(written[i], data[int(script[0])*3%7:][:n]...)
		case 3, 4:
			lanes[i].Lend(p)
			lent = append(lent, p)
			written[i] = append(written[i], p...)
		case 5:
			g.Run()
			for _, p := range lent {
				clear(p)
			}
			lent = nil
		case 6:
			if n&3 == 3 {
				lanes[i].Reset()
				written[i] = nil
			}
			lanes[i].Park()
		case 7:
			checkSum(t, lanes[i], written[i])
			written[i] = nil
		}
	}
	g.Run()
	for _, p := range lent {
		clear(p)
	}
	for i, l := range lanes {
		checkSum(t, l, written[i])
	}
}

func checkSum(t *testing.T, l *Lane, written []byte) {
	t.Helper()
	if got, want := l.Finish(), sha256.Sum256(written); got != want {
		t.Fatalf("%d bytes: %x, want %x", len(written), got, want)
	}
}

// TestRandom mixes lanes, pieces and ways of writing.
func TestRandom(t *testing.T) {
	for seed := range uint64(2000) {
		play(t, random(seed, 200))
	}
}

func FuzzLanes(f *testing.F) {
	f.Add([]byte{0, 64, 13, 64, 20, 0, 28, 0})
	f.Add(random(3, 100))
	f.Fuzz(play)
}

// TestLongMessage has a length of more than 32 bits in its padding.
func TestLongMessage(t *testing.T) {
	if testing.Short() {
		t.Skip("half a gigabyte")
	}
	g, std := NewGroup(), sha256.New()
	l, p := g.NewLane(), random(1, 1<<20)
	for range 513 {
		l.Lend(p)
		g.Run()
		std.Write(p)
	}
	if got := l.Finish(); got != [sha256.Size]byte(std.Sum(nil)) {
		t.Fatalf("%x", got)
	}
}

// BenchmarkLanes hashes messages of the same bytes together; the MB/s are of each.
func BenchmarkLanes(b *testing.B) {
	p := random(1, 128<<10)
	for lanes := 1; lanes <= 3; lanes++ {
		b.Run(fmt.Sprintf("sha256mb/%d", lanes), func(b *testing.B) {
			g := NewGroup()
			var all []*Lane
			for range lanes {
				all = append(all, g.NewLane())
			}
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				for _, l := range all {
					l.Lend(p)
				}
				g.Run()
			}
		})
		b.Run(fmt.Sprintf("crypto/%d", lanes), func(b *testing.B) {
			h := sha256.New()
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				for range lanes {
					h.Write(p)
				}
			}
		})
	}
}
