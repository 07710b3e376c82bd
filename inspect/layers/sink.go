package layers

import (
	"io"

	"audit/inspect/digest"
	"audit/inspect/digest/sha256mb"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/store"
)

// A Sink learns all there is to learn of the entries of one layer, whatever
// form they come from: the digest of each content, the store items with their
// NARs, the references, and the bodies that are asked for.
type Sink struct {
	pass  *pass.Pass
	where string
	layer *image.Layer
	store *storeReader
	// counted says that contents were counted as growth before they come here,
	// but for the holes of sparse files.
	counted   bool
	scan      store.Scanner
	group     *sha256mb.Group // of the digests that are computed together
	sum       *sha256mb.Lane
	buf       []byte
	names     map[string]bool // user and group names that were counted
	owners    map[owner]*image.Attributes
	textBytes int64         // of all entries
	piece     []image.Entry // that the next entry is put into, so that they are not moved

	wants func(path string) digest.Kinds // nil for none
	weak  *digest.WeakHash
}

// NewSink returns the sink of a layer, which takes its entries in their order.
func NewSink(p *pass.Pass, layer *image.Layer) *Sink {
	return newSink(p, sha256mb.NewGroup(), layer)
}

func newSink(p *pass.Pass, group *sha256mb.Group, layer *image.Layer) *Sink {
	s := &Sink{pass: p, where: layer.Member, layer: layer, store: newStoreReader(p, group, layer.Member),
		group: group, sum: group.NewLane(), buf: make([]byte, 128<<10), names: make(map[string]bool), owners: make(map[owner]*image.Attributes),
		weak: digest.NewWeakHash(layer.SetWeak)}
	layer.Watched = p.Opt.Watch != nil
	if p.Opt.Weak != nil && p.Only == nil {
		s.wants = p.Opt.Weak()
	}
	return s
}

// check compares an entry with the limits. It comes before the content.
func (s *Sink) check(e *image.Entry) error {
	if err := s.pass.AddEntries(s.where, 1); err != nil {
		return err
	}
	if n := max(len(e.Name()), len(e.Linkname)); n > s.pass.Limits.PathBytes {
		return &limit.Error{Name: "path bytes", Limit: int64(s.pass.Limits.PathBytes), Where: s.where}
	}
	texts := s.texts(e)
	s.textBytes += texts
	if s.pass.Texts.Add(texts) > s.pass.Limits.TextBytes {
		return &limit.Error{Name: "bytes of names, link targets and extended attributes", Limit: s.pass.Limits.TextBytes, Where: s.where}
	}
	return nil
}

// texts returns how many bytes of text an entry brings; the names of owners count
// once.
func (s *Sink) texts(e *image.Entry) int64 {
	n := len(e.Name()) + len(e.Linkname)
	for _, name := range []string{e.Attr().Uname, e.Attr().Gname} {
		if s.names[name] {
			continue
		}
		n += len(name)
		if len(s.names) < maxOwners {
			s.names[name] = true
		}
	}
	for key, value := range e.Attr().Xattrs {
		n += len(key) + len(value)
	}
	return int64(n)
}

// maxOwners bounds how many owners of a layer are known by heart.
const maxOwners = 1000

// An owner has what is compared of attributes that entries share.
type owner struct {
	uid, gid           int
	uname, gname       string
	devmajor, devminor int64
	spelling           image.Spelling
}

// share returns a copy of attributes, the same one for most that are equal.
func (s *Sink) share(a *image.Attributes) *image.Attributes {
	if a == nil {
		return nil
	}
	key := owner{a.UID, a.GID, a.Uname, a.Gname, a.Devmajor, a.Devminor, a.Spelling}
	if same := s.owners[key]; same != nil && a.Xattrs == nil {
		return same
	}
	own := new(*a)
	if a.Xattrs == nil && !a.Spelling.Other && len(s.owners) < maxOwners {
		s.owners[key] = own
	}
	return own
}

// keep adds a copy of an entry to the layer.
func (s *Sink) keep(e *image.Entry) {
	if len(s.piece) == cap(s.piece) {
		s.piece = make([]image.Entry, 0, min(max(16, 2*cap(s.piece)), 4096))
	}
	s.piece = append(s.piece, *e)
	kept := &s.piece[len(s.piece)-1]
	kept.Attributes = s.share(e.Attributes)
	s.layer.Entries = append(s.layer.Entries, kept)
}

