package ahead

import (
	"errors"
	"io"
)

const (
	// bufferSize is that of a buffer, and how much is read without a goroutine first.
	bufferSize = 128 << 10
	// buffers are how many are being filled, used or on their way.
	buffers = 4
)

// Cores are what goroutines are started on.
type Cores interface {
	// Spare takes a core that nobody uses; false when there is none.
	Spare() bool
	// Release gives back what Spare took.
	Release()
}

// A Reader reads ahead of who uses it, where there is a core for that.
type Reader struct {
	cores Cores
	src   io.Reader
	n     int64 // bytes read without a goroutine

	// apart says that the goroutine reads: src and what is below it are its own.
	apart  bool
	filled chan piece
	free   chan []byte
	quit   chan struct{}

	now   piece  // what is handed out
	left  []byte // of it
	err   error  // that of src, when all before it is handed out
	ended bool   // the goroutine has, or must not be
}

// A piece is what was read at once: from src, or from a tap where to is not nil.
type piece struct {
	data []byte
	to   io.Writer
	err  error
}

// NewReader returns a reader of what Start is given. It is to be closed.
func NewReader(cores Cores) *Reader { return &Reader{cores: cores} }

// Start has a read src, which may read from taps of a.
func (a *Reader) Start(src io.Reader) { a.src = src }

// Tap returns a reader of r for what a reads to read from. Its bytes are written to
// w in the goroutine that reads from a, before a returns what comes of them. What w
// returns is not looked at.
func (a *Reader) Tap(r io.Reader, w io.Writer) io.Reader { return &tap{a, r, w} }

type tap struct {
	a *Reader
	r io.Reader
	w io.Writer
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if !t.a.apart {
		t.w.Write(p[:n])
		return n, err
	}
	for rest := p[:n]; len(rest) > 0; {
		buf, closed := t.a.buffer()
		if closed != nil {
			return n, closed
		}
		k := copy(buf, rest)
		t.a.filled <- piece{data: buf[:k], to: t.w}
		rest = rest[k:]
	}
	return n, err
}

// Read returns what src returns. The goroutine is started when src is no short one
// and there is a core, and ends at an error; what src may have after one is read here.
func (a *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(a.left) == 0 {
		if err := a.err; err != nil {
			if err != errClosed {
				a.err = nil
			}
			return 0, err
		}
		if !a.apart && (a.ended || a.n < bufferSize || !a.cores.Spare()) {
			n, err := a.src.Read(p)
			a.n += int64(n)
			return n, err
		}
		if !a.apart {
			a.begin()
		}
		a.next()
	}
	n := copy(p, a.left)
	a.left = a.left[n:]
	return n, nil
}

// next takes the next piece of the goroutine.
func (a *Reader) next() {
	if a.now.data != nil {
		a.free <- a.now.data[:bufferSize]
	}
	a.now = <-a.filled
	if a.now.to != nil {
		a.now.to.Write(a.now.data)
		return
	}
	a.left = a.now.data
	if a.now.err != nil {
		a.err = a.now.err
		a.stop()
	}
}

func (a *Reader) begin() {
	a.apart = true
	a.filled, a.free, a.quit = make(chan piece, buffers), make(chan []byte, buffers), make(chan struct{})
	for range buffers {
		a.free <- make([]byte, bufferSize)
	}
	go a.run()
}

// errClosed is what ends the goroutine when nobody reads on.
var errClosed = errors.New("reading ahead of nobody")

// buffer returns one to fill.
func (a *Reader) buffer() ([]byte, error) {
	select {
	case <-a.quit:
		return nil, errClosed
	case buf := <-a.free:
		return buf, nil
	}
}

// run reads src to its end. There is room in filled for every buffer, so that only
// buffer waits.
func (a *Reader) run() {
	defer close(a.filled)
	for {
		buf, err := a.buffer()
		if err != nil {
			return
		}
		n := 0
		for n < len(buf) && err == nil {
			var k int
			k, err = a.src.Read(buf[n:])
			n += k
		}
		a.filled <- piece{data: buf[:n], err: err}
		if err != nil {
			return
		}
	}
}

// stop ends the goroutine and waits for it.
func (a *Reader) stop() {
	close(a.quit)
	for range a.filled {
	}
	a.apart, a.ended = false, true
	a.cores.Release()
}

// Close ends the reading and waits for the goroutine; what is below src is whoever's
// it was before. What a read and has not returned is lost.
func (a *Reader) Close() {
	if a.apart {
		a.stop()
	}
	a.left = nil
	if a.err == nil {
		a.err = errClosed
	}
}
