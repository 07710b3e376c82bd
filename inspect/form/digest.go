package form

import (
	"context"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/digest"
	"audit/inspect/pass"
)

// digest returns the SHA-256 digest of the file or stream as it was given. What no
// form had to read of a stream is read here, so that the digest is that of all of it.
func (in *Input) digest() (v1.Hash, error) {
	c := in.content
	if c.apart != nil {
		return c.apart.digest()
	}
	if c.given == nil {
		return v1.Hash{}, nil
	}
	c.ahead.Close() // now c.rest is read here
	if _, err := io.Copy(io.Discard, c.rest); err != nil {
		return v1.Hash{}, fmt.Errorf("reading the file to its end: %w", err)
	}
	return c.given.Sum().Hash(), nil
}

// An apart is the digest of a file that forms read here and there, computed from
// its start to its end at the same time.
type apart struct {
	meter  *digest.Meter
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// digestApart begins to compute the digest of a file of size bytes. It is nil where
// nobody asks for digests.
func digestApart(p *pass.Pass, file io.ReaderAt, size int64) *apart {
	if p.Only != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(p.Ctx)
	a := &apart{cancel: cancel, done: make(chan struct{})}
	a.meter = digest.NewMeter(underContext{ctx, io.NewSectionReader(file, 0, size)})
	go func() {
		defer close(a.done)
		_, a.err = io.CopyBuffer(io.Discard, a.meter, make([]byte, 1<<20))
	}()
	return a
}

// digest waits for the digest.
func (a *apart) digest() (v1.Hash, error) {
	<-a.done
	if a.err != nil {
		return v1.Hash{}, fmt.Errorf("computing the digest of the file: %w", a.err)
	}
	return a.meter.Sum().Hash(), nil
}

// stop ends the reading, after which the file may be closed.
func (a *apart) stop() {
	a.cancel()
	<-a.done
}

// underContext reads until ctx is done.
type underContext struct {
	ctx context.Context
	r   io.Reader
}

func (u underContext) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
