package layers

import (
	"bufio"
	"io"
	"os"

	"audit/inspect/digest/sha256mb"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
)

// recall looks for a layer that was read before, for another image. The blob r is
// hashed where it can be read again, in at, and where one of its size is known. It
// returns the layer, or nil and what to read the blob from; where that is not r, the
// digest of the file was carried.
func recall(given *pass.Given, p *pass.Pass, where string, r *bufio.Reader, at io.ReaderAt) (*image.Layer, *bufio.Reader, error) {
	size := sizeOf(at)
	if p.Only != nil || size < 0 || !p.Opt.Known.HasSize(size) {
		return nil, r, nil
	}
	group := sha256mb.NewGroup()
	blob := p.MeterIn(group, r)
	var err error
	if blob.Also, err = given.Lane(group); err != nil {
		return nil, nil, err
	}
	defer func() { given.Return(blob.N) }()
	if _, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{blob}, make([]byte, 128<<10)); err != nil {
		return nil, nil, err
	}
	sum := blob.Sum().Hash()
	if known := p.Opt.Known.Find(sum, p.Hashes.Dirs); known != nil && blob.N == size && suffices(p, known.Layer) {
		layer, err := again(p, where, known)
		return layer, nil, err
	}
	region := &pass.Region{Pass: p, At: at, Size: size}
	return nil, bufio.NewReaderSize(io.NewSectionReader(region, 0, size), 128<<10), nil
}

// sizeOf is the size of a file or of a part of one, -1 where it is not known.
func sizeOf(at io.ReaderAt) int64 {
	switch at := at.(type) {
	case *io.SectionReader:
		return at.Size()
	case *os.File:
		if info, err := at.Stat(); err == nil {
			return info.Size()
		}
	}
	return -1
}

// suffices says whether all that is asked for was kept of a layer.
func suffices(p *pass.Pass, l *image.Layer) bool {
	if p.Opt.Watch != nil && !l.Watched {
		return false
	}
	s := Sink{pass: p}
	if p.Opt.Weak != nil {
		s.wants = p.Opt.Weak()
	}
	for i, e := range l.Entries {
		if kinds := s.kinds(e); p.Opt.Weak != nil && !isHeaderOnly(e.Type) && kinds != l.Weak(i).Kinds {
			return false
		}
		if !isHeaderOnly(e.Type) && p.Opt.Keep != nil && p.Opt.Keep(e.Path) {
			if _, ok := l.Kept(e.Digest); !ok {
				return false
			}
		}
	}
	return true
}

// again makes of a layer one of this image, which costs the image what it cost before.
func again(p *pass.Pass, where string, known *pass.KnownLayer) (*image.Layer, error) {
	l := known.Layer.Again(where)
	if err := charge(p, l, known.Cost); err != nil {
		return nil, err
	}
	if p.Opt.Weak == nil {
		l.DropWeak()
	}
	for _, e := range l.Entries {
		if isHeaderOnly(e.Type) {
			continue
		}
		body := newBody(p, where, e)
		if body == nil {
			continue
		}
		content, _ := known.Layer.Kept(e.Digest)
		if err := body.write(content); err != nil {
			return nil, err
		}
		l.KeepBody(e, body.data, body.optional)
	}
	return l, nil
}

func charge(p *pass.Pass, l *image.Layer, cost pass.Cost) error {
	if err := p.AddEntries(l.Member, len(l.Entries)); err != nil {
		return err
	}
	for _, e := range l.Entries {
		if n := max(len(e.Name()), len(e.Linkname)); n > p.Limits.PathBytes {
			return &limit.Error{Name: "path bytes", Limit: int64(p.Limits.PathBytes), Where: l.Member}
		}
	}
	if p.Texts.Add(cost.Texts) > p.Limits.TextBytes {
		return &limit.Error{Name: "bytes of names, link targets and extended attributes", Limit: p.Limits.TextBytes, Where: l.Member}
	}
	if p.Frames.Add(cost.Frames) > p.Limits.FrameBytes {
		return &limit.Error{Name: "frame bytes", Limit: p.Limits.FrameBytes, Where: l.Member}
	}
	p.Hashes.Spend(cost.Hashes)
	return p.Grow(l.Member, cost.Grown)
}

// remember keeps a layer for other images.
func remember(p *pass.Pass, l *image.Layer, cost pass.Cost) {
	if p.Opt.Known == nil || p.Only != nil || p.Hashes.IsOverdrawn() {
		return
	}
	cost.Hashes = l.Stores.Cost()
	p.Opt.Known.Add(l, cost, p.Hashes.Dirs)
}
