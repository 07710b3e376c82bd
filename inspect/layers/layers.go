package layers

import (
	"archive/tar"
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"audit/inspect/ahead"
	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/digest/sha256mb"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/paths"
	"audit/inspect/zeros"
)

// Read reads the blob r to its end and returns the layer that it is. A
// tar that cannot be understood to its end is no error: its bytes are hashed
// all the same and Layer.Broken says where it broke. Errors are those of the
// source below, limits and cancellation.
//
// at has the same bytes as r where they can be read again, else it is nil:
// then the contents of store items are spooled.
func Read(p *pass.Pass, where string, r *bufio.Reader, at io.ReaderAt) (*image.Layer, error) {
	return ReadCarrying(nil, p, where, r, at)
}

// ReadCarrying is Read of a part of a file, of which it carries the digest unless given
// is nil.
func ReadCarrying(given *pass.Given, p *pass.Pass, where string, r *bufio.Reader, at io.ReaderAt) (*image.Layer, error) {
	if copied := p.Copy(where, r); copied != io.Reader(r) {
		r = bufio.NewReaderSize(copied, 128<<10)
	}
	known, rest, err := recall(given, p, where, r, at)
	if known != nil || err != nil {
		return known, err
	}
	if rest != r {
		r, given = rest, nil // it was carried
	}
	var cost pass.Cost
	tallied := p.StartTally(where)
	layer, err := read(given, p, where, r, at, &cost)
	if err == nil && tallied {
		cost.Grown = p.Tally(where)
		remember(p, layer, cost)
	}
	return layer, err
}

func read(given *pass.Given, p *pass.Pass, where string, r *bufio.Reader, at io.ReaderAt, cost *pass.Cost) (*image.Layer, error) {
	head, _ := r.Peek(8)
	layer := &image.Layer{Member: where, Compression: compression.Sniff(head)}
	group := sha256mb.NewGroup()
	blob := p.MeterIn(group, r)
	var err error
	if blob.Also, err = given.Lane(group); err != nil {
		return nil, err
	}
	defer func() { given.Return(blob.N) }()
	if layer.Compression == compression.None {
		if err := readTar(p, group, layer, blob, at, cost); err != nil {
			return nil, err
		}
		layer.Digest, layer.Size = layer.DiffID, layer.UncompressedSize
		return layer, nil
	}
	return layer, readPacked(p, group, layer, r, blob, cost)
}

// packedBytes is how much of a blob is read at a time: a part of what a lane can keep
// until others have as much.
const packedBytes = 32 << 10

// readPacked reads a layer whose blob is compressed. It is expanded ahead of where the
// digests are computed, that of the blob with the others.
// The meter of the blob is written what is read.
func readPacked(p *pass.Pass, group *sha256mb.Group, layer *image.Layer, r io.Reader, blob *digest.Meter, cost *pass.Cost) error {
	last, scan := &lastReader{r: r}, compression.NewFrameScanner()
	if r = last; layer.Compression == compression.Zstd {
		r = io.TeeReader(last, scan)
	}
	reader := ahead.NewReader(p)
	in := bufio.NewReaderSize(reader.Tap(r, blob), packedBytes)
	x, err := compression.Expand(in, layer.Compression, p.Charge(layer.Member))
	if fatal := p.Fatal(err); fatal != nil {
		return fatal
	}
	if err != nil {
		layer.Broken = err
	} else {
		defer x.Close()
		reader.Start(p.Expanded(layer.Member, layer.Compression, x))
		defer reader.Close()
		layer.Gzip = x.Gzip
		if err := readTar(p, group, layer, p.MeterIn(group, reader), nil, cost); err != nil {
			return err
		}
		layer.Notes = append(layer.Notes, x.Notes...)
	}
	_, err = io.Copy(io.Discard, in)
	layer.Digest, layer.Size = blob.Sum().Hash(), blob.N
	scan.Write(nil)
	layer.Skipped, layer.MoreSkipped = scan.Frames, scan.More
	if layer.TOC != nil {
		_, layer.TOC.Footer = footer(last.last, layer.Size)
	}
	return err
}

