package inspect

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// A pass is one reading of an image, with what all its parts share: the
// limits, and how much of them is used up. Layers of their own are read at the
// same time, so everything in it may be used by several goroutines.
type pass struct {
	ctx    context.Context
	opt    Options
	limits Limits
	once   bool // the source cannot be read a second time, or this is the second
	hashes *budget

	read    atomic.Int64 // bytes of the sources
	grown   atomic.Int64 // bytes that came out of expanding
	kept    atomic.Int64 // bytes of bodies and documents
	entries atomic.Int64
	texts   atomic.Int64 // bytes of the names and the like of entries
	frames  atomic.Int64 // compressed bytes of frames
	fault   fault
}

// A fault is the first failure of a source, such as a disk or a network: it
// must not be mistaken for a fault of the image.
type fault struct {
	sync.Mutex
	err error
}

func (f *fault) set(err error) {
	f.Lock()
	defer f.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *fault) get() error {
	f.Lock()
	defer f.Unlock()
	return f.err
}

func newPass(ctx context.Context, opt Options) *pass {
	p := &pass{ctx: ctx, opt: opt, limits: DefaultLimits()}
	if opt.Limits != nil {
		p.limits = *opt.Limits
	}
	p.hashes = newBudget(p.limits.Hashes)
	return p
}

// freeGrowth is what may come out of a few bytes before the ratio counts.
const freeGrowth = 1 << 30

// grow counts bytes that came out of a compression, a sparse file or a hard
// link, and fails when they are more than an honest image can have.
func (p *pass) grow(where string, n int64) error {
	grown := p.grown.Add(n)
	if grown > p.limits.Bytes {
		return &LimitError{"uncompressed bytes", p.limits.Bytes, where}
	}
	if grown > freeGrowth && grown/p.limits.Ratio > p.read.Load() {
		return &LimitError{"uncompressed bytes for each byte read", p.limits.Ratio, where}
	}
	return nil
}

// charge returns a function that counts memory which a stream asks for as
// growth: clearing it costs as much as filling it.
func (p *pass) charge(where string) func(n int64) error {
	return func(n int64) error { return p.grow(where, n) }
}

// addEntries counts entries, each as often as a layer of the image has it.
func (p *pass) addEntries(where string, n int) error {
	if p.entries.Add(int64(n)) > int64(p.limits.Entries) {
		return &LimitError{"entries", int64(p.limits.Entries), where}
	}
	return nil
}

// maxLayers is far above the 127 that engines can stack.
const maxLayers = 4096

func checkLayers(n int) error {
	if n > maxLayers {
		return &LimitError{"layers", maxLayers, "the image"}
	}
	return nil
}

// keep counts bytes that stay in memory.
func (p *pass) keep(where string, n int64) error {
	if p.kept.Add(n) > p.limits.KeptBytes {
		return &LimitError{"kept bytes", p.limits.KeptBytes, where}
	}
	return nil
}

// bounded returns r under the limits of grow.
func (p *pass) bounded(where string, r io.Reader) io.Reader {
	return &boundedReader{p, where, r}
}

// expanded returns what came out of a compression under the limits of grow; no
// bytes grow out of None.
func (p *pass) expanded(where string, c Compression, r io.Reader) io.Reader {
	if c == None {
		return r
	}
	return p.bounded(where, r)
}

type boundedReader struct {
	p     *pass
	where string
	r     io.Reader
}

func (b *boundedReader) Read(buf []byte) (int, error) {
	n, err := b.r.Read(buf)
	if limit := b.p.grow(b.where, int64(n)); limit != nil {
		return n, limit
	}
	return n, err
}

// fatal returns an error when no reading can go on after err: a limit, a
// cancellation, or a fault of the source or of this machine, as opposed to
// bytes that are not what they should be.
func (p *pass) fatal(err error) error {
	if err == nil {
		return nil
	}
	if e := p.ctx.Err(); e != nil {
		return e
	}
	var limit *LimitError
	if errors.As(err, &limit) {
		return limit
	}
	var broken *spoolError
	if errors.As(err, &broken) {
		return broken
	}
	if errors.Is(err, errDropped) {
		return errDropped
	}
	return p.fault.get()
}

// newMeter returns a meter of a layer, which only counts when nobody asks for
// digests.
func (p *pass) newMeter(r io.Reader) *meter {
	if p.opt.KeepOnly {
		return &meter{r: r}
	}
	return newMeter(r)
}
