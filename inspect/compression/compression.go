package compression

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"audit/inspect/check"
	"audit/inspect/xz"
)

// A Kind is how a stream of bytes is packed.
type Kind string

// The compressions that are recognised, by magic number.
const (
	None  Kind = "none"
	Gzip  Kind = "gzip"  // RFC 1952
	Zstd  Kind = "zstd"  // RFC 8878
	XZ    Kind = "xz"    // The .xz File Format 1.2.1
	Bzip2 Kind = "bzip2" // no specification but its source
	Lzip  Kind = "lzip"  // draft-diaz-lzip-09
	LZ4   Kind = "lz4"   // of blocks of a squashfs only, which have no magic number
)

var magics = []struct {
	magic string
	is    Kind
}{
	{"\x1f\x8b\x08", Gzip},
	{"\x28\xb5\x2f\xfd", Zstd},
	{"\xfd7zXZ\x00", XZ},
	{"BZh", Bzip2},
	{"LZIP", Lzip},
}

// Sniff recognises the compression from the first bytes of a stream.
func Sniff(head []byte) Kind {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.is
		}
	}
	if len(head) >= 4 && binary.LittleEndian.Uint32(head)&^0xf == skippableMagic {
		return Zstd // engines take a frame that is skipped for the beginning of zstd, too
	}
	return None
}

// An Expander undoes a compression. It also takes note of what a tolerant
// reader would pass over in silence.
type Expander struct {
	io.Reader
	Close  func()
	charge func(n int64) error // counts memory that the stream asks for
	Gzip   *GzipHeader         // of the first member; nil when it is not gzip
	Notes  []check.Message     // what is wrong with the packing though it can be read
}

func (x *Expander) note(m check.Message) {
	x.Notes = append(x.Notes, m)
}

// Expand returns the uncompressed form of r. Its reader must be read to the
// end and closed. The memory that the stream asks for again and again is
// counted with charge.
func Expand(r *bufio.Reader, c Kind, charge func(n int64) error) (*Expander, error) {
	x := &Expander{Close: func() {}, charge: charge}
	var err error
	switch c {
	case Gzip:
		x.Reader, err = newGzipMembers(r, x)
	case Zstd:
		var z *zstd.Decoder
		z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdMaxWindow), zstd.WithDecoderLowmem(true))
		if err == nil {
			x.Reader, x.Close = z, z.Close
		}
	case XZ:
		x.Reader, err = xz.NewReader(r, charge)
	case Bzip2:
		x.Reader = bzip2.NewReader(r)
	case Lzip:
		x.Reader, err = xz.NewLzipReader(r, x.charge, x.note)
	default:
		x.Reader = r
	}
	if err != nil {
		return nil, fmt.Errorf("opening the %s stream: %w", c, err)
	}
	return x, nil
}

// zstdMaxWindow bounds what one frame may make us remember: 128 MiB is what
// zstd itself accepts by default (zstd -d, ZSTD_WINDOWLOG_LIMIT_DEFAULT 27).
const zstdMaxWindow = 128 << 20
