package inspect

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"hash/maphash"
	"io"
)

// A pass is one reading of an image, with what all its parts share: the
// limits and how much of them is used up.
type pass struct {
	ctx     context.Context
	opt     Options
	limits  Limits
	tempDir string
	src     *source
	buf     []byte
	hashes  budget
	names   map[string]string // user and group names, each kept once

	entries int
	grown   int64 // bytes that came out of expanding
	kept    int64 // bytes of bodies
}

func newPass(ctx context.Context, src *source, opt Options) *pass {
	p := &pass{ctx: ctx, opt: opt, limits: DefaultLimits(), tempDir: opt.TempDir, src: src, buf: make([]byte, 128<<10), names: make(map[string]string)}
	if opt.Limits != nil {
		p.limits = *opt.Limits
	}
	p.hashes = budget{left: p.limits.Hashes, seed: maphash.MakeSeed()}
	return p
}

func newSum() hash.Hash { return sha256.New() }

// freeGrowth is what may come out of a few bytes before the ratio counts.
const freeGrowth = 64 << 20

// expand counts bytes that came out of a compression, a sparse file or a hard
// link, and fails when they are more than an honest image can have.
func (p *pass) expand(where string, n int64) error {
	p.grown += n
	if p.grown > p.limits.Bytes {
		return &LimitError{"uncompressed bytes", p.limits.Bytes, where}
	}
	if p.grown > freeGrowth && p.grown/p.limits.Ratio > p.src.n {
		return &LimitError{"uncompressed bytes for each byte read", p.limits.Ratio, where}
	}
	return nil
}

// bounded returns r under the limits of expand.
func (p *pass) bounded(where string, r io.Reader) io.Reader {
	return &boundedReader{p, where, r}
}

type boundedReader struct {
	p     *pass
	where string
	r     io.Reader
}

func (b *boundedReader) Read(buf []byte) (int, error) {
	n, err := b.r.Read(buf)
	if limit := b.p.expand(b.where, int64(n)); limit != nil {
		return n, limit
	}
	return n, err
}

// fatal returns err when no reading can go on after it: a limit, a
// cancellation, or a fault of the source itself, as opposed to bytes that are
// not what they should be.
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
	return p.src.err
}

// intern returns s, kept once however often it comes.
func (p *pass) intern(s string) string {
	if kept, ok := p.names[s]; ok {
		return kept
	}
	if len(p.names) < 1000 {
		p.names[s] = s
	}
	return s
}

// A body gathers the content of a file that is wanted.
type body struct {
	pass *pass
	data []byte
}

func (p *pass) body(path string) *body {
	if p.opt.Keep == nil || !p.opt.Keep(path) {
		return nil
	}
	return &body{pass: p, data: []byte{}}
}

func (b *body) write(where string, p []byte) error {
	if b == nil {
		return nil
	}
	b.pass.kept += int64(len(p))
	if b.pass.kept > b.pass.limits.KeptBytes {
		return &LimitError{"kept bytes", b.pass.limits.KeptBytes, where}
	}
	b.data = append(b.data, p...)
	return nil
}

func (l *Layer) keep(path string, b *body) {
	if b == nil {
		return
	}
	if l.bodies == nil {
		l.bodies = make(map[string][]byte)
	}
	l.bodies[path] = b.data
}

// Body returns the content of the entry at path in a layer, when Options.Keep
// asked for it.
func (img *Image) Body(layer int, path string) ([]byte, bool) {
	if layer < 0 || layer >= len(img.Layers) {
		return nil, false
	}
	data, ok := img.Layers[layer].bodies[path]
	return data, ok
}
