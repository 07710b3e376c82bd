package inspect

import (
	"context"
	"io"
	"os"
)

// A source is where the bytes of an image come from: it counts them, reports
// progress, heeds cancellation and remembers its own failure, so that it is
// not mistaken for a fault of the image.
type source struct {
	ctx      context.Context
	r        io.Reader
	size     int64 // 0 when unknown
	n        int64
	told     int64
	progress func(read, size int64)
	err      error
	close    func() error
}

// progressStep is how many bytes lie between two calls of Options.Progress.
const progressStep = 4 << 20

func openSource(ctx context.Context, path string, opt Options) (*source, error) {
	if path == "-" {
		return &source{ctx: ctx, r: os.Stdin, progress: opt.Progress, close: func() error { return nil }}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &source{ctx: ctx, r: f, size: info.Size(), progress: opt.Progress, close: f.Close}, nil
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	s.n += int64(n)
	if s.progress != nil && s.n-s.told >= progressStep {
		s.told = s.n
		s.progress(s.n, s.size)
	}
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
