package inflate

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"

	klauspost "github.com/klauspost/compress/flate"
)

// texts are contents of every kind: noise, text, runs, far repetitions.
func texts() map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	var words bytes.Buffer
	for words.Len() < 400_000 {
		fmt.Fprintf(&words, "%s/%d ", []string{"gnu", "store", "lib", "share", "bin", "reproducible"}[rnd.IntN(6)], rnd.IntN(100))
	}
	skewed := make([]byte, 300_000) // a few bytes are very rare, so codes are long
	for i := range skewed {
		skewed[i] = byte(min(rnd.ExpFloat64()*4, 255))
	}
	far := append(append(bytes.Clone(noise[:32768]), noise[:32768]...), noise[1000:40000]...)
	mixed := append(append(bytes.Clone(noise[:70_000]), words.Bytes()...), make([]byte, 100_000)...)
	return map[string][]byte{"nothing": nil, "a byte": {7}, "noise": noise, "words": words.Bytes(), "zeros": make([]byte, 1<<20),
		"two bytes": bytes.Repeat([]byte("ab"), 100_000), "three": bytes.Repeat([]byte("abc"), 1000), "skewed": skewed, "far": far, "mixed": mixed}
}

// deflated returns a content compressed in all ways that there are at hand.
func deflated(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for level := -2; level <= 9; level++ {
		var a, b bytes.Buffer
		std, err := flate.NewWriter(&a, level)
		if err != nil {
			t.Fatal(err)
		}
		other, err := klauspost.NewWriter(&b, level)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []io.WriteCloser{std, other} {
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		all[fmt.Sprintf("level %d", level)], all[fmt.Sprintf("other level %d", level)] = a.Bytes(), b.Bytes()
	}
	return all
}

// inflated reads a stream, with something behind it, and returns how much of
// that was left.
func inflated(src io.Reader) (data, rest []byte, err error) { return inflatedBy(src, false, 4096) }

// inflatedBy is inflated by the safe loop, or by the one that is built, with a
// buffer of the source of so many bytes.
func inflatedBy(src io.Reader, safe bool, buffer int) (data, rest []byte, err error) {
	in := bufio.NewReaderSize(src, buffer)
	d := NewReader(in)
	d.checked = safe
	data, err = io.ReadAll(io.LimitReader(d, mostInflated))
	rest, _ = io.ReadAll(in)
	return data, rest, err
}

// mostInflated bounds what a test takes of a stream.
const mostInflated = 2 << 20

func TestRoundTrip(t *testing.T) {
	for name, data := range texts() {
		for how, packed := range deflated(t, data) {
			for _, behind := range []string{"", "behind", string(make([]byte, 100))} {
				got, rest, err := inflated(bytes.NewReader(append(bytes.Clone(packed), behind...)))
				if err != nil || !bytes.Equal(got, data) || string(rest) != behind {
					t.Errorf("%s, %s: %d bytes of %d, %d of %d left behind: %v", name, how, len(got), len(data), len(rest), len(behind), err)
				}
			}
		}
	}
}

// Whatever a complete code is, its subtables have room.
func TestSubtables(t *testing.T) {
	var d Reader
	for seed := range uint64(20_000) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		for _, which := range []struct {
			symbols, bits int
			table         []entry
			entryOf       func(symbol, n int) entry
		}{{maxLiterals - 2, literalBits, d.literals[:], literalEntry}, {maxDistances - 2, distanceBits, d.distances[:], distanceEntry}} {
			m := &d.maker
			m.table, m.bits, m.entryOf, m.nothing = which.table, which.bits, which.entryOf, flagOdd
			if !m.build(anyCode(rnd, which.symbols)) || m.end > len(m.table) {
				t.Fatalf("seed %d: %d of %d entries", seed, m.end, len(m.table))
			}
		}
	}
}

// anyCode returns the lengths of a complete code: leaves of a tree that is split at any
// of them, at the deepest often.
func anyCode(rnd *rand.Rand, symbols int) []uint8 {
	lengths := []uint8{1, 1}
	deep := rnd.IntN(4)
	for n := 2 + rnd.IntN(symbols-1); len(lengths) < n; {
		i := rnd.IntN(len(lengths))
		if rnd.IntN(4) < deep {
			i = len(lengths) - 1
		}
		if lengths[i] == maxCodeBits {
			deep = 0
			if !slices.ContainsFunc(lengths, func(l uint8) bool { return l < maxCodeBits }) {
				break
			}
			continue
		}
		lengths[i]++
		lengths = append(lengths, lengths[i])
	}
	rnd.Shuffle(len(lengths), func(i, j int) { lengths[i], lengths[j] = lengths[j], lengths[i] })
	return lengths
}

// However the source hands out its bytes, and however they are asked for, they
// are the same.
func TestPieces(t *testing.T) {
	data := texts()["mixed"]
	packed := deflated(t, data)["level 6"]
	for name, src := range map[string]io.Reader{
		"one byte": iotest.OneByteReader(bytes.NewReader(packed)), "halves": iotest.HalfReader(bytes.NewReader(packed)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(packed)),
	} {
		got, err := io.ReadAll(iotest.OneByteReader(NewReader(bufio.NewReaderSize(src, 64))))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes of %d: %v", name, len(got), len(data), err)
		}
	}
}

