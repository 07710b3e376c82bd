package inspect

import (
	"context"
	"io"
	"os"
	"sync/atomic"
)

// A source is where the bytes of an image come from: it counts them, reports
// progress, heeds cancellation and tells the pass of its own failure.
type source struct {
	pass  *pass
	r     io.Reader
	size  int64        // 0 when unknown
	n     atomic.Int64 // bytes read, those of its sections included
	quiet int64        // bytes read since progress was reported
	whole *source      // what this is a section of; nil when it is none
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

// section returns the n bytes from off on of a source that can be read again,
// to be read at the same time as others: as a source, which counts them, and as
// what that one reads.
func (s *source) section(off, n int64) (*source, *io.SectionReader) {
	r := io.NewSectionReader(s.at(), off, n)
	return &source{pass: s.pass, r: r, whole: s}, r
}

func (s *source) Read(buf []byte) (int, error) {
	if err := s.pass.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(buf)
	s.count(int64(n))
	if err != nil && err != io.EOF {
		s.pass.fault.set(err)
	}
	return n, err
}

func (s *source) count(n int64) {
	whole := s
	if s.whole != nil {
		whole = s.whole
	}
	read := whole.n.Add(n)
	s.pass.read.Add(n)
	if s.quiet += n; s.quiet >= progressStep && s.pass.opt.Progress != nil {
		s.quiet = 0
		s.pass.opt.Progress(read, whole.size)
	}
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
