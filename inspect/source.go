package inspect

import (
	"io"
	"os"
)

// A source is where the bytes of an image come from: it counts them, reports
// progress, heeds cancellation and tells the pass of its own failure.
type source struct {
	pass *pass
	r    io.Reader
	size int64 // 0 when unknown
	n    int64
	told int64
}

// progressStep is how many bytes lie between two calls of Options.Progress.
const progressStep = 4 << 20

// openFile opens a file, or standard input for "-".
func (p *pass) openFile(path string) (*source, func() error, error) {
	if path == "-" {
		return &source{pass: p, r: os.Stdin}, func() error { return nil }, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return &source{pass: p, r: f, size: info.Size()}, f.Close, nil
}

func (s *source) Read(buf []byte) (int, error) {
	if err := s.pass.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(buf)
	s.n += int64(n)
	s.pass.read.Add(int64(n))
	if s.pass.opt.Progress != nil && s.n-s.told >= progressStep {
		s.told = s.n
		s.pass.opt.Progress(s.n, s.size)
	}
	if err != nil && err != io.EOF {
		s.pass.fault.set(err)
	}
	return n, err
}