// Add takes an entry, whose size is a promise, and reads its content to the end.
// It sets the entry's size and digest from what was really read.
func (s *Sink) Add(e *image.Entry, content io.Reader) error {
	if err := s.check(e); err != nil {
		return err
	}
	if s.pass.Only == nil {
		seen, err := s.store.enter(e)
		if err != nil {
			return err
		}
		s.scan.Seen = seen
		s.scanText(e)
	}
	s.weak.Start(len(s.layer.Entries), s.kinds(e), e.Size)
	if isHeaderOnly(e.Type) {
		e.Size = 0
		s.keep(e)
		return nil
	}
	if err := s.content(e, content); err != nil {
		return err
	}
	s.keep(e)
	return nil
}

// kinds are the digests beside SHA-256 that are wanted of an entry's content.
func (s *Sink) kinds(e *image.Entry) digest.Kinds {
	if s.wants == nil || s.pass.Hashes.Dirs.ItemOf(e.Path) != "" {
		return 0
	}
	return s.wants(e.Path)
}

func (s *Sink) content(e *image.Entry, r io.Reader) error {
	s.sum.Reset()
	body, watcher := newBody(s.pass, s.where, e), s.watcher(e)
	e.Size = 0
	for {
		buf := s.weak.Buffer()
		if buf == nil {
			buf = s.buf
		}
		n, err := r.Read(buf)
		if n > 0 {
			if watcher != nil {
				watcher.Watch(buf[:n])
			}
			if err := s.take(e, body, buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if s.pass.Only == nil {
		s.scan.Close()
		e.Digest = s.sum.Finish()
	}
	s.weak.End()
	if watcher != nil {
		if note := watcher.Note(); note != nil && s.pass.KeepNote(int64(len(note))) {
			s.layer.SetNote(e.Digest, note)
		}
	}
	if body != nil {
		if s.pass.Only != nil {
			e.Digest = digest.Of(body.data)
		}
		s.layer.KeepBody(e, body.data, body.optional)
	}
	return nil
}

// watcher returns what reads along a content, nil for nothing.
func (s *Sink) watcher(e *image.Entry) pass.Watcher {
	if s.pass.Opt.Watch == nil || s.pass.Only != nil || e.Type != '0' {
		return nil
	}
	return s.pass.Opt.Watch(e)
}

// take hands a piece of content to all who want it.
func (s *Sink) take(e *image.Entry, body *body, p []byte) error {
	if !s.counted || e.Sparse {
		if err := s.pass.Grow(s.where, int64(len(p))); err != nil {
			return err
		}
	}
	e.Size += int64(len(p))
	if err := body.write(p); err != nil || s.pass.Only != nil {
		return err
	}
	s.sum.Lend(p)
	err := s.store.write(p)
	if err == nil {
		err = s.store.meanwhile(len(p))
	}
	s.group.Run()
	s.weak.Write(p)
	s.scan.Write(p)
	return err
}

// scanText scans the name and link target of an entry; inside a store item
// only what its NAR has of them.
func (s *Sink) scanText(e *image.Entry) {
	s.scan.Seen.From = e.Path
	s.scan.Write([]byte(s.store.relative(e)))
	s.scan.Close()
	if e.Type == '2' || e.Type == '1' && s.pass.Hashes.Dirs.ItemOf(e.Path) == "" {
		s.scan.Write([]byte(e.Linkname))
		s.scan.Close()
	}
}

// KeepAll has the contents of all store items kept until the layer ends.
func (s *Sink) KeepAll() { s.store.once = true }

// Abandon frees what a layer took that is not read to its end.
func (s *Sink) Abandon() { s.store.close() }

// Close ends the layer: now its NARs can be hashed.
func (s *Sink) Close() error {
	defer s.store.close()
	s.weak.Flush()
	return s.store.finish(s.layer)
}

// A body gathers the content of a file that is wanted.
type body struct {
	pass     *pass.Pass
	where    string
	data     []byte
	optional bool
}

// maxPromised bounds the room that is made for a content because of the size in its
// header. Only the last of a tar can be shorter.
const maxPromised = 8 << 20

// newBody returns nil where the content is not wanted.
func newBody(p *pass.Pass, where string, e *image.Entry) *body {
	if p.Opt.Keep == nil || !p.Opt.Keep(e.Path) {
		return nil
	}
	return &body{pass: p, where: where + ": " + e.Name(), data: make([]byte, 0, min(max(e.Size, 0), maxPromised)),
		optional: p.Opt.Optional != nil && p.Opt.Optional(e.Path)}
}

func (b *body) write(p []byte) error {
	switch {
	case b == nil:
		return nil
	case b.optional && !b.pass.KeepOptional(int64(len(p))):
		b.data = nil // what comes is counted and not kept
		return nil
	case !b.optional:
		if err := b.pass.Keep(b.where, int64(len(p))); err != nil {
			return err
		}
	}
	b.data = append(b.data, p...)
	return nil
}
