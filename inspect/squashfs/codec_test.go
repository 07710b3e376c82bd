package squashfs

import (
	"slices"
	"strings"
	"testing"

	"audit/inspect/xz"
)

func TestUnpackersRefuse(t *testing.T) {
	zlibbed := []byte("\x78\x9c\x4b\x04\x00\x00\x62\x00\x62") // "a"
	zstded := []byte("\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00a") // "a", a frame of one raw block
	for name, test := range map[string]struct {
		compressor compressor
		packed     []byte
		room       int
		want       string
	}{
		"gzip":          {gzipCompressor, zlibbed, 1, ""},
		"zstd":          {zstdCompressor, zstded, 1, ""},
		"lz4":           {squashLZ4, []byte("\x10a"), 1, ""},
		"lz4 no room":   {squashLZ4, []byte("\x10a"), 0, xz.ErrTooLong.Error()},
		"lz4 cut":       {squashLZ4, []byte("\x20a"), 8, "EOF"},
		"lz4 no end":    {squashLZ4, []byte("\x10a\x01\x00"), 8, "EOF"},
		"lz4 nothing":   {squashLZ4, nil, 8, "EOF"},
		"lz4 long cut":  {squashLZ4, []byte("\xf0\xff\xff"), 8, "EOF"},
		"lz4 before":    {squashLZ4, []byte("\x10a\x02\x00\x10a"), 8, "begins before the block"},
		"lz4 at itself": {squashLZ4, []byte("\x10a\x00\x00\x10a"), 8, "begins before the block"},
		"lz4 long":      {squashLZ4, []byte("\x1fa\x01\x00\xff\x00\x10a"), 8, xz.ErrTooLong.Error()},
		"gzip no room":  {gzipCompressor, zlibbed, 0, xz.ErrTooLong.Error()},
		"zstd no room":  {zstdCompressor, zstded, 0, xz.ErrTooLong.Error()},
		"gzip trailing": {gzipCompressor, append(slices.Clone(zlibbed), 0), 8, xz.ErrTrailing.Error()},
		"zstd trailing": {zstdCompressor, append(slices.Clone(zstded), 0), 8, "EOF"},
		"gzip cut":      {gzipCompressor, zlibbed[:6], 8, "EOF"},
		"zstd cut":      {zstdCompressor, zstded[:6], 8, "EOF"},
		"gzip checksum": {gzipCompressor, append(slices.Clone(zlibbed[:8]), 0), 8, "checksum"},
	} {
		unpack, err := newUnpacker(test.compressor)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the state that is kept must not matter
			dst := make([]byte, test.room)
			n, err := unpack(dst, test.packed)
			switch {
			case test.want == "" && (err != nil || string(dst[:n]) != "a"):
				t.Errorf("%s: %q, %v", name, dst[:n], err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%s: %v, want %q", name, err, test.want)
			}
		}
	}
}

// A match may reach into what it copies, and lengths go on in further bytes.
func TestUnpackLZ4(t *testing.T) {
	for packed, want := range map[string]string{
		"\x20ab\x02\x00\x10c":                     "abababc",
		"\x1fa\x01\x00\x05\x10b":                  strings.Repeat("a", 25) + "b",
		"\xf0\x02" + strings.Repeat("x", 17):      strings.Repeat("x", 17),
		"\xf0\xff\x00" + strings.Repeat("y", 270): strings.Repeat("y", 270),
		"\x1fz\x01\x00\xff\x00\x10b":              strings.Repeat("z", 1+15+255+4) + "b",
		"\x00":                                    "",
	} {
		dst := make([]byte, 1000)
		if n, err := unpackLZ4(dst, []byte(packed)); err != nil || string(dst[:n]) != want {
			t.Errorf("%q: %q, %v", packed, dst[:n], err)
		}
	}
}
