package inspect

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A Compression is how a stream of bytes is packed.
type Compression string

// The compressions that are recognised, by magic number.
const (
	None  Compression = "none"
	Gzip  Compression = "gzip"  // RFC 1952
	Zstd  Compression = "zstd"  // RFC 8878
	XZ    Compression = "xz"    // The .xz File Format 1.2.1
	Bzip2 Compression = "bzip2" // no specification but its source
	Lzip  Compression = "lzip"  // draft-diaz-lzip-09
)

var magics = []struct {
	magic string
	is    Compression
}{
	{"\x1f\x8b\x08", Gzip},
	{"\x28\xb5\x2f\xfd", Zstd},
	{"\xfd7zXZ\x00", XZ},
	{"BZh", Bzip2},
	{"LZIP", Lzip},
}

// sniffCompression tells the compression from the first bytes of a stream.
func sniffCompression(head []byte) Compression {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.is
		}
	}
	return None
}

// zstdMaxWindow bounds what one frame may make us remember: 128 MiB is what
// zstd itself accepts by default (zstd -d, ZSTD_WINDOWLOG_LIMIT_DEFAULT 27).
const zstdMaxWindow = 128 << 20

// An expander undoes a compression. It also takes note of what a tolerant
// reader would pass over in silence.
type expander struct {
	io.Reader
	close  func()
	charge func(n int64) error // counts memory that the stream asks for
	notes  []string            // what is wrong with the packing though it can be read
}

func (x *expander) note(format string, args ...any) {
	x.notes = append(x.notes, fmt.Sprintf(format, args...))
}

// expand returns the uncompressed form of r. Its reader must be read to the
// end and closed. The memory that the stream asks for again and again is
// counted with charge.
func expand(r *bufio.Reader, c Compression, charge func(n int64) error) (*expander, error) {
	x := &expander{close: func() {}, charge: charge}
	var err error
	switch c {
	case Gzip:
		x.Reader, err = newGzipMembers(r, x)
	case Zstd:
		var z *zstd.Decoder
		z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdMaxWindow), zstd.WithDecoderLowmem(true))
		if err == nil {
			x.Reader, x.close = z, z.Close
		}
	case XZ:
		x.Reader, err = newXZReader(r, charge)
	case Bzip2:
		x.Reader = bzip2.NewReader(r)
	case Lzip:
		x.Reader, err = newLzipReader(r, x)
	default:
		x.Reader = r
	}
	if err != nil {
		return nil, fmt.Errorf("opening the %s stream: %w", c, err)
	}
	return x, nil
}

// gzipMembers reads one gzip member after the other. The libraries either stop
// silently at the first or fail at junk behind the last; here junk and a wrong
// checksum are noted and everything is read.
type gzipMembers struct {
	src     *bufio.Reader
	z       *gzip.Reader
	x       *expander
	members int
	done    bool
}

func newGzipMembers(src *bufio.Reader, x *expander) (*gzipMembers, error) {
	z, err := gzip.NewReader(src)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &gzipMembers{src: src, z: z, x: x, members: 1}, nil
}

func (g *gzipMembers) Read(p []byte) (int, error) {
	for !g.done {
		n, err := g.z.Read(p)
		switch {
		case errors.Is(err, gzip.ErrChecksum):
			g.x.note("gzip member %d: the checksum does not fit the bytes", g.members)
			err = g.next()
		case err == io.EOF:
			err = g.next()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// next goes on to the member that follows, or to the end. What follows and is
// no member is junk.
func (g *gzipMembers) next() error {
	head, err := g.src.Peek(3)
	if len(head) == 0 {
		g.done = true
		if err == io.EOF {
			return nil
		}
		return err
	}
	if sniffCompression(head) == Gzip {
		g.members++
		if err := g.z.Reset(g.src); err != nil {
			return fmt.Errorf("opening gzip member %d: %w", g.members, err)
		}
		g.z.Multistream(false)
		return nil
	}
	g.done = true
	n, err := io.Copy(io.Discard, g.src)
	g.x.note("%d bytes follow the last gzip member", n)
	return err
}
