package inspect

import (
	"fmt"
	"io"
	"os"
)

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
