package inspect

import (
	"crypto/sha256"
	"hash"
	"io"
)

// A sink learns all there is to learn of the entries of one layer, whatever
// form they come from: the digest of each content, the store items with their
// NARs, the references, and the bodies that are asked for.
type sink struct {
	pass  *pass
	where string
	layer *Layer
	store *storeReader
	// counted says that contents were counted as growth before they come here,
	// but for the holes of sparse files.
	counted bool
	scan    scanner
	sum     hash.Hash
	buf     []byte
	names   map[string]string // user and group names, each kept once
}

func (p *pass) newSink(layer *Layer) *sink {
	return &sink{pass: p, where: layer.Member, layer: layer, store: newStoreReader(p, layer.Member), sum: sha256.New(), buf: make([]byte, 128<<10), names: make(map[string]string)}
}

// check holds an entry against the limits. It comes before the content.
func (s *sink) check(e *Entry) error {
	if err := s.pass.addEntries(s.where, 1); err != nil {
		return err
	}
	if n := max(len(e.Name), len(e.Linkname)); n > s.pass.limits.PathBytes {
		return &LimitError{"path bytes", int64(s.pass.limits.PathBytes), s.where}
	}
	if s.pass.texts.Add(s.texts(e)) > s.pass.limits.TextBytes {
		return &LimitError{"bytes of names, link targets and extended attributes", s.pass.limits.TextBytes, s.where}
	}
	return nil
}

// texts returns how many bytes of text an entry brings, and keeps the names of
// owners once.
func (s *sink) texts(e *Entry) int64 {
	n := len(e.Name) + len(e.Linkname)
	for _, owner := range []*string{&e.Uname, &e.Gname} {
		if kept, ok := s.names[*owner]; ok {
			*owner = kept
			continue
		}
		n += len(*owner)
		if len(s.names) < 1000 {
			s.names[*owner] = *owner
		}
	}
	for key, value := range e.Xattrs {
		n += len(key) + len(value)
	}
	return int64(n)
}

// add takes an entry, whose size is a promise, and reads its content to the end.
// It sets the entry's size and digest from what was really read.
func (s *sink) add(e *Entry, content io.Reader) error {
	if err := s.check(e); err != nil {
		return err
	}
	if !s.pass.opt.KeepOnly {
		seen, err := s.store.enter(e)
		if err != nil {
			return err
		}
		s.scan.seen = seen
		s.scanText(e)
	}
	if isHeaderOnly(e.Type) {
		e.Size = 0
		s.layer.Entries = append(s.layer.Entries, *e)
		return nil
	}
	if err := s.content(e, content); err != nil {
		return err
	}
	s.layer.Entries = append(s.layer.Entries, *e)
	return nil
}

func (s *sink) content(e *Entry, r io.Reader) error {
	s.sum.Reset()
	e.Size = 0
	body := s.pass.body(e.Path)
	for {
		n, err := r.Read(s.buf)
		if n > 0 {
			if err := s.take(e, body, s.buf[:n]); err != nil {
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
	if !s.pass.opt.KeepOnly {
		s.scan.close()
		e.Digest = sumOf(s.sum)
	}
	s.layer.keep(e.Path, body)
	return nil
}

// take hands a piece of content to all who want it.
func (s *sink) take(e *Entry, body *body, p []byte) error {
	if !s.counted || e.Sparse {
		if err := s.pass.grow(s.where, int64(len(p))); err != nil {
			return err
		}
	}
	e.Size += int64(len(p))
	if err := body.write(s.where+": "+e.Name, p); err != nil || s.pass.opt.KeepOnly {
		return err
	}
	s.sum.Write(p)
	s.scan.write(p)
	return s.store.write(p)
}

// scanText scans the name and link target of an entry; inside a store item
// only what its NAR has of them.
func (s *sink) scanText(e *Entry) {
	s.scan.seen.from = e.Path
	s.scan.write([]byte(s.store.relative(e)))
	s.scan.close()
	if e.Type == '2' || e.Type == '1' && ItemOf(e.Path) == "" {
		s.scan.write([]byte(e.Linkname))
		s.scan.close()
	}
}

// close ends the layer: now its NARs can be hashed.
func (s *sink) close() error {
	defer s.store.spool.Close()
	return s.store.finish(s.layer)
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
	if err := b.pass.keep(where, int64(len(p))); err != nil {
		return err
	}
	b.data = append(b.data, p...)
	return nil
}
