package compression

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sorairolake/lzip-go"
	"github.com/ulikunitz/xz"

	"audit/inspect/check"
	"audit/inspect/limit"
)

func free(int64) error { return nil }

func packXZ(t testing.TB, config xz.WriterConfig, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := config.NewWriter(&buf)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func packLzip(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := lzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// expandAll returns what a packed stream expands to, and the notes.
func expandAll(packed []byte, charge func(int64) error) ([]byte, []check.Message, error) {
	x, err := Expand(bufio.NewReader(bytes.NewReader(packed)), Sniff(packed), charge)
	if err != nil {
		return nil, nil, err
	}
	defer x.Close()
	data, err := io.ReadAll(x)
	return data, x.Notes, err
}

// halfNoise is data that can be compressed to about a half.
func halfNoise(n int) []byte {
	rnd := rand.New(rand.NewPCG(9, 9))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rnd.IntN(16))
	}
	return data
}

func TestLZMA(t *testing.T) {
	data := halfNoise(300_000)
	one := packXZ(t, xz.WriterConfig{CheckSum: xz.CRC64}, data)
	for name, test := range map[string]struct {
		packed []byte
		want   []byte
		notes  string
		err    string
	}{
		"xz":                     {packed: one, want: data},
		"xz of nothing":          {packed: packXZ(t, xz.WriterConfig{}, nil), want: nil},
		"xz, many blocks":        {packed: packXZ(t, xz.WriterConfig{BlockSize: 7000, CheckSum: xz.CRC32}, data), want: data},
		"xz, SHA-256":            {packed: packXZ(t, xz.WriterConfig{BlockSize: 70000, CheckSum: xz.SHA256}, data), want: data},
		"xz, no checksum":        {packed: packXZ(t, xz.WriterConfig{NoCheckSum: true}, data), want: data},
		"two xz streams":         {packed: append(bytes.Clone(one), one...), want: append(bytes.Clone(data), data...)},
		"xz with padding":        {packed: append(append(bytes.Clone(one), 0, 0, 0, 0), one...), want: append(bytes.Clone(data), data...)},
		"xz, padding at the end": {packed: append(bytes.Clone(one), 0, 0, 0, 0), want: data},
		"xz, odd padding":        {packed: append(bytes.Clone(one), 0, 0, 0), want: data, err: "unexpected EOF"},
		"xz, junk behind":        {packed: append(bytes.Clone(one), "junkjunkjunk"...), want: data, err: "not a whole xz stream"},
		"xz, cut":                {packed: one[:len(one)-1], want: data, err: "unexpected EOF"},
		"lzip":                   {packed: packLzip(t, data), want: data},
		"two lzip members":       {packed: append(packLzip(t, data), packLzip(t, data)...), want: append(bytes.Clone(data), data...)},
		"lzip, junk behind":      {packed: append(packLzip(t, data), "junk"...), want: data, notes: `integrity/trailing-compressed-data bytes="4" compression="lzip"`},
		"lzip, cut":              {packed: packLzip(t, data)[:1000], err: "unexpected EOF"},
		"lzip, too short":        {packed: []byte("LZIP\x01\x0c\x00"), err: "unexpected EOF"},
		"lzip, version 0":        {packed: []byte("LZIP\x00\x0c"), err: "version 0 of lzip"},
		"lzip, huge dictionary":  {packed: []byte("LZIP\x01\x1d0000000"), err: "LZMA dictionary"},
		"lzip, wrong trailer":    {packed: flipped(packLzip(t, data), -3), want: data, err: "trailer of an lzip member"},
		"xz, wrong index":        {packed: flipped(one, -20), want: data, err: "xz"},
		"xz, wrong footer":       {packed: flipped(one, -6), want: data, err: "xz"},
		"xz, wrong checksum":     {packed: flipped(one, len(one)-12-12-3), want: data, err: "xz"},
	} {
		t.Run(name, func(t *testing.T) {
			got, notes, err := expandAll(test.packed, free)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			if test.err != "lzip" && test.want != nil && !bytes.Equal(got, test.want) {
				t.Errorf("%d bytes, want %d", len(got), len(test.want))
			}
			if fmt.Sprint(notes) != "["+test.notes+"]" {
				t.Errorf("notes %q, want %q", notes, test.notes)
			}
		})
	}
}

func flipped(p []byte, at int) []byte {
	p = bytes.Clone(p)
	if at < 0 {
		at += len(p)
	}
	p[at] ^= 1
	return p
}

// No byte of an xz stream can change what comes out and go unnoticed.
func TestEveryByteOfXZ(t *testing.T) {
	data := []byte(strings.Repeat("hello, world ", 20))
	packed := packXZ(t, xz.WriterConfig{BlockSize: 100, CheckSum: xz.CRC64}, data)
	for i := range packed {
		if got, _, err := expandAll(flipped(packed, i), free); err == nil && Sniff(flipped(packed, i)) == XZ && !bytes.Equal(got, data) {
			t.Errorf("byte %d changed, and what comes out is %q", i, got)
		}
	}
}

// A dictionary that a header asks for is counted, and bounded.
func TestDictionaries(t *testing.T) {
	packed := packXZ(t, xz.WriterConfig{DictCap: 1 << 20, BlockSize: 100}, halfNoise(1000))
	total := int64(0)
	if _, _, err := expandAll(packed, func(n int64) error { total += n; return nil }); err != nil || total != 10<<20 {
		t.Errorf("%d bytes of dictionaries counted, want ten MiB (%v)", total, err)
	}
	full := errors.New("full")
	if _, _, err := expandAll(packed, func(int64) error { return full }); !errors.Is(err, full) {
		t.Errorf("error %v, want that of the budget", err)
	}
	var over *limit.Error
	if _, _, err := expandAll(withDictionary(packed, 30), free); !errors.As(err, &over) {
		t.Errorf("a dictionary of 128 MiB: %v", err)
	}
}

// withDictionary changes the dictionary that the first block asks for.
func withDictionary(packed []byte, bits byte) []byte {
	p := bytes.Clone(packed)
	head := p[12 : 12+4*(int(p[12])+1)]
	i := bytes.Index(head, []byte{0x21, 1})
	head[i+2] = bits
	binary.LittleEndian.PutUint32(head[len(head)-4:], crcOf(head[:len(head)-4]))
	return p
}

// FuzzXZ holds our reader against the library's: where ours accepts a stream,
// the other expands it to the same bytes.
func FuzzXZ(f *testing.F) {
	f.Add(packXZ(f, xz.WriterConfig{}, []byte("hello")))
	f.Add(packXZ(f, xz.WriterConfig{BlockSize: 9, CheckSum: xz.SHA256}, []byte("hello, world, hello, world")))
	f.Fuzz(func(t *testing.T, packed []byte) {
		left := int64(1 << 28)
		got, _, err := expandAll(packed, func(n int64) error {
			if left -= n; left < 0 {
				return io.ErrShortBuffer
			}
			return nil
		})
		if err != nil || Sniff(packed) != XZ {
			return
		}
		r, err := xz.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatalf("the library refuses what was expanded to %d bytes: %v", len(got), err)
		}
		want, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, the library has %d (%v)", len(got), len(want), err)
		}
	})
}

func crcOf(p []byte) uint32 { return crc32.ChecksumIEEE(p) }