func TestReset(t *testing.T) {
	d := NewReader(bufio.NewReader(bytes.NewReader([]byte{7})))
	if _, err := io.ReadAll(d); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a block of kind 3: %v", err)
	}
	data := texts()["words"]
	d.Reset(bufio.NewReader(bytes.NewReader(deflated(t, data)["level 6"])))
	if got, err := io.ReadAll(d); err != nil || !bytes.Equal(got, data) {
		t.Errorf("after Reset: %d bytes of %d: %v", len(got), len(data), err)
	}
	// What the window held before must not be reached.
	d.Reset(bufio.NewReader(bytes.NewReader([]byte{3, 2, 0})))
	if got, err := io.ReadAll(d); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a distance before the start: %q, %v", got, err)
	}
}

// Wherever a stream is cut, it is an unexpected end, and what comes out is a
// start of the whole.
func TestTruncated(t *testing.T) {
	data := texts()["mixed"][60_000:90_000]
	for how, packed := range deflated(t, data) {
		for n := 0; n < len(packed); n += max(1, min(97, (len(packed)-n)/50)) {
			got, _, err := inflated(bytes.NewReader(packed[:n]))
			if err != io.ErrUnexpectedEOF || !bytes.HasPrefix(data, got) {
				t.Fatalf("%s, cut at %d of %d: %d bytes, %v", how, n, len(packed), len(got), err)
			}
		}
	}
}

func TestSourceErrors(t *testing.T) {
	data := texts()["words"]
	packed := deflated(t, data)["level 6"]
	broken := errors.New("broken")
	for _, n := range []int{0, 1, 100, len(packed) - 5} {
		_, _, err := inflated(io.MultiReader(bytes.NewReader(packed[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v, want the error of the source", n, err)
		}
	}
}

// FuzzReader holds every answer against that of compress/flate.
func FuzzReader(f *testing.F) {
	for _, data := range texts() {
		data = data[:min(len(data), 3000)]
		for _, packed := range deflated(f, data) {
			f.Add(packed)
		}
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		src := bytes.NewReader(packed)
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(src), mostInflated))
		got, rest, err := inflated(bytes.NewReader(packed))
		sameAsSafe(t, packed, got, rest, err)
		if len(want) == mostInflated {
			return
		}
		switch {
		case wantErr == nil && (err != nil || !bytes.Equal(got, want) || len(rest) != src.Len()):
			t.Fatalf("%d bytes, %d left, %v; want %d, %d left", len(got), len(rest), err, len(want), src.Len())
		case wantErr != nil && err != ErrCorrupt && err != io.ErrUnexpectedEOF: // a stream that is cut can be both
			t.Fatalf("%v, want %v", err, wantErr)
		}
		if wantErr != nil && !bytes.HasPrefix(got, want) && !bytes.HasPrefix(want, got) {
			t.Fatalf("other bytes before the error: %x, want %x", got, want)
		}
	})
}

// sameAsSafe holds what the loop that is built has made of a stream against what the
// safe one makes of it: the bytes, the error, and where a sound one ends.
func sameAsSafe(t *testing.T, packed, got, rest []byte, err error) {
	t.Helper()
	for _, buffer := range []int{4096, 64 + len(packed)%32} {
		want, left, wantErr := inflatedBy(bytes.NewReader(packed), true, buffer)
		if err != wantErr || !bytes.Equal(got, want) || err == nil && len(got) < mostInflated && !bytes.Equal(rest, left) {
			t.Fatalf("%d bytes, %d left, %v; the safe loop: %d bytes, %d left, %v", len(got), len(rest), err, len(want), len(left), wantErr)
		}
	}
}

// FuzzCodes holds the loops against each other and compress/flate on a stream whose
// every block is sound but whose symbols are any: see anyStream.
func FuzzCodes(f *testing.F) {
	for seed := range uint64(16) {
		f.Add(seed, []byte("literals, lengths and distances"))
	}
	f.Fuzz(func(t *testing.T, seed uint64, choices []byte) {
		packed := anyStream(seed, choices)
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), mostInflated))
		got, rest, err := inflated(bytes.NewReader(packed))
		if wantErr != nil || err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, %v; want %d bytes, %v", len(got), err, len(want), wantErr)
		}
		sameAsSafe(t, packed, got, rest, err)
	})
}

// TestEveryCopy has a match of every length at every short distance, and at some long
// ones, at the end of the output so far.
func TestEveryCopy(t *testing.T) {
	var far []int
	for n := range distanceBase {
		far = append(far, int(distanceBase[n]))
	}
	for distance := 1; distance <= 40+len(far); distance++ {
		back := distance
		if distance > 40 {
			back = far[distance-41]
		}
		var b bitWriter
		b.bits(3, 3) // the last block, of fixed codes
		for i := range back {
			b.literal(byte(i * 7 >> 1))
		}
		for length := 3; length <= maxMatch; length++ {
			b.match(length, back)
			b.literal(byte(length))
		}
		packed := b.end()
		want, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
		if err != nil {
			t.Fatal(err)
		}
		got, rest, err := inflated(bytes.NewReader(packed))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("distance %d: other bytes, %v", back, err)
		}
		sameAsSafe(t, packed, got, rest, err)
	}
}

