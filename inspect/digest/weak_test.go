package digest

import (
	"math/rand/v2"
	"testing"
)

// However large contents are, whatever size was promised and in however many pieces
// they come, each has its own digests, in turn.
func TestWeakHash(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 4))
	data := make([]byte, 11<<20)
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	var want []Weak
	next := 0
	w := NewWeakHash(func(index int, sum Weak) {
		if index != next || sum != want[index] {
			t.Fatalf("content %d: %v, want %d: %v", index, sum, next, want[next])
		}
		next++
	})
	for range 400 {
		n := rnd.IntN(1 << (rnd.IntN(16)))
		switch rnd.IntN(50) {
		case 0:
			n = rnd.IntN(len(data))
		case 1:
			n = rnd.IntN(1 << 20)
		}
		kinds := []Kinds{MD5, MD5 | SHA1, SHA1, 0}[rnd.IntN(4)]
		content := data[rnd.IntN(len(data)-n+1):][:n]
		promised := int64(n)
		if rnd.IntN(10) == 0 {
			promised = rnd.Int64N(1 << 24)
		}
		w.Start(len(want), kinds, promised)
		for rest := content; len(rest) > 0; {
			buf := w.Buffer()
			if buf == nil {
				buf = make([]byte, 1<<20)
			}
			k := copy(buf[:1+rnd.IntN(len(buf))], rest)
			w.Write(buf[:k])
			rest = rest[k:]
		}
		if rnd.IntN(20) == 0 {
			continue // it broke off
		}
		w.End()
		if kinds != 0 {
			want = append(want, WeakOf(content, kinds))
		}
	}
	if w.Flush(); next != len(want) {
		t.Errorf("%d contents, want %d", next, len(want))
	}
}
