package pass

import (
	"io"
	"os"
	"sync/atomic"
)

// A Source is where the bytes of an image come from: it counts them, reports
// progress, obeys cancellation and reports its own failure to the pass.
type Source struct {
	Pass  *Pass
	R     io.Reader
	Size  int64        // 0 when unknown
	n     atomic.Int64 // bytes read, those of its sections included
	quiet int64        // bytes read since progress was reported
	whole *Source      // what this is a section of; nil when it is none

	// Given is the digest of a file that is read here and there; nil where it is read
	// from its start to its end.
	Given *Given
}

// progressStep is how many bytes lie between two calls of Options.Progress.
const progressStep = 4 << 20

// At returns the source as one that can be read again, nil when it cannot.
func (s *Source) At() io.ReaderAt {
	if f, ok := s.R.(*os.File); ok && s.Size > 0 {
		return f
	}
	return nil
}

// Section returns the n bytes from off on of a source that can be read again,
// to be read at the same time as others: as a source, which counts them, and as
// what that one reads.
func (s *Source) Section(off, n int64) (*Source, *io.SectionReader) {
	r := io.NewSectionReader(s.At(), off, n)
	return &Source{Pass: s.Pass, R: r, whole: s}, r
}

func (s *Source) Read(buf []byte) (int, error) {
	if err := s.Pass.Ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.R.Read(buf)
	s.count(int64(n))
	if err != nil && err != io.EOF {
		s.Pass.fault.set(err)
	}
	return n, err
}

func (s *Source) count(n int64) {
	whole := s
	if s.whole != nil {
		whole = s.whole
	}
	read := whole.n.Add(n)
	s.Pass.read.Add(n)
	if s.quiet += n; s.quiet >= progressStep && s.Pass.Opt.Progress != nil {
		s.quiet = 0
		s.Pass.Opt.Progress(read, whole.Size)
	}
}
