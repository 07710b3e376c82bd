package inspect

import (
	"fmt"
	"io"
	"os"

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

// needsRegion tells by the first bytes of a file whether it is of a form that
// cannot be read as a stream: SquashFS, SIF or "".
func needsRegion(head []byte) Transport {
	switch {
	case len(head) >= 4 && string(head[:4]) == squashfsMagic:
		return SquashFS
	case isSIF(head):
		return SIF
	}
	return ""
}

// regionHead is how many bytes needsRegion wants.
const regionHead = 64

// wantsRegion says whether a form that was asked for, and what the first bytes
// are, make a file one to be read here and there.
func (f form) wantsRegion(head []byte) (Transport, error) {
	found := needsRegion(head)
	switch f.transport {
	case "", found:
		return found, nil
	case SquashFS, SIF:
		return "", &FormatError{"the file", fmt.Errorf("its first bytes are not those of a %s", f.transport)}
	}
	return "", nil
}

// openDisk reads a file of a form that needs random access where it lies; ok
// is false when it is of another form.
func (p *pass) openDisk(file *os.File, info os.FileInfo, f form) (img *Image, ok bool, err error) {
	if !info.Mode().IsRegular() {
		return nil, false, nil
	}
	head := make([]byte, regionHead)
	n, err := file.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, false, err
	}
	found, err := f.wantsRegion(head[:n])
	if found == "" || err != nil {
		return nil, false, nil // it may be packed; the stream will tell
	}
	if img, err = p.readRegion(&region{pass: p, at: file, size: info.Size()}, found); err == nil {
		img.Compression = None
	}
	return img, true, err
}

// openSpooled reads a stream of a form that needs random access.
func (p *pass) openSpooled(r io.Reader, t Transport) (*Image, error) {
	s := &spool{dir: p.opt.TempDir}
	defer s.Close()
	n, err := io.Copy(s, r)
	if fatal := p.fatal(err); fatal != nil {
		return nil, fatal
	}
	if err != nil {
		return nil, &FormatError{"the file", err}
	}
	return p.readRegion(&region{pass: p, at: s, size: n, counted: true}, t)
}

func (p *pass) readRegion(b *region, t Transport) (*Image, error) {
	if t == SIF {
		return p.readSIF(b)
	}
	return p.readSquashfs(b)
}
