package image

import (
	"bytes"
	"io"
	"slices"

	"github.com/klauspost/compress/s2"
)

// A Frame is every byte of a layer's tar archive that is not the content of a
// file: headers, extension headers, padding, the end of archive and whatever
// follows it. Frame and contents together are the layer, so a packer that
// writes the same frame around the same contents writes the same layer. It is
// kept compressed, since headers repeat themselves.
type Frame struct {
	Size int64 // bytes, uncompressed
	data chunks
}

// Open reads the frame from its start. The first Entries[0].FrameSize bytes
// belong to entry 0 (its headers), the next Entries[1].FrameSize to entry 1
// (the padding after entry 0, then its headers), and so on; the rest is what
// follows the last entry.
func (f Frame) Open() io.Reader {
	return s2.NewReader(f.data.reader(), s2.ReaderMaxBlockSize(frameBlock))
}

// frameBlock is the unit in which frames are compressed: large enough for
// some hundred headers, small enough not to weigh.
const frameBlock = 256 << 10

// A FrameWriter takes the bytes of a frame in their order.
type FrameWriter struct {
	Buf  chunks
	z    *s2.Writer
	Size int64
}

// NewFrameWriter returns the writer of an empty frame.
func NewFrameWriter() *FrameWriter {
	w := new(FrameWriter)
	w.z = s2.NewWriter(&w.Buf, s2.WriterConcurrency(1), s2.WriterBlockSize(frameBlock), s2.WriterBetterCompression())
	return w
}

// Write never fails: it writes to memory.
func (w *FrameWriter) Write(p []byte) (int, error) {
	w.Size += int64(len(p))
	return w.z.Write(p)
}

// Frame ends the frame and returns it: nothing may be written after that.
func (w *FrameWriter) Frame() Frame {
	w.z.Close()
	return Frame{Size: w.Size, data: w.Buf}
}

// chunks are bytes that grow without being copied.
type chunks [][]byte

func (c *chunks) Write(p []byte) (int, error) {
	*c = append(*c, bytes.Clone(p))
	return len(p), nil
}

func (c chunks) reader() io.Reader {
	rest := slices.Clone(c)
	return (*chunkReader)(&rest)
}

type chunkReader chunks

func (r *chunkReader) Read(p []byte) (int, error) {
	for len(*r) > 0 && len((*r)[0]) == 0 {
		*r = (*r)[1:]
	}
	if len(*r) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*r)[0])
	(*r)[0] = (*r)[0][n:]
	return n, nil
}
