package repack

import (
	"bytes"
	"io"

	"audit/rebuild/gnutar"
)

// checkFrame writes the frame that the packer would have written and compares
// it with r, the one that was read, entry by entry.
func (c *layerCheck) checkFrame(r io.Reader) {
	f := framing{r: r, dialect: gnutar.Dialect{NameFirst: c.style.edited}, settled: c.style.numeric}
	var end, pad int64 // of the content before
	for i := range c.layer.Entries {
		e := &c.layer.Entries[i]
		h, ok := c.due(i)
		if err := f.next(h, pad, e.FrameSize); err != nil {
			c.problem(e.Path, "repack/frame-unreadable", "error", err)
			return
		}
		if at := gnutar.FirstNonZero(f.got[:min(pad, int64(len(f.got)))]); at >= 0 && i > 0 {
			before := &c.layer.Entries[i-1]
			c.problem(before.Path, "repack/padding-differs", "byte", at, "value", gnutar.HexByte(f.got[at]))
		}
		if ok {
			c.compareHeaders(e.Path, &f, pad, e.FrameSize)
		}
		end += e.FrameSize + e.Size
		pad = gnutar.Padding(e.Size)
	}
	c.checkEnd(f.r, end, pad)
}

// compareHeaders reports how the headers of an entry differ from the due ones.
func (c *layerCheck) compareHeaders(path string, f *framing, pad, size int64) {
	got, want := f.got[min(pad, int64(len(f.got))):], f.want[pad:]
	if bytes.Equal(got, want) && size == pad+int64(len(want)) {
		return
	}
	if d := gnutar.Differences(got, want); d != nil {
		c.problem(path, "repack/header-differs", gnutar.Arguments(d)...)
		return
	}
	c.problem(path, "repack/header-size-differs", "got", int(size), "want", len(f.want))
}

// checkEnd compares what follows the last entry.
func (c *layerCheck) checkEnd(r io.Reader, end, pad int64) {
	last := ""
	if n := len(c.layer.Entries); n > 0 {
		last = c.layer.Entries[n-1].Path
	}
	rest, err := gnutar.ReadRest(r)
	due := pad + gnutar.EndOfArchive(end+pad)
	switch {
	case err != nil:
		c.problem("", "repack/frame-unreadable", "error", err)
	case rest.First >= 0 && rest.First < pad:
		c.problem(last, "repack/padding-differs", "byte", int(rest.First), "value", gnutar.HexByte(rest.Value))
	case rest.First >= 0:
		c.problem("", "repack/data-after-end", "byte", int(rest.First-pad), "value", gnutar.HexByte(rest.Value))
	case rest.Size != due:
		c.problem("", "repack/record-padding", "got", int(rest.Size-pad), "record", gnutar.RecordSize, "want", int(due-pad))
	}
}

// framing reads a frame beside writing it.
type framing struct {
	r         io.Reader
	dialect   gnutar.Dialect
	settled   bool   // dialect.Superuser is known
	want, got []byte // of the entry in hand
}

// next writes the padding and the headers that are due, and reads the same
// number of bytes out of the size that the frame has for the entry.
func (f *framing) next(h gnutar.Header, pad, size int64) error {
	f.write(h, pad)
	n := max(0, min(size, int64(len(f.want))))
	f.got = append(f.got[:0], make([]byte, n)...)
	if _, err := io.ReadFull(f.r, f.got); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, f.r, size-n); err != nil {
		return err
	}
	f.settle(h, pad)
	return nil
}

func (f *framing) write(h gnutar.Header, pad int64) {
	f.want = append(f.want[:0], make([]byte, pad)...)
	f.want = f.dialect.Append(f.want, h)
}

// settle learns from the first long name how the builder calls user 0: not at
// all, or root. The rest of the layer must then say the same.
func (f *framing) settle(h gnutar.Header, pad int64) {
	if f.settled || !h.IsLong() {
		return
	}
	f.settled = true
	if bytes.Equal(f.got, f.want) {
		return
	}
	f.dialect.Superuser = "root"
	f.write(h, pad)
	if !bytes.Equal(f.got, f.want) {
		f.settled, f.dialect.Superuser = false, ""
		f.write(h, pad)
	}
}
