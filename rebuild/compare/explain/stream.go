package explain

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/sorairolake/lzip-go"
	"github.com/ulikunitz/xz"
)

// A streamDecoder explains files packed with zstd (RFC 8878), xz, bzip2 or
// lzip, whose headers hold nothing of the outside world: only what is inside
// counts, and whether it is packed in the same way.
type streamDecoder struct{}

// maxDict bounds what the decoders may remember, in bytes.
const maxDict = 64 << 20

var streams = []struct {
	name, magic, ending string
	open                func(r io.Reader) (io.Reader, error)
}{
	{"zstd", "\x28\xb5\x2f\xfd", ".zst", openZstd},
	{"xz", "\xfd7zXZ\x00", ".xz", func(r io.Reader) (io.Reader, error) { return xz.ReaderConfig{DictCap: maxDict}.NewReader(r) }},
	{"bzip2", "BZh", ".bz2", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{"lzip", "LZIP", ".lz", func(r io.Reader) (io.Reader, error) { return lzip.NewReader(r) }},
}

func openZstd(r io.Reader) (io.Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxDict), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

func (streamDecoder) decode(d *diff, was, now []byte) bool {
	for _, s := range streams {
		if !bytes.HasPrefix(was, []byte(s.magic)) || !bytes.HasPrefix(now, []byte(s.magic)) {
			continue
		}
		a, errA := d.unpack(was, s.open)
		b, errB := d.unpack(now, s.open)
		switch {
		case errors.Is(errA, errNotMine) || errors.Is(errB, errNotMine):
			return false
		case errA != nil || errB != nil:
			d.tooLarge(s.name)
		default:
			d.inside(d.step(s.name, s.ending), strings.TrimSuffix(d.path, s.ending), a, b)
			d.packing(s.name, a, b, was, now)
		}
		return true
	}
	return false
}

func (d *diff) unpack(data []byte, open func(io.Reader) (io.Reader, error)) ([]byte, error) {
	r, err := open(bytes.NewReader(data))
	if err != nil {
		return nil, errNotMine
	}
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	return d.readAll(r, 0)
}
