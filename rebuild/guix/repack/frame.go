package repack

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// checkFrame writes the frame that the packer would have written and compares
// it with r, the one that was read, entry by entry.
func (c *layerCheck) checkFrame(r io.Reader) {
	f := framing{r: r, dialect: dialect{nameFirst: c.style.edited}, settled: c.style.numeric}
	var end, pad int64 // of the content before
	for i := range c.layer.Entries {
		e := &c.layer.Entries[i]
		h, ok := c.due(i)
		if err := f.next(h, pad, e.FrameSize); err != nil {
			c.problem("frame-unreadable", e.Path, "reading its headers again: %v", err)
			return
		}
		if at := firstNonZero(f.got[:min(pad, int64(len(f.got)))]); at >= 0 && i > 0 {
			before := &c.layer.Entries[i-1]
			c.problem("padding-differs", before.Path, "byte %d after its content is %#02x; tar fills the last block with zeros", at, f.got[at])
		}
		if ok {
			c.compareHeaders(e.Path, &f, pad, e.FrameSize)
		}
		end += e.FrameSize + e.Size
		pad = padding(e.Size)
	}
	c.checkEnd(f.r, end, pad)
}

// compareHeaders reports how the headers of an entry differ from the due ones.
func (c *layerCheck) compareHeaders(path string, f *framing, pad, size int64) {
	got, want := f.got[min(pad, int64(len(f.got))):], f.want[pad:]
	if bytes.Equal(got, want) && size == pad+int64(len(want)) {
		return
	}
	if why := differences(got, want); why != "" {
		c.problem("header-differs", path, "%s", why)
		return
	}
	c.problem("header-differs", path, "headers and padding before its content take %d bytes, where the packer writes %d", size, int64(len(f.want)))
}

// checkEnd compares what follows the last entry.
func (c *layerCheck) checkEnd(r io.Reader, end, pad int64) {
	last := ""
	if n := len(c.layer.Entries); n > 0 {
		last = c.layer.Entries[n-1].Path
	}
	n, odd, value, err := drain(r)
	due := pad + endOfArchive(end+pad)
	switch {
	case err != nil:
		c.problem("frame-unreadable", "", "reading the end of the archive again: %v", err)
	case odd >= 0 && odd < pad:
		c.problem("padding-differs", last, "byte %d after its content is %#02x; tar fills the last block with zeros", odd, value)
	case odd >= 0:
		c.problem("data-after-end", "", "byte %d after the last entry is %#02x; tar writes zeros to the end", odd-pad, value)
	case n != due:
		c.problem("record-padding", "", "%d zero bytes follow the last entry; tar fills its record of %d bytes with %d", n-pad, recordSize, due-pad)
	}
}

// drain reads r to its end and returns the number of bytes, and place and
// value of the first that is not zero.
func drain(r io.Reader) (n, odd int64, value byte, err error) {
	odd = -1
	buf := make([]byte, recordSize)
	for {
		k, err := r.Read(buf)
		if at := firstNonZero(buf[:k]); at >= 0 && odd < 0 {
			odd, value = n+int64(at), buf[at]
		}
		n += int64(k)
		if err == io.EOF {
			return n, odd, value, nil
		}
		if err != nil {
			return n, odd, value, err
		}
	}
}

func firstNonZero(p []byte) int {
	for i, b := range p {
		if b != 0 {
			return i
		}
	}
	return -1
}

// framing reads a frame beside writing it.
type framing struct {
	r         io.Reader
	dialect   dialect
	settled   bool   // dialect.superuser is known
	want, got []byte // of the entry in hand
}