// A tarReader takes the tar of one layer apart while its bytes go by.
type tarReader struct {
	pass  *pass.Pass
	layer *image.Layer
	frame *frameReader
	tr    *headerReader
	sink  *Sink

	next       image.Entry // which the sink copies
	attributes image.Attributes

	charged    int   // chunks of the frame that are counted
	frames     int64 // their bytes
	impossible int   // owners that no file can have
}

// readTar reads the uncompressed tar of a layer. Its digests are computed in group.
func readTar(p *pass.Pass, group *sha256mb.Group, layer *image.Layer, whole *digest.Meter, at io.ReaderAt, cost *pass.Cost) error {
	frame := &frameReader{whole: whole, w: image.NewFrameWriter()}
	t := &tarReader{pass: p, layer: layer, frame: frame, tr: &headerReader{r: frame}, sink: newSink(p, group, layer)}
	t.sink.store.at, t.sink.counted = at, true
	err := t.walk()
	if err == nil {
		err = t.rest()
	}
	if fatal := p.Fatal(err); fatal != nil {
		t.sink.Abandon()
		return fatal
	}
	layer.Broken = err
	if _, err := io.Copy(io.Discard, whole); err != nil { // after a broken header
		if fatal := p.Fatal(err); fatal != nil {
			t.sink.Abandon()
			return fatal
		}
		if !errors.Is(layer.Broken, err) {
			layer.Broken = errors.Join(layer.Broken, err)
		}
	}
	cost.Texts, cost.Frames = t.sink.textBytes, t.frames
	layer.Frame = frame.w.Frame()
	layer.DiffID, layer.UncompressedSize = whole.Sum().Hash(), whole.N
	if whole.N == 0 {
		layer.Unended = false // engines take it for a layer without entries
	}
	return t.sink.Close()
}

// walk reads the entries up to the end-of-archive blocks.
func (t *tarReader) walk() error {
	for {
		mark := t.frame.w.Size
		hdr, err := t.tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return t.broken(err)
		}
		if err := t.charge(); err != nil {
			return err
		}
		t.next = newEntry(hdr, &t.attributes)
		t.owners(&t.next)
		t.next.FrameSize, t.sink.store.offset = t.frame.w.Size-mark, t.frame.n
		if err := t.entry(&t.next); err != nil {
			return t.broken(err)
		}
	}
}

// maxOwnerNotes bounds how many entries with an impossible owner are listed.
const maxOwnerNotes = 100

// owners makes the owner of an entry the one that an engine gives it: of a number
// that has more than 32 bits the lower ones, and root where those say to leave the
// owner as it is (chown(2)).
func (t *tarReader) owners(e *image.Entry) {
	for _, id := range []*int{&e.Attributes.UID, &e.Attributes.GID} {
		claimed := *id
		if *id = int(uint32(claimed)); uint32(claimed) == math.MaxUint32 {
			*id = 0
		}
		if *id == claimed {
			continue
		}
		if t.impossible++; t.impossible <= maxOwnerNotes {
			t.layer.Remarks = append(t.layer.Remarks, check.Find(check.Note, -1, e.Path, "integrity/owner-range",
				"claimed", claimed, "effective", *id))
		}
	}
}

// charge counts what the frame has grown in memory.
func (t *tarReader) charge() error {
	grown := 0
	for _, p := range t.frame.w.Buf[t.charged:] {
		grown += len(p)
	}
	t.charged = len(t.frame.w.Buf)
	t.frames += int64(grown)
	if t.pass.Frames.Add(int64(grown)) > t.pass.Limits.FrameBytes {
		return &limit.Error{Name: "frame bytes", Limit: t.pass.Limits.FrameBytes, Where: t.layer.Member}
	}
	return nil
}

// entry hands an entry to the sink; what is read meanwhile is content, and lies in
// the buffer of the sink.
func (t *tarReader) entry(e *image.Entry) error {
	t.frame.content = !isHeaderOnly(e.Type)
	t.frame.whole.Lend = t.frame.content
	defer func() { t.frame.content, t.frame.whole.Lend = false, false }()
	if err := t.sink.Add(e, t.tr); err != nil {
		return err
	}
	return nil
}

