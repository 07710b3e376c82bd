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
	lie  map[string]string // files that need no copy, by name
}

// Lies says that what is read under a name lies in a file, so that it is not copied.
// What is found there later is held against what was read.
func (c *Copies) Lies(name, path string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lie == nil {
		c.lie = make(map[string]string)
	}
	c.lie[name] = path
}

// take returns a reader of r that copies what is read under a name.
func (c *Copies) take(name string, r io.Reader) io.Reader {
	s := &Spool{Dir: c.dir}
	c.mu.Lock()
	if c.lie[name] != "" {
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
	if path := c.lie[name]; path != "" {
		f, err := os.Open(path)
		return f, err == nil // it is closed when nobody has it any more
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
	c.kept = nil
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