// next writes the padding and the headers that are due, and reads the same
// number of bytes out of the size that the frame has for the entry.
func (f *framing) next(h header, pad, size int64) error {
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

func (f *framing) write(h header, pad int64) {
	f.want = append(f.want[:0], make([]byte, pad)...)
	f.want = f.dialect.appendHeader(f.want, h)
}

// settle learns from the first long name how the builder calls user 0: not at
// all, or root. The rest of the layer must then say the same.
func (f *framing) settle(h header, pad int64) {
	if f.settled || !h.isLong() {
		return
	}
	f.settled = true
	if bytes.Equal(f.got, f.want) {
		return
	}
	f.dialect.superuser = "root"
	f.write(h, pad)
	if !bytes.Equal(f.got, f.want) {
		f.settled, f.dialect.superuser = false, ""
		f.write(h, pad)
	}
}

// A field is a part of a header block (GNU tar 1.35, src/tar.h, struct
// posix_header and struct oldgnu_header).
type field struct {
	name     string
	from, to int
}

func fields() []field {
	return []field{
		{"typeflag", 156, 157}, // first: another type explains all the rest
		{"name", 0, 100}, {"mode", 100, 108}, {"uid", 108, 116}, {"gid", 116, 124},
		{"size", 124, 136}, {"mtime", 136, 148}, {"linkname", 157, 257}, {"magic", 257, 265},
		{"uname", 265, 297}, {"gname", 297, 329}, {"devmajor", 329, 337}, {"devminor", 337, 345},
		{"padding of the header", 345, 512}, {"checksum", 148, 156},
	}
}

// differences says in words which fields of got, header blocks as they were
// read, are not what the packer writes; "" where they agree as far as they go.
func differences(got, want []byte) string {
	for at := 0; at < min(len(got), len(want)); {
		kind, size := want[at+156], longSize(want[at:])
		if why := blockDifferences(slice(got, at, blockSize), want[at:at+blockSize]); why != "" {
			return inLongHeader(kind) + why
		}
		at += blockSize
		if text, due := slice(got, at, size), want[at:at+size]; !bytes.Equal(text, due[:len(text)]) {
			return fmt.Sprintf("the blocks of its %s hold %s, the packer writes %s", longName(kind), show(text), show(due))
		}
		at += size
	}
	return ""
}

// slice returns n bytes of p from at on, or as many as there are.
func slice(p []byte, at, n int) []byte {
	return p[min(at, len(p)):min(at+n, len(p))]
}

// longSize returns how many bytes of blocks follow a header of our own making
// because it carries a long name.
func longSize(block []byte) int {
	if longName(block[156]) == "" {
		return 0
	}
	size, _ := strconv.ParseInt(string(block[124:135]), 8, 64)
	return int(size + padding(size))
}

func longName(kind byte) string {
	switch kind {
	case tar.TypeGNULongName:
		return "long name"
	case tar.TypeGNULongLink:
		return "long link target"
	}
	return ""
}

func inLongHeader(kind byte) string {
	if name := longName(kind); name != "" {
		return "in the header of its " + name + ": "
	}
	return ""
}

// blockDifferences names the fields of one header block that differ, with both
// values. Another type explains all the rest, and a checksum follows from it.
func blockDifferences(got, want []byte) string {
	var list []string
	for _, f := range fields() {
		g, w := slice(got, f.from, f.to-f.from), want[f.from:f.to]
		if bytes.Equal(g, w) || f.name == "checksum" && len(list) > 0 {
			continue
		}
		list = append(list, fieldDifference(f.name, g, w))
		if f.name == "typeflag" {
			return list[0] + typeHint(g)
		}
	}
	return strings.Join(list, "; ")
}

// fieldDifference says how a field differs. Text after its end is told by its
// place: it would drown in zero bytes.
func fieldDifference(name string, got, want []byte) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	if at < len(got) && at > 0 && want[at-1] == 0 && len(want) > 12 {
		return fmt.Sprintf("%s holds %#02x at byte %d, the packer writes %#02x", name, got[at], at, want[at])
	}
	return fmt.Sprintf("%s is %s, the packer writes %s", name, show(got), show(want))
}

func typeHint(flag []byte) string {
	if string(flag) == "x" || string(flag) == "g" {
		return " (a PAX header, where the packer writes the GNU format)"
	}
	return ""
}

// show returns a field as people read it.
func show(p []byte) string {
	const most = 120
	p = bytes.TrimRight(p, "\x00")
	if len(p) > most {
		return fmt.Sprintf("%q…", p[:most])
	}
	return fmt.Sprintf("%q", p)
}
