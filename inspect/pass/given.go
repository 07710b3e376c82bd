package pass

import (
	"context"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/digest"
	"audit/inspect/digest/sha256mb"
)

// A Given is the digest of a file as it was given, of which forms read this and that.
// Where one of its parts is most of it, whoever reads that carries the digest, which
// is computed together with those of the part; the rest is read once more for it, in
// a goroutine of its own.
type Given struct {
	ctx     context.Context
	cancel  context.CancelFunc
	file    io.ReaderAt
	size    int64
	lane    *sha256mb.Lane
	at      int64         // what is before is in the lane
	carried bool          // somebody carries it, or has
	part    int64         // where the part begins that is read with it
	done    chan struct{} // of the goroutine; nil before it is started
	err     error
}

// NewGiven returns the digest of a file of size bytes, nil where nobody asks for
// digests. It is to be stopped.
func NewGiven(p *Pass, file io.ReaderAt, size int64) *Given {
	if p.Only != nil {
		return nil
	}
	g := &Given{file: file, size: size, lane: sha256mb.NewGroup().NewLane()}
	g.ctx, g.cancel = context.WithCancel(p.Ctx)
	return g
}

// nearBytes is how much of the file may lie before the part that carries the digest,
// or behind it, to be read when there is need of it.
const nearBytes = 1 << 20

// Carry is called for the larger parts of the file, in their order. It returns g where
// the reading of this one is to carry the digest, else nil.
func (g *Given) Carry(off, size int64) *Given {
	switch {
	case g == nil || g.carried || g.done != nil:
		return nil
	case size < g.size/2 || off > nearBytes:
		g.start()
		return nil
	}
	g.carried, g.part = true, off
	return g
}

// Lane returns the lane, now one of group, for what is read of the part from its start
// to its end: nil when g is.
func (g *Given) Lane(group *sha256mb.Group) (*sha256mb.Lane, error) {
	if g == nil {
		return nil, nil
	}
	if err := g.read(g.part); err != nil {
		return nil, err
	}
	g.lane.Move(group)
	return g.lane, nil
}

// Return ends the carrying: n bytes went into the lane.
func (g *Given) Return(n int64) {
	if g == nil {
		return
	}
	g.lane.Move(sha256mb.NewGroup())
	if g.at += n; g.size-g.at > nearBytes {
		g.start()
	}
}

// start reads the rest in a goroutine.
func (g *Given) start() {
	g.done = make(chan struct{})
	go func() {
		defer close(g.done)
		g.err = g.read(g.size)
	}()
}

// read hashes what lies before to.
func (g *Given) read(to int64) error {
	r := underContext{g.ctx, io.NewSectionReader(g.file, g.at, to-g.at)}
	n, err := io.CopyBuffer(struct{ io.Writer }{g.lane}, r, make([]byte, min(1<<20, to-g.at+1)))
	if g.at += n; err != nil {
		return fmt.Errorf("computing the digest of the file: %w", err)
	}
	return nil
}

// Digest returns the digest of the whole file.
func (g *Given) Digest() (v1.Hash, error) {
	if g.done == nil {
		g.err = g.read(g.size)
	} else {
		<-g.done
	}
	if g.err != nil {
		return v1.Hash{}, g.err
	}
	return digest.Sum(g.lane.Finish()).Hash(), nil
}

// Stop ends the reading, after which the file may be closed.
func (g *Given) Stop() {
	if g == nil {
		return
	}
	g.cancel()
	if g.done != nil {
		<-g.done
	}
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
