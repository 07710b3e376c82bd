package inspect

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/s2"
)

// A Frame is every byte of a layer's tar archive that is not the content of a
// file: headers, extension headers, padding, the end of archive and whatever
// follows it. Frame and contents together are the layer, so a packer that
// writes the same frame around the same contents writes the same layer. It is
// kept compressed, since headers repeat themselves.
type Frame struct {
	Size int64 // bytes, uncompressed
	data []byte
}

// NewFrame returns the frame that consists of raw.
func NewFrame(raw []byte) Frame {
	w := newFrameWriter()
	w.Write(raw)
	return w.frame()
}

// Open reads the frame from its start. The first Entries[0].FrameSize bytes
// belong to entry 0 (its headers), the next Entries[1].FrameSize to entry 1
// (the padding after entry 0, then its headers), and so on; the rest is what
// follows the last entry.
func (f Frame) Open() io.Reader {
	return s2.NewReader(bytes.NewReader(f.data), s2.ReaderMaxBlockSize(frameBlock))
}

// frameBlock is the unit in which frames are compressed: large enough to hold
// some hundred headers, small enough not to weigh.
const frameBlock = 256 << 10

type frameWriter struct {
	buf  bytes.Buffer
	z    *s2.Writer
	size int64
}

func newFrameWriter() *frameWriter {
	w := new(frameWriter)
	w.z = s2.NewWriter(&w.buf, s2.WriterConcurrency(1), s2.WriterBlockSize(frameBlock), s2.WriterBetterCompression())
	return w
}

// Write never fails: it writes to memory.
func (w *frameWriter) Write(p []byte) (int, error) {
	w.size += int64(len(p))
	return w.z.Write(p)
}

func (w *frameWriter) frame() Frame {
	w.z.Close()
	return Frame{Size: w.size, data: bytes.Clone(w.buf.Bytes())}
}
