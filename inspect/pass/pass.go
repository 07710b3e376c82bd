package pass

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/digest/sha256mb"
	"audit/inspect/limit"
	"audit/inspect/store"
)

// A Pass is one reading of an image, with what all its parts share: the
// limits, and how much of them is used up. Layers of their own are read at the
// same time, so everything in it may be used by several goroutines.
type Pass struct {
	Ctx    context.Context
	Opt    Options
	Limits limit.Limits
	Once   bool // the source cannot be read a second time, or this is the second
	Hashes *store.Budget
	Copies *Copies // of layers that came as a stream; nil when none are wanted

	// Only, when set, says that nothing but contents that Keep asks for is of
	// interest, and of which layers: the others are not read, no layer is hashed, and
	// no store item is looked into.
	Only func(member string) bool

	read     atomic.Int64  // bytes of the sources
	grown    atomic.Int64  // bytes that came out of expanding
	kept     atomic.Int64  // bytes of bodies and documents
	optional atomic.Int64  // bytes of bodies that can be done without
	notes    atomic.Int64  // bytes of notes
	cores    chan struct{} // those that read at the same time
	entries  atomic.Int64
	Texts    atomic.Int64 // bytes of the names and the like of entries
	Frames   atomic.Int64 // compressed bytes of frames
	fault    fault

	tallying sync.Mutex
	tallies  map[string]int64 // of what grew, by layer; nil where nobody is to know
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

// New returns a pass that has read nothing.
func New(ctx context.Context, opt Options) *Pass {
	p := &Pass{Ctx: ctx, Opt: opt, Limits: limit.DefaultLimits(), cores: make(chan struct{}, runtime.GOMAXPROCS(0))}
	if opt.Limits != nil {
		p.Limits = *opt.Limits
	}
	seed := maphash.MakeSeed()
	if opt.Known != nil {
		seed, p.tallies = opt.Known.seed, make(map[string]int64)
	}
	p.Hashes = store.NewBudget(p.Limits.Hashes, opt.Stores, seed)
	if p.Limits.CopyBytes > 0 {
		p.Copies = &Copies{dir: opt.TempDir, left: p.Limits.CopyBytes, kept: make(map[string]*Spool)}
	}
	return p
}

// freeGrowth is what may come out of a few bytes before the ratio counts.
const freeGrowth = 1 << 30

// Grow counts bytes that came out of a compression, a sparse file or a hard
// link, and fails when they are more than an honest image can have.
func (p *Pass) Grow(where string, n int64) error {
	p.tally(where, n)
	grown := p.grown.Add(n)
	if grown > p.Limits.Bytes {
		return &limit.Error{Name: "uncompressed bytes", Limit: p.Limits.Bytes, Where: where}
	}
	if grown > freeGrowth && grown/p.Limits.Ratio > p.read.Load() {
		return &limit.Error{Name: "uncompressed bytes for each byte read", Limit: p.Limits.Ratio, Where: where}
	}
	return nil
}

// StartTally begins to count what grows out of a layer of its own, where others are to
// know it; false where it is not counted.
func (p *Pass) StartTally(where string) bool {
	p.tallying.Lock()
	defer p.tallying.Unlock()
	if _, ok := p.tallies[where]; ok || p.tallies == nil {
		return false
	}
	p.tallies[where] = 0
	return true
}

// Tally is what has grown out of a layer.
func (p *Pass) Tally(where string) int64 {
	p.tallying.Lock()
	defer p.tallying.Unlock()
	return p.tallies[where]
}

func (p *Pass) tally(where string, n int64) {
	if p.Opt.Known == nil {
		return
	}
	p.tallying.Lock()
	defer p.tallying.Unlock()
	if _, ok := p.tallies[where]; ok {
		p.tallies[where] += n
	}
}

// Charge returns a function that counts memory which a stream asks for as
// growth: clearing it costs as much as filling it.
func (p *Pass) Charge(where string) func(n int64) error {
	return func(n int64) error { return p.Grow(where, n) }
}

// AddEntries counts entries, each as often as a layer of the image has it.
func (p *Pass) AddEntries(where string, n int) error {
	if p.entries.Add(int64(n)) > int64(p.Limits.Entries) {
		return &limit.Error{Name: "entries", Limit: int64(p.Limits.Entries), Where: where}
	}
	return nil
}

// maxLayers is far above the 127 that engines can stack.
const maxLayers = 4096

// CheckLayers returns a [limit.Error] when an image has more layers than are read.
func CheckLayers(n int) error {
	if n > maxLayers {
		return &limit.Error{Name: "layers", Limit: maxLayers, Where: "the image"}
	}
	return nil
}

// Keep counts bytes that stay in memory.
func (p *Pass) Keep(where string, n int64) error {
	if p.kept.Add(n) > p.Limits.KeptBytes {
		return &limit.Error{Name: "kept bytes", Limit: p.Limits.KeptBytes, Where: where}
	}
	return nil
}

// KeepOptional counts bytes that may stay in memory, and says whether they may yet.
func (p *Pass) KeepOptional(n int64) bool {
	return p.optional.Add(n) <= p.Limits.OptionalBytes
}

// KeepNote counts bytes of a note, and says whether it may stay yet.
func (p *Pass) KeepNote(n int64) bool { return p.notes.Add(n) <= p.Limits.NoteBytes }

// DropsNotes says at the end of the pass that the notes were more than may be kept.
func (p *Pass) DropsNotes() bool { return p.notes.Load() > p.Limits.NoteBytes }

// DropsOptional says that what can be done without was more than may be kept. It is
// known at the end of the pass, so that it does not depend on what was read first.
func (p *Pass) DropsOptional() bool { return p.optional.Load() > p.Limits.OptionalBytes }

// Bounded returns r under the limits of grow.
func (p *Pass) Bounded(where string, r io.Reader) io.Reader {
	return &boundedReader{p, where, r}
}

// Expanded returns what came out of a compression under the limits of grow; no
// bytes grow out of None.
func (p *Pass) Expanded(where string, c compression.Kind, r io.Reader) io.Reader {
	if c == compression.None {
		return r
	}
	return p.Bounded(where, r)
}

type boundedReader struct {
	p     *Pass
	where string
	r     io.Reader
}

func (b *boundedReader) Read(buf []byte) (int, error) {
	n, err := b.r.Read(buf)
	if limit := b.p.Grow(b.where, int64(n)); limit != nil {
		return n, limit
	}
	return n, err
}

// Fatal returns an error when no reading can go on after err: a limit, a
// cancellation, or a fault of the source or of this machine, as opposed to
// bytes that are not what they should be.
func (p *Pass) Fatal(err error) error {
	if err == nil {
		return nil
	}
	if e := p.Ctx.Err(); e != nil {
		return e
	}
	var limit *limit.Error
	if errors.As(err, &limit) {
		return limit
	}
	var broken *spoolError
	if errors.As(err, &broken) {
		return broken
	}
	if errors.Is(err, ErrDropped) {
		return ErrDropped
	}
	return p.fault.get()
}

// Take waits for a core to read something on at the same time as the rest, such as a
// layer. It is to be released.
func (p *Pass) Take() { p.cores <- struct{}{} }

// Spare takes a core that nobody waits for, if there is one, and says whether it did.
func (p *Pass) Spare() bool {
	select {
	case p.cores <- struct{}{}:
		return true
	default:
		return false
	}
}

// Release gives a core back.
func (p *Pass) Release() { <-p.cores }

// Meter returns a meter of a layer, which only counts when nobody asks for
// digests.
func (p *Pass) Meter(r io.Reader) *digest.Meter {
	if p.Only != nil {
		return &digest.Meter{R: r}
	}
	return digest.NewMeter(r)
}

// MeterIn is Meter whose digest is computed with the others of g.
func (p *Pass) MeterIn(g *sha256mb.Group, r io.Reader) *digest.Meter {
	if p.Only != nil {
		return &digest.Meter{R: r}
	}
	return digest.NewMeterIn(g, r)
}

// ErrDropped says that contents are needed which the spool has no more.
var ErrDropped = errors.New("the contents of an earlier store item are needed again")
