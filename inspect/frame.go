package inspect

import "io"

// A Frame is every byte of a layer's tar archive that is not the content of a
// file: headers, extension headers, padding, the end of archive and whatever
// follows it. Frame and contents together are the layer, so a packer that
// writes the same frame around the same contents writes the same layer. It is
// kept compressed, since headers repeat themselves.
type Frame struct {
	Size int64 // bytes, uncompressed
	data []byte
}

// Open reads the frame from its start. The first Entries[0].FrameSize bytes
// belong to entry 0 (its headers), the next Entries[1].FrameSize to entry 1
// (the padding after entry 0, then its headers), and so on; the rest is what
// follows the last entry.
func (f Frame) Open() io.Reader {
	return nil
}
