package inspect

import (
	"context"
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

// interruptible returns a reader of r whose Read returns when ctx is done even
// though r waits for a pipe or a person.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	go func() {
		buf := make([]byte, 256<<10)
		_, err := io.CopyBuffer(struct{ io.Writer }{in}, struct{ io.Reader }{r}, buf)
		in.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })
	return out
}
