package pass

import (
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/digest"
	"audit/inspect/zeros"
)

// A Region is a file, or a part of one, that is read here and there and not
// from its start to its end: on disk it is read where it lies, and a stream is
// first copied to a temporary file without a name.
type Region struct {
	Pass    *Pass
	At      io.ReaderAt
	Size    int64
	Counted bool // its bytes are counted as read
}

// ReadAt reads under the context of the pass and reports failures to it.
func (b *Region) ReadAt(p []byte, off int64) (int, error) {
	if err := b.Pass.Ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.At.ReadAt(p, off)
	if err != nil && err != io.EOF {
		b.Pass.fault.set(err)
	}
	return n, err
}

// Section returns a part of the region.
func (b *Region) Section(x Extent) *Region {
	n := x.To - x.From
	return &Region{b.Pass, io.NewSectionReader(b.At, x.From, n), n, b.Counted}
}

// Reader reads the region from its start to its end.
func (b *Region) Reader() io.Reader {
	r := io.NewSectionReader(b.At, 0, b.Size)
	if b.Counted {
		return r
	}
	b.Counted = true
	return &Stream{Pass: b.Pass, R: r, Size: b.Size}
}

// Digest reads the region once more, from its start to its end.
func (b *Region) Digest() (v1.Hash, error) {
	m := digest.NewMeter(b.Reader())
	if _, err := io.Copy(io.Discard, m); err != nil {
		return v1.Hash{}, err
	}
	return m.Sum().Hash(), nil
}

// FirstNonZero returns where in a range the first byte is that is not zero, or
// -1.
func (b *Region) FirstNonZero(x Extent) (int64, error) {
	buf := make([]byte, min(128<<10, max(0, x.To-x.From)))
	for at := x.From; at < x.To; {
		n, err := b.ReadAt(buf[:min(int64(len(buf)), x.To-at)], at)
		if i := zeros.First(buf[:n]); i >= 0 {
			return at + int64(i), nil
		}
		if err != nil {
			return -1, err
		}
		at += int64(n)
	}
	return -1, nil
}

// An Extent is a part of a file, from one byte to before another.
type Extent struct{ From, To int64 }
