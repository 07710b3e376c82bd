package compression

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"audit/inspect/check"
	"audit/inspect/compression/inflate"
	"audit/inspect/xz"
)

// A GzipHeader is what a gzip member says of itself before its data (RFC 1952,
// 2.3). None of it matters to what comes out, and two that differ make two
// blobs of one tar.
type GzipHeader struct {
	ModTime    uint32 // seconds since 1970; 0 means none
	Name       string // of the file that was packed, ISO 8859-1
	Comment    string
	ExtraBytes int  // length of the extra field; -1 when there is none
	Level      byte // XFL: 2 for the slowest compression, 4 for the fastest
	OS         byte // 3 is Unix, 255 unknown
	// Unread counts the bytes of the extra fields, names and comments of all members
	// that are more than programs that pack write: nothing comes out of them.
	Unread int64
}

// usualHeader is how many bytes the texts and the extra field of one member may have
// before they count as unread: those of a file name, and of the fields that bgzip,
// eStargz and others write.
const usualHeader = 512

// unread is how many bytes a header has beyond the usual.
func (h *GzipHeader) unread() int64 {
	return int64(max(0, max(0, h.ExtraBytes)+len(h.Name)+len(h.Comment)-usualHeader))
}

// Flags of a gzip member.
const (
	gzipCRC     = 1 << 1
	gzipExtra   = 1 << 2
	gzipName    = 1 << 3
	gzipComment = 1 << 4
)

// gzipMembers reads one gzip member after the other. The libraries either stop
// silently at the first or fail at junk behind the last; here junk and a wrong
// checksum are noted and everything is read.
type gzipMembers struct {
	src     *bufio.Reader
	z       *inflate.Reader
	x       *Expander
	members int
	sum     uint32 // of the bytes of this member so far
	size    uint32
	done    bool
}

func newGzipMembers(src *bufio.Reader, x *Expander) (*gzipMembers, error) {
	g := &gzipMembers{src: src, z: inflate.NewReader(src), x: x, members: 1}
	header, err := g.readHeader()
	header.Unread = header.unread()
	x.Gzip = &header
	return g, err
}

func (g *gzipMembers) Read(p []byte) (int, error) {
	for !g.done {
		n, err := g.z.Read(p)
		g.sum = crc32.Update(g.sum, crc32.IEEETable, p[:n])
		g.size += uint32(n)
		if err == io.EOF {
			err = g.end()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// end reads the trailer of a member and goes on to the next.
func (g *gzipMembers) end() error {
	var trailer [8]byte
	if _, err := io.ReadFull(g.src, trailer[:]); err != nil {
		return xz.NoEOF(err)
	}
	if binary.LittleEndian.Uint32(trailer[:]) != g.sum || binary.LittleEndian.Uint32(trailer[4:]) != g.size {
		g.x.note(check.Say("integrity/gzip-checksum", "member", g.members))
	}
	return g.next()
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
	if Sniff(head) == Gzip {
		g.members++
		header, err := g.readHeader()
		if err != nil {
			return fmt.Errorf("opening gzip member %d: %w", g.members, err)
		}
		g.x.Gzip.Unread += header.unread()
		g.z.Reset(g.src)
		g.sum, g.size = 0, 0
		return nil
	}
	g.done = true
	n, err := io.Copy(io.Discard, g.src)
	g.x.note(check.Say("integrity/trailing-compressed-data", "compression", string(Gzip), "bytes", n))
	return err
}

// readHeader reads all that comes before the data of a member.
func (g *gzipMembers) readHeader() (GzipHeader, error) {
	in := &summed{r: g.src}
	var p [10]byte
	if err := in.full(p[:]); err != nil {
		return GzipHeader{}, err
	}
	flags := p[3]
	h := GzipHeader{ModTime: binary.LittleEndian.Uint32(p[4:]), Level: p[8], OS: p[9], ExtraBytes: -1}
	if p[2] != 8 || flags&0xe0 != 0 {
		return h, fmt.Errorf("gzip method %d, flags %#x: RFC 1952 does not know them", p[2], flags)
	}
	var err error
	if flags&gzipExtra != 0 {
		h.ExtraBytes, err = in.extra()
	}
	if err == nil && flags&gzipName != 0 {
		h.Name, err = in.text()
	}
	if err == nil && flags&gzipComment != 0 {
		h.Comment, err = in.text()
	}
	if err == nil && flags&gzipCRC != 0 {
		err = g.checkHeader(in)
	}
	return h, err
}

// checkHeader compares the checksum of a header with the one that follows it.
func (g *gzipMembers) checkHeader(in *summed) error {
	want := uint16(in.sum)
	var p [2]byte
	if err := in.full(p[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint16(p[:]) != want {
		g.x.note(check.Say("integrity/gzip-header-checksum", "member", g.members))
	}
	return nil
}

// maxGzipText bounds a name and a comment in a header.
const maxGzipText = 32 << 10

// summed reads a header and its checksum.
type summed struct {
	r   *bufio.Reader
	sum uint32
}

func (s *summed) full(p []byte) error {
	if _, err := io.ReadFull(s.r, p); err != nil {
		return xz.NoEOF(err)
	}
	s.sum = crc32.Update(s.sum, crc32.IEEETable, p)
	return nil
}

func (s *summed) extra() (int, error) {
	var p [2]byte
	if err := s.full(p[:]); err != nil {
		return 0, err
	}
	n := int(binary.LittleEndian.Uint16(p[:]))
	return n, s.full(make([]byte, n))
}

// text reads a string of ISO 8859-1 up to its NUL.
func (s *summed) text() (string, error) {
	var text []rune
	for {
		var p [1]byte
		if err := s.full(p[:]); err != nil {
			return "", err
		}
		if p[0] == 0 {
			return string(text), nil
		}
		if text = append(text, rune(p[0])); len(text) > maxGzipText {
			return "", errors.New("the gzip header has a name or comment without end")
		}
	}
}