// anyStream writes blocks of fixed codes with literals, and matches of any length and
// distance, as choices and the seed say.
func anyStream(seed uint64, choices []byte) []byte {
	rnd := rand.New(rand.NewPCG(seed, 9))
	var b bitWriter
	n := 0
	for block := range 1 + len(choices)/64 {
		b.bits(2, 3)
		for _, c := range choices[min(len(choices), 64*block):min(len(choices), 64*block+64)] {
			for range 1 + rnd.IntN(40) {
				if n == 0 || rnd.IntN(256) < int(c) {
					b.literal(byte(rnd.Uint32()))
					n++
					continue
				}
				length, distance := 3+rnd.IntN(maxMatch-2), 1+rnd.IntN(min(n, windowSize))
				if c&1 != 0 {
					distance = 1 + rnd.IntN(min(n, 20))
				}
				b.match(length, distance)
				n += length
			}
		}
		b.fixed(endOfBlock)
	}
	b.bits(3, 3)
	return b.end()
}

// A bitWriter writes blocks of fixed codes (RFC 1951, 3.2.6).
type bitWriter struct {
	out  []byte
	word uint64
	n    uint
}

// bits writes the lowest n bits of v, the lowest first.
func (b *bitWriter) bits(v uint64, n uint) {
	b.word |= v << b.n
	for b.n += n; b.n >= 8; b.n -= 8 {
		b.out = append(b.out, byte(b.word))
		b.word >>= 8
	}
}

// fixed writes the code of a symbol, its highest bit first.
func (b *bitWriter) fixed(symbol int) {
	code, n := 0x30+symbol, uint(8)
	switch {
	case symbol >= 280:
		code = 0xc0 + symbol - 280
	case symbol >= 256:
		code, n = symbol-256, 7
	case symbol >= 144:
		code, n = 0x190+symbol-144, 9
	}
	b.bits(bits.Reverse64(uint64(code))>>(64-n), n)
}

func (b *bitWriter) literal(c byte) { b.fixed(int(c)) }

func (b *bitWriter) match(length, distance int) {
	i := len(lengthBase) - 1
	for length < int(lengthBase[i]) {
		i--
	}
	b.fixed(endOfBlock + 1 + i)
	b.bits(uint64(length-int(lengthBase[i])), uint(lengthMore[i]))
	j := len(distanceBase) - 1
	for distance < int(distanceBase[j]) {
		j--
	}
	b.bits(uint64(bits.Reverse8(uint8(j))>>3), 5)
	b.bits(uint64(distance-int(distanceBase[j])), uint(distanceMore[j]))
}

// end writes the end of a block and fills the last byte.
func (b *bitWriter) end() []byte {
	b.fixed(endOfBlock)
	b.bits(0, 7)
	return b.out
}

// FuzzRoundTrip holds what comes out against what was packed.
func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		data := make([]byte, rnd.IntN(200_000))
		for i := 0; i < len(data); {
			if i > 0 && rnd.IntN(3) == 0 {
				from := i - 1 - rnd.IntN(min(i, 32768))
				for n := rnd.IntN(400); n > 0 && i < len(data); n-- {
					data[i] = data[from]
					i, from = i+1, from+1
				}
				continue
			}
			for n := rnd.IntN(300); n > 0 && i < len(data); n-- {
				data[i] = byte(rnd.IntN(1 << (1 + seed%8)))
				i++
			}
		}
		var buf bytes.Buffer
		w, err := flate.NewWriter(&buf, int(seed%10))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, rest, err := inflated(bytes.NewReader(buf.Bytes()))
		if err != nil || !bytes.Equal(got, data) || len(rest) > 0 {
			t.Fatalf("%d bytes of %d, %d left: %v", len(got), len(data), len(rest), err)
		}
		sameAsSafe(t, buf.Bytes(), got, rest, err)
	})
}

// Benchmarks of the inflaters on the same stream; the MB/s are of what
// comes out.
func BenchmarkInflate(b *testing.B) {
	for _, name := range []string{"noise", "words", "mixed", "skewed"} {
		data := texts()[name]
		packed := deflated(b, data)["level 6"]
		for which, open := range map[string]func(*bufio.Reader) io.Reader{
			"ours": func(r *bufio.Reader) io.Reader { return NewReader(r) },
			"safe": func(r *bufio.Reader) io.Reader {
				d := NewReader(r)
				d.checked = true
				return d
			},
			"klauspost": func(r *bufio.Reader) io.Reader { return klauspost.NewReader(r) },
			"standard":  func(r *bufio.Reader) io.Reader { return flate.NewReader(r) },
		} {
			b.Run(name+"/"+which, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					if n, err := io.Copy(io.Discard, open(bufio.NewReaderSize(bytes.NewReader(packed), 64<<10))); err != nil || n != int64(len(data)) {
						b.Fatal(n, err)
					}
				}
			})
		}
	}
}
