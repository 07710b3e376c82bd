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

// at returns the source as one that can be read again, nil when it cannot.
func (s *source) at() io.ReaderAt {
	if f, ok := s.r.(*os.File); ok && s.size > 0 {
		return f
	}
	return nil
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
