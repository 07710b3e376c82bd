package layers

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/paths"
	"audit/inspect/zeros"
)

// What eStargz has of a layer for those who fetch its files one by one: the table of
// contents, an entry of the tar or, where the tar of another writer is kept as it
// was, a second tar after its end (stargz-snapshotter, docs/estargz.md and
// estargz/estargz.go, Writer.closeGz).

// A restReader reads what follows the end of a tar; the frame keeps only its start.
type restReader struct {
	frame *frameReader
	start int64
}

func (r restReader) Read(p []byte) (int, error) {
	r.frame.content = r.frame.n-r.start > restKept
	return r.frame.Read(p)
}

// skipZeros reads blocks of zeros, and returns how many bytes lie before the first
// other one; -1 when there is none.
func skipZeros(r *bufio.Reader) (int64, error) {
	for n := int64(0); ; {
		head, err := r.Peek(TarBlock)
		if i := zeros.First(head); i >= 0 {
			return n + int64(i), nil
		}
		if err == io.EOF {
			return -1, nil
		}
		if err != nil {
			return -1, err
		}
		k, _ := r.Discard(len(head))
		n += int64(k)
	}
}

// errNoTOC says that what follows the end of a tar is no table of contents.
var errNoTOC = errors.New("no table of contents of eStargz")

// readTOC reads a tar that has one entry, the table of contents, and nothing but
// zeros behind it. What it says of files has to be what the layer has.
func (t *tarReader) readTOC(r *bufio.Reader) (*image.TOC, error) {
	tr := tar.NewReader(r)
	hdr, err := tr.Next()
	if fatal := t.pass.Fatal(err); fatal != nil {
		return nil, fatal
	}
	if err != nil || hdr.Name != image.TOCName || hdr.Typeflag != tar.TypeReg || hdr.PAXRecords != nil {
		return nil, errNoTOC
	}
	found := &image.TOC{Appended: true, Unread: hdr.Size > t.pass.Limits.JSONBytes}
	if err := t.compare(digest.NewMeter(tr), found); err != nil {
		return nil, err
	}
	if _, err := tr.Next(); err != io.EOF {
		return nil, errors.Join(errNoTOC, err)
	}
	if left, err := skipZeros(r); err != nil || left >= 0 {
		return nil, errors.Join(errNoTOC, err)
	}
	return found, nil
}

// compare reads the table of contents, and compares it with the layer unless it is
// too large for that.
func (t *tarReader) compare(in *digest.Meter, found *image.TOC) error {
	if !found.Unread {
		raw, err := t.pass.ReadDocument(image.TOCName, in)
		if err != nil {
			return err
		}
		var toc tableOfContents
		if json.Unmarshal(raw, &toc) != nil || toc.Version == 0 {
			return errNoTOC
		}
		found.Differs = toc.differs(t.layer.Entries)
	}
	_, err := io.Copy(io.Discard, in)
	found.Digest = in.Sum().Hash()
	return err
}

// A tableOfContents is the document of eStargz.
type tableOfContents struct {
	Version int
	Entries []struct {
		Name, Type, LinkName, Digest string
		Size                         int64
	}
}

// differs returns the first name of which the table says something else than the
// layer, "" when there is none.
func (toc *tableOfContents) differs(entries []*image.Entry) string {
	last := make(map[string]*image.Entry, len(entries))
	for i := range entries {
		last[entries[i].Path] = entries[i]
	}
	named := make(map[string]bool, len(toc.Entries))
	for _, c := range toc.Entries {
		path := paths.Clean(c.Name)
		named[path] = true
		e := last[path]
		switch c.Type {
		case "reg":
			if e == nil || e.Type != tar.TypeReg || e.Size != c.Size || c.Digest != "" && c.Digest != e.Digest.Hash().String() {
				return path
			}
		case "symlink":
			if e == nil || e.Type != tar.TypeSymlink || e.Linkname != c.LinkName {
				return path
			}
		case "hardlink":
			if e == nil || e.Type != tar.TypeLink || paths.Clean(e.Linkname) != paths.Clean(c.LinkName) {
				return path
			}
		}
	}
	for _, e := range entries {
		if e.Type == tar.TypeReg && e.Path != image.TOCName && !named[e.Path] {
			return e.Path
		}
	}
	return ""
}

// footerBytes is the size of the gzip member that ends an eStargz blob. It is empty,
// and its extra field says where the table of contents lies.
const footerBytes = 51

// footer returns the offset in a blob of size bytes that its last bytes say the
// table of contents to have; false when they are no footer.
func footer(last []byte, size int64) (int64, bool) {
	head := "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x1a\x00SG\x16\x00"
	if len(last) != footerBytes || !bytes.HasPrefix(last, []byte(head)) {
		return 0, false
	}
	hex, ok := strings.CutSuffix(string(last[len(head):len(head)+22]), "STARGZ")
	at, err := strconv.ParseInt(hex, 16, 64)
	return at, ok && err == nil && at >= 0 && at < size-footerBytes
}

// A lastReader keeps the last bytes that were read.
type lastReader struct {
	r    io.Reader
	last []byte
}

func (l *lastReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.last = append(l.last, p[max(0, n-footerBytes):n]...)
	if over := len(l.last) - footerBytes; over > 0 {
		l.last = append(l.last[:0], l.last[over:]...)
	}
	return n, err
}
