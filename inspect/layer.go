package inspect

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// layerReader takes one layer apart while its bytes go by.
type layerReader struct {
	pass  *pass
	where string
	layer *Layer
	frame *frameReader
	tr    *tar.Reader
	store *storeReader
	scan  scanner
	sum   hash.Hash
	buf   []byte
}

// readLayer reads the blob r to its end and returns the layer that it is. A
// tar that cannot be understood to its end is no error: its bytes are hashed
// all the same and Layer.Broken says where it broke. Errors are those of the
// source below, limits and cancellation.
func (p *pass) readLayer(where string, r *bufio.Reader) (*Layer, error) {
	head, _ := r.Peek(8)
	layer := &Layer{Member: where, Compression: sniffCompression(head)}
	if layer.Compression == None {
		if err := p.readTar(layer, where, &expander{Reader: r}); err != nil {
			return nil, err
		}
		layer.Digest, layer.Size = layer.DiffID, layer.UncompressedSize
		_, err := io.Copy(io.Discard, r)
		return layer, err
	}
	return layer, p.readPacked(layer, where, r)
}

// readPacked reads a layer whose blob is compressed.
func (p *pass) readPacked(layer *Layer, where string, r io.Reader) error {
	blob := newMeter(r)
	in := bufio.NewReaderSize(blob, 64<<10)
	x, err := expand(in, layer.Compression)
	if err != nil {
		layer.Broken = err
	} else {
		defer x.close()
		if err := p.readTar(layer, where, x); err != nil {
			return err
		}
	}
	_, err = io.Copy(io.Discard, in)
	layer.Digest, layer.Size = blob.sum().Hash(), blob.n
	return err
}

// readTar reads the uncompressed tar of a layer.
func (p *pass) readTar(layer *Layer, where string, x *expander) error {
	whole := newMeter(p.bounded(where, x))
	frame := &frameReader{r: whole, w: newFrameWriter()}
	store := newStoreReader(p)
	defer store.Close()
	l := &layerReader{pass: p, where: where, layer: layer, frame: frame, tr: tar.NewReader(frame), store: store, sum: newSum(), buf: p.buf}
	err := l.walk()
	if err == nil {
		err = l.rest()
	}
	if fatal := p.fatal(err); fatal != nil {
		return fatal
	}
	layer.Broken = err
	if _, err := io.Copy(io.Discard, whole); err != nil { // after a broken header
		if fatal := p.fatal(err); fatal != nil {
			return fatal
		}
		layer.Broken = errors.Join(layer.Broken, err)
	}
	layer.notes = append(layer.notes, x.notes...)
	layer.Frame = frame.w.frame()
	layer.DiffID, layer.UncompressedSize = whole.sum().Hash(), whole.n
	return store.finish(layer)
}

// walk reads the entries up to the end-of-archive blocks.
func (l *layerReader) walk() error {
	for {
		mark := l.frame.w.size
		hdr, err := l.tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return l.broken(err)
		}
		e, err := l.pass.newEntry(l.where, hdr)
		if err != nil {
			return err
		}
		e.FrameSize, e.Offset = l.frame.w.size-mark, l.frame.n
		if n := l.frame.w.buf.Len(); int64(n) > l.pass.limits.FrameBytes {
			return &LimitError{"frame bytes", l.pass.limits.FrameBytes, l.where}
		}
		if err := l.content(&e); err != nil {
			return l.broken(err)
		}
		l.layer.Entries = append(l.layer.Entries, e)
	}
}

func (l *layerReader) broken(err error) error {
	if l.pass.fatal(err) != nil {
		return err
	}
	after := "at the first entry"
	if n := len(l.layer.Entries); n > 0 {
		after = fmt.Sprintf("after entry %q", l.layer.Entries[n-1].Name)
	}
	return fmt.Errorf("reading the tar %s, near byte %d: %w", after, l.frame.n, err)
}

// restKept bounds what a frame keeps of the bytes after the end of the tar; an
// honest one has less than a record of 10,240 bytes there.
const restKept = 1 << 20

