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
