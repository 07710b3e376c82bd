package ahead

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"testing/synctest"
)

// cores counts those that are left.
type cores int

func (c *cores) Spare() bool {
	if *c == 0 {
		return false
	}
	*c--
	return true
}

func (c *cores) Release() { *c++ }

func random(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 0))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

// anyReader reads as much at a time as it likes.
type anyReader struct {
	r   io.Reader
	rnd *rand.Rand
}

func (a anyReader) Read(p []byte) (int, error) {
	return a.r.Read(p[:min(len(p), 1+a.rnd.IntN(1<<a.rnd.IntN(19)))])
}

// doubled is a source that gives each byte it reads of a tap twice.
type doubled struct{ r io.Reader }

func (d doubled) Read(p []byte) (int, error) {
	half := make([]byte, max(1, len(p)/2))
	if len(p) < 2 {
		return 0, nil
	}
	n, err := d.r.Read(half)
	for i, c := range half[:n] {
		p[2*i], p[2*i+1] = c, c
	}
	return 2 * n, err
}

// What is read, and what taps are written, is what is there, however much of it is
// read at a time; then comes the error of the source, and what it has after that; and
// no goroutine and no core is left.
func TestReader(t *testing.T) {
	broken := errors.New("broken")
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			data := random(seed, rnd.IntN(1<<rnd.IntN(22)))
			end := []error{io.EOF, broken}[seed%2]
			free := cores(seed % 3)
			a := NewReader(&free)
			var tapped bytes.Buffer
			below := a.Tap(anyReader{io.MultiReader(bytes.NewReader(data), iotest.ErrReader(end)), rnd}, &tapped)
			a.Start(doubled{below})
			got, err := io.ReadAll(anyReader{a, rand.New(rand.NewPCG(seed, 2))})
			if end == io.EOF {
				end = nil
			}
			if err != end || len(got) != 2*len(data) || !bytes.Equal(tapped.Bytes(), data) {
				t.Fatalf("seed %d: %d bytes and %d tapped of %d, %v", seed, len(got), tapped.Len(), len(data), err)
			}
			for i, c := range data {
				if got[2*i] != c || got[2*i+1] != c {
					t.Fatalf("seed %d: another byte at %d", seed, i)
				}
			}
			if n, err := a.Read(make([]byte, 2)); n != 0 || err == nil {
				t.Errorf("seed %d: after the end %d bytes, %v", seed, n, err)
			}
			a.Close()
			if free != cores(seed%3) {
				t.Errorf("seed %d: %d cores left of %d", seed, free, seed%3)
			}
		})
	}
}

// Whoever closes early gets the source back, its goroutine has ended, and nothing is
// read any more.
func TestClose(t *testing.T) {
	for _, n := range []int64{0, 1, bufferSize, bufferSize + 1, 3 * bufferSize} {
		synctest.Test(t, func(t *testing.T) {
			free := cores(1)
			a := NewReader(&free)
			in := &counted{r: endless{}}
			a.Start(a.Tap(in, io.Discard))
			if _, err := io.CopyN(io.Discard, a, n); err != nil {
				t.Fatal(err)
			}
			a.Close()
			a.Close()
			if free != 1 {
				t.Errorf("after %d bytes the core is not free", n)
			}
			before := in.n
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, errClosed) || in.n != before {
				t.Errorf("after %d bytes and Close: %v, %d more bytes are read", n, err, in.n-before)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// A short source is read where it is used: no core is taken.
func TestShort(t *testing.T) {
	a := NewReader(nil) // would panic
	defer a.Close()
	a.Start(bytes.NewReader(make([]byte, bufferSize-1)))
	if n, err := io.Copy(io.Discard, a); n != bufferSize-1 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// A source that has more after an error, as a decoder whose checksum does not fit, is
// read on.
func TestAfterError(t *testing.T) {
	broken := errors.New("broken")
	for _, n := range []int{10, bufferSize + 10, 5 * bufferSize} {
		synctest.Test(t, func(t *testing.T) {
			free := cores(1)
			a := NewReader(&free)
			defer a.Close()
			data := random(1, n)
			parts := []io.Reader{bytes.NewReader(data), iotest.ErrReader(broken), bytes.NewReader([]byte("more"))}
			a.Start(inTurn{&parts})
			got, err := io.ReadAll(a)
			if err != broken || !bytes.Equal(got, data) {
				t.Errorf("%d bytes of %d, %v", len(got), n, err)
			}
			if got, err := io.ReadAll(a); err != nil || string(got) != "more" {
				t.Errorf("then %q, %v", got, err)
			}
		})
	}
}

// inTurn reads one reader after the other, with the errors of all but the last.
type inTurn struct{ parts *[]io.Reader }

func (i inTurn) Read(p []byte) (int, error) {
	n, err := (*i.parts)[0].Read(p)
	if err != nil && len(*i.parts) > 1 {
		if *i.parts = (*i.parts)[1:]; err == io.EOF {
			err = nil
		}
	}
	return n, err
}