func (t *tarReader) broken(err error) error {
	if t.pass.Fatal(err) != nil {
		return err
	}
	after := "at the first entry"
	if n := len(t.layer.Entries); n > 0 {
		after = fmt.Sprintf("after entry %q", t.layer.Entries[n-1].Name())
	}
	return fmt.Errorf("reading the tar %s, near byte %d: %w", after, t.frame.n, err)
}

// restKept bounds what a frame keeps of the bytes after the end of the tar; an
// honest one has less than a record of 10,240 bytes there.
const restKept = 1 << 20

// rest reads what follows the end-of-archive blocks: zeros that fill the last
// record, and nothing else in an honest archive but the table of contents of eStargz.
func (t *tarReader) rest() error {
	if t.frame.n%TarBlock != 0 || t.frame.lastZeros < 2*TarBlock {
		t.layer.Unended = true
	}
	start := t.frame.n
	r := bufio.NewReaderSize(restReader{t.frame, start}, len(t.sink.buf))
	first, err := skipZeros(r)
	if err != nil || first < 0 {
		return err
	}
	toc, err := t.readTOC(r)
	switch {
	case err == nil:
		t.layer.TOC = toc
	case t.pass.Fatal(err) != nil:
		return err
	default:
		t.layer.Notes = append(t.layer.Notes, check.Say("integrity/trailing-layer-data", "end", start, "first", start+first))
	}
	_, err = io.Copy(io.Discard, r)
	return err
}

// frameReader splits a tar into frame and content.
type frameReader struct {
	whole     *digest.Meter
	w         *image.FrameWriter
	content   bool  // what is read now is content
	n         int64 // bytes read
	lastZeros int64 // zero bytes at the end of the frame so far
}

func (f *frameReader) Read(p []byte) (int, error) {
	n, err := f.whole.Read(p)
	f.n += int64(n)
	if f.content {
		return n, err
	}
	f.w.Write(p[:n])
	f.lastZeros = zeros.AtEnd(f.lastZeros, p[:n])
	return n, err
}

// newEntry turns a tar header into an entry, of which the attributes are put into a.
func newEntry(hdr *tar.Header, a *image.Attributes) image.Entry {
	path := paths.Clean(hdr.Name)
	*a = image.Attributes{UID: hdr.Uid, GID: hdr.Gid, Uname: hdr.Uname, Gname: hdr.Gname,
		Devmajor: hdr.Devmajor, Devminor: hdr.Devminor, Xattrs: xattrs(hdr.PAXRecords), Spelling: image.Spell(hdr.Name, path)}
	return image.Entry{
		Path: path, Type: fileType(hdr.Typeflag), Linkname: hdr.Linkname,
		Mode: uint16(hdr.Mode & 07777), Sparse: IsSparse(hdr),
		Size: hdr.Size, ModTime: hdr.ModTime.Unix(), ModNanos: int32(hdr.ModTime.Nanosecond()), Attributes: a,
	}
}

// IsSparse says whether the tar stores holes of the file as such (GNU tar 1.35,
// "Storing Sparse Files").
func IsSparse(hdr *tar.Header) bool {
	for key := range hdr.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return hdr.Typeflag == tar.TypeGNUSparse
}

// xattrs returns the extended attributes among PAX records, as star(1) names
// them, and libarchive's where star's are not there: those are the same values
// in base64 (libarchive 3.6, archive_write_set_format_pax.c).
func xattrs(records map[string]string) map[string]string {
	var found map[string]string
	add := func(name, value string) {
		if found == nil {
			found = make(map[string]string)
		}
		found[name] = value
	}
	for key, value := range records {
		if name, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok {
			add(name, value)
		}
		name, ok := strings.CutPrefix(key, "LIBARCHIVE.xattr.")
		if _, star := records["SCHILY.xattr."+name]; ok && !star {
			add(name, unbase64(value))
		}
	}
	return found
}

// unbase64 decodes what libarchive encodes without padding; anything else
// stays as it is.
func unbase64(value string) string {
	raw, err := base64.RawStdEncoding.DecodeString(value)
	if err != nil {
		return value
	}
	return string(raw)
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
