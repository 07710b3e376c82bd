package squashfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"audit/inspect/compression"
	"audit/inspect/xz"
)

// A compressor is how the blocks of a squashfs are packed, as its superblock
// has it.
type compressor uint16

// The compressors of Linux 6.6.
const (
	gzipCompressor compressor = 1 + iota // zlib (RFC 1950), whatever its name
	squashLZMA
	squashLZO
	xzCompressor
	squashLZ4
	zstdCompressor
)

func (c compressor) String() string {
	if gzipCompressor <= c && c <= zstdCompressor {
		return [...]string{"gzip", "lzma", "lzo", "xz", "lz4", "zstd"}[c-gzipCompressor]
	}
	return fmt.Sprintf("compressor number %d", uint16(c))
}

// compression returns the compression that a compressor is.
func (c compressor) compression() compression.Kind {
	return map[compressor]compression.Kind{gzipCompressor: compression.Gzip, xzCompressor: compression.XZ, squashLZ4: compression.LZ4, zstdCompressor: compression.Zstd}[c]
}

// An unpackFunc unpacks a block into dst and returns how many bytes came out.
// All of src has to be used up; more than dst has room for is an error.
type unpackFunc func(dst, src []byte) (int, error)

func newUnpacker(c compressor) (unpackFunc, error) {
	switch c {
	case gzipCompressor:
		return new(zlibUnpacker).unpack, nil
	case xzCompressor:
		return xz.Unpack, nil
	case squashLZ4:
		return unpackLZ4, nil
	case zstdCompressor:
		return newZstdUnpacker()
	}
	return nil, fmt.Errorf("its blocks are packed with %v, which audit cannot read: it reads gzip, xz, lz4 and zstd", c)
}

type zlibUnpacker struct {
	in bytes.Reader
	z  io.ReadCloser
}

func (u *zlibUnpacker) unpack(dst, src []byte) (n int, err error) {
	u.in.Reset(src)
	if u.z == nil {
		u.z, err = zlib.NewReader(&u.in)
	} else {
		err = u.z.(zlib.Resetter).Reset(&u.in, nil)
	}
	if err != nil {
		u.z = nil
		return 0, err
	}
	if n, err = xz.Fill(dst, u.z); err == nil && u.in.Len() > 0 {
		err = xz.ErrTrailing
	}
	return n, err
}

func newZstdUnpacker() (unpackFunc, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(maxStored))
	if err != nil {
		return nil, err
	}
	return func(dst, src []byte) (int, error) {
		out, err := z.DecodeAll(src, dst[:0:len(dst)])
		if errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			err = xz.ErrTooLong
		}
		return len(out), err
	}, nil
}
