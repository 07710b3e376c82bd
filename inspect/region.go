package inspect

import (
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A region is a file, or a part of one, that is read here and there and not
// from its start to its end: on disk it is read where it lies, and a stream is
// first copied to a temporary file without a name.
type region struct {
	pass    *pass
	at      io.ReaderAt
	size    int64
	counted bool // its bytes are counted as read
}

// ReadAt reads under the context of the pass and tells it of failures.
func (b *region) ReadAt(p []byte, off int64) (int, error) {
	if err := b.pass.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.at.ReadAt(p, off)
	if err != nil && err != io.EOF {
		b.pass.fault.set(err)
	}
	return n, err
}

// section returns a part of the region.
func (b *region) section(x extent) *region {
	n := x.to - x.from
	return &region{b.pass, io.NewSectionReader(b.at, x.from, n), n, b.counted}
}

// reader reads the region from its start to its end.
func (b *region) reader() io.Reader {
	r := io.NewSectionReader(b.at, 0, b.size)
	if b.counted {
		return r
	}
	b.counted = true
	return &source{pass: b.pass, r: r, size: b.size}
}

// digest reads the region once more, from its start to its end.
func (b *region) digest() (v1.Hash, error) {
	m := newMeter(b.reader())
	if _, err := io.Copy(io.Discard, m); err != nil {
		return v1.Hash{}, err
	}
	return m.sum().Hash(), nil
}

// firstNonZero returns where in a range the first byte is that is not zero, or
// -1.
func (b *region) firstNonZero(x extent) (int64, error) {
	buf := make([]byte, min(128<<10, max(0, x.to-x.from)))
	for at := x.from; at < x.to; {
		n, err := b.ReadAt(buf[:min(int64(len(buf)), x.to-at)], at)
		if i := firstNonZero(buf[:n]); i >= 0 {
			return at + int64(i), nil
		}
		if err != nil {
			return -1, err
		}
		at += int64(n)
	}
	return -1, nil
}

// An extent is a part of a file, from one byte to before another.
type extent struct{ from, to int64 }
