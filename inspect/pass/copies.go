package pass

import (
	"io"
	"os"
	"sync"
)

// Copies are the blobs of layers that came as a stream, so that contents can be
// looked for in them later. They lie in temporary files without names, within
// Limits.CopyBytes: what goes past it is not there.
type Copies struct {
	dir  string
	mu   sync.Mutex
	left int64
	kept map[string]*Spool
	lie  map[string]*os.File // that have what needs no copy, by name
}

// mostLying bounds the files that are held open for one image.
const mostLying = 500

// Lies says that what is read under a name lies in a file, so that it is not copied; false
// where it is copied all the same. The file is read later, whatever becomes of its name,
// and held against what was read; it is closed with the copies.
func (c *Copies) Lies(name string, f *os.File) (isHeld bool) {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lie == nil {
		c.lie = make(map[string]*os.File)
	}
	if c.lie[name] != nil || len(c.lie) == mostLying {
		return false
	}
	c.lie[name] = f
	return true
}

// Instead copies what lies in a file that can be written no further, so many bytes, and
// returns what copies the rest.
func (c *Copies) Instead(name string, n int64) io.Writer {
	s := &Spool{Dir: c.dir}
	c.mu.Lock()
	f := c.lie[name]
	delete(c.lie, name)
	c.kept[name] = s
	c.mu.Unlock()
	rest := &copying{c, name, s}
	io.Copy(rest, io.NewSectionReader(f, 0, n))
	f.Close()
	return rest
}

// take returns a reader of r that copies what is read under a name.
func (c *Copies) take(name string, r io.Reader) io.Reader {
	s := &Spool{Dir: c.dir}
	c.mu.Lock()
	if c.lie[name] != nil {
		c.mu.Unlock()
		return r
	}
	c.kept[name] = s
	c.mu.Unlock()
	return io.TeeReader(r, &copying{c, name, s})
}

// Open reads what was copied under a name; false when it is not there.
func (c *Copies) Open(name string) (io.Reader, bool) {
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.lie[name]; f != nil {
		info, err := f.Stat()
		if err != nil {
			return nil, false
		}
		return io.NewSectionReader(f, 0, info.Size()), true
	}
	s := c.kept[name]
	if s == nil {
		return nil, false
	}
	return io.NewSectionReader(s, 0, s.Size), true
}

// Close removes the copies.
func (c *Copies) Close() {
	if c == nil {
		return
	}
	for _, s := range c.kept {
		s.Close()
	}
	for _, f := range c.lie {
		f.Close()
	}
	c.kept, c.lie = nil, nil
}

type copying struct {
	*Copies
	name  string
	spool *Spool
}

// Write never fails: a copy that cannot be made is not there.
func (c *copying) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.left -= int64(len(p))
	over := c.left < 0
	c.mu.Unlock()
	if c.spool == nil {
		return len(p), nil
	}
	if !over {
		if _, err := c.spool.Write(p); err == nil {
			return len(p), nil
		}
	}
	c.mu.Lock()
	delete(c.kept, c.name)
	c.mu.Unlock()
	c.spool.Close()
	c.spool = nil
	return len(p), nil
}

// Copy returns a reader of the layer r which copies it where that was asked for
// and it cannot be read a second time.
func (p *Pass) Copy(name string, r io.Reader) io.Reader {
	if p.Copies == nil || !p.Once {
		return r
	}
	return p.Copies.take(name, r)
}