// rest reads what follows the end-of-archive blocks: zeros that fill the last
// record, and nothing else in an honest archive.
func (l *layerReader) rest() error {
	if l.frame.n%tarBlock != 0 || l.frame.lastZeros < 1024 {
		l.layer.notes = append(l.layer.notes, "the tar ends without its two end-of-archive blocks")
	}
	start := l.frame.n
	for {
		l.frame.content = l.frame.n-start > restKept
		n, err := l.frame.Read(l.buf)
		if i := firstNonZero(l.buf[:n]); i >= 0 && !l.layer.trailing {
			l.layer.trailing = true
			l.layer.notes = append(l.layer.notes, fmt.Sprintf("data follows the end of the tar, from byte %d on (the tar ends at byte %d)", l.frame.n-int64(n)+int64(i), start))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// content reads the content of one entry and everything that is learnt of it.
func (l *layerReader) content(e *Entry) error {
	own := l.store.enter(l.layer, e)
	l.scan.seen = own
	l.scanText(e)
	if isHeaderOnly(e.Type) {
		return nil
	}
	l.sum.Reset()
	body := l.pass.body(e.Path)
	l.frame.content = true
	defer func() { l.frame.content = false }()
	for {
		n, err := l.tr.Read(l.buf)
		if n > 0 {
			if err := l.take(e, body, l.buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	l.scan.close()
	e.Sparse = l.frame.n-e.Offset != e.Size
	e.Digest = sumOf(l.sum)
	l.layer.keep(e.Path, body)
	return nil
}

// take hands a piece of content to all who want it.
func (l *layerReader) take(e *Entry, body *body, p []byte) error {
	if err := l.pass.expand(l.where, int64(len(p))); err != nil {
		return err
	}
	e.Size += int64(len(p))
	l.sum.Write(p)
	l.scan.write(p)
	if err := body.write(l.where+": "+e.Name, p); err != nil {
		return err
	}
	return l.store.write(p)
}

// scanText scans the name and link target of an entry; inside a store item
// only what its NAR has of them.
func (l *layerReader) scanText(e *Entry) {
	l.scan.seen.from = e.Path
	l.scan.write([]byte(l.store.relative(e)))
	l.scan.close()
	if e.Type == tar.TypeSymlink || e.Type == tar.TypeLink && ItemOf(e.Path) == "" {
		l.scan.write([]byte(e.Linkname))
		l.scan.close()
	}
}

// frameReader splits a tar into frame and content.
type frameReader struct {
	r         io.Reader
	w         *frameWriter
	content   bool  // what is read now is content
	n         int64 // bytes read
	lastZeros int64 // zero bytes at the end of the frame so far
}

func (f *frameReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	f.n += int64(n)
	if f.content {
		return n, err
	}
	f.w.Write(p[:n])
	if i := lastNonZero(p[:n]); i >= 0 {
		f.lastZeros = int64(n - 1 - i)
	} else {
		f.lastZeros += int64(n)
	}
	return n, err
}

func firstNonZero(p []byte) int {
	for i, b := range p {
		if b != 0 {
			return i
		}
	}
	return -1
}

func lastNonZero(p []byte) int {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0 {
			return i
		}
	}
	return -1
}

// newEntry turns a tar header into an entry, within the limits.
func (p *pass) newEntry(where string, hdr *tar.Header) (Entry, error) {
	p.entries++
	if p.entries > p.limits.Entries {
		return Entry{}, &LimitError{"entries", int64(p.limits.Entries), where}
	}
	if n := max(len(hdr.Name), len(hdr.Linkname)); n > p.limits.PathBytes {
		return Entry{}, &LimitError{"path bytes", int64(p.limits.PathBytes), where}
	}
	return Entry{
		Name: hdr.Name, Path: cleanPath(hdr.Name), Type: fileType(hdr.Typeflag), Linkname: hdr.Linkname,
		Mode: hdr.Mode & 07777, UID: hdr.Uid, GID: hdr.Gid, Uname: p.intern(hdr.Uname), Gname: p.intern(hdr.Gname),
		ModTime: hdr.ModTime.Unix(), ModNanos: int32(hdr.ModTime.Nanosecond()),
		Devmajor: hdr.Devmajor, Devminor: hdr.Devminor, Xattrs: xattrs(hdr.PAXRecords),
	}, nil
}

// xattrs returns the extended attributes among PAX records, as star(1) and
// libarchive name them.
func xattrs(records map[string]string) map[string]string {
	var found map[string]string
	for key, value := range records {
		name, ok := strings.CutPrefix(key, "SCHILY.xattr.")
		if !ok {
			name, ok = strings.CutPrefix(key, "LIBARCHIVE.xattr.")
		}
		if !ok {
			continue
		}
		if found == nil {
			found = make(map[string]string)
		}
		found[name] = value
	}
	return found
}

// cleanPath returns the path that a name means in the root file system:
// relative, without "." and "..", "." for the root itself.
func cleanPath(name string) string {
	if isClean(name) {
		return name
	}
	var kept []string
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, part)
		}
	}
	if len(kept) == 0 {
		return "."
	}
	return strings.Join(kept, "/")
}

// isClean says whether cleanPath would return name itself; nearly all are.
func isClean(name string) bool {
	if name == "" || name[0] == '/' || name[len(name)-1] == '/' {
		return false
	}
	return !strings.Contains(name, "//") && !strings.Contains("/"+name+"/", "/./") && !strings.Contains("/"+name+"/", "/../")
}

// isHeaderOnly says that entries of this type have no content, whatever size
// their header claims (POSIX.1-2017 pax, "typeflag").
func isHeaderOnly(kind byte) bool { return '1' <= kind && kind <= '6' }

// fileType folds the type flags that stand for a regular file into one: '7' is
// a contiguous file, 'S' a sparse file of old GNU tar.
func fileType(flag byte) byte {
	if flag == tar.TypeCont || flag == tar.TypeGNUSparse {
		return tar.TypeReg
	}
	return flag
}

func hasDotDot(name string) bool { return strings.Contains("/"+name+"/", "/../") }
