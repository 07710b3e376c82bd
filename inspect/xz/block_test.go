package xz

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// xzStream packs data as one stream of blocks of a size.
func xzStream(t testing.TB, data []byte, block int64, check byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 16, BlockSize: block, CheckSum: check, NoCheckSum: check == 0}.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withBlockHeader changes the header of the first block and makes its checksum
// right again.
func withBlockHeader(stream []byte, edit func(h []byte)) []byte {
	p := slices.Clone(stream)
	h := p[12:][:4*(int(p[12])+1)]
	edit(h)
	binary.LittleEndian.PutUint32(h[len(h)-4:], crc32.ChecksumIEEE(h[:len(h)-4]))
	return p
}

func TestUnpackXZ(t *testing.T) {
	data := joined(text(5000), noise(500, 9))
	for _, check := range []byte{xz.None, xz.CRC32, xz.CRC64, xz.SHA256} {
		got := make([]byte, len(data))
		n, err := Unpack(got, xzStream(t, data, 1<<20, check))
		if err != nil || !bytes.Equal(got[:n], data) {
			t.Errorf("checksum %d: %d bytes, %v", check, n, err)
		}
	}
}

// A dictionary of 4 GiB costs nothing that is not needed.
func TestUnpackXZDictionary(t *testing.T) {
	data := text(5000)
	stream := xzStream(t, data, 1<<20, xz.CRC32)
	i := bytes.Index(stream[:40], []byte{xzLZMA2, 1})
	stream = withBlockHeader(stream, func(h []byte) { h[i-12+2] = 40 })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := make([]byte, 8192)
	n, err := Unpack(got, stream)
	runtime.ReadMemStats(&after)
	if err != nil || !bytes.Equal(got[:n], data) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

func TestUnpackXZRefuses(t *testing.T) {
	data := text(5000)
	stream := xzStream(t, data, 1<<20, xz.CRC64)
	filter := bytes.Index(stream[:40], []byte{xzLZMA2, 1}) - 12
	flipped := func(i int) []byte {
		p := slices.Clone(stream)
		p[(i+len(p))%len(p)] ^= 1
		return p
	}
	for name, test := range map[string]struct {
		stream []byte
		room   int
		want   string
	}{
		"nothing":       {nil, 8192, "not a whole xz stream"},
		"magic":         {flipped(0), 8192, "not a whole xz stream"},
		"stream header": {flipped(9), 8192, "checksum"},
		"block header":  {flipped(13), 8192, "checksum"},
		"checksum":      {flipped(-12 - 12 - 1), 8192, "checksum of the xz block"},
		"footer":        {flipped(-1), 8192, "not a whole xz stream"},
		"no room":       {stream, 4999, ErrTooLong.Error()},
		"trailing":      {append(slices.Clone(stream), 0), 8192, ErrTrailing.Error()},
		"twice":         {slices.Concat(stream, stream), 16384, ErrTrailing.Error()},
		"two blocks":    {xzStream(t, data, 2500, xz.CRC64), 8192, "the index of the xz stream"},
		"arm filter":    {withBlockHeader(stream, func(h []byte) { h[filter] = 7 }), 8192, "xz filter 0x07"},
	} {
		_, err := Unpack(make([]byte, test.room), test.stream)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	for n := range len(stream) {
		if _, err := Unpack(make([]byte, 8192), stream[:n]); err == nil {
			t.Errorf("cut off at byte %d: no error", n)
		}
	}
}

func TestDictionarySize(t *testing.T) {
	if dictionarySize(40-1) != 3<<30 || dictionarySize(0) != 4<<10 || dictionarySize(28) != 64<<20 {
		t.Error("sizes of dictionaries")
	}
}

func noise(n int, seed uint64) []byte {
	rnd, p := rand.New(rand.NewPCG(seed, 1)), make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

func text(n int) []byte {
	return bytes.Repeat([]byte("the same words again and again, and some more of them\n"), n/50+1)[:n]
}

func joined(parts ...[]byte) []byte { return slices.Concat(parts...) }
