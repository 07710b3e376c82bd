package compare

import (
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"

	"audit/inspect"
	"audit/rebuild/compare/explain"
)

// A shapeID stands for the shape of an entry's headers: all that the fields of
// an [inspect.Entry] do not show them, such as how numbers are written, which
// extended headers there are and what else they contain. Field values and shape
// together are the bytes of the headers. 0 is the shape of unknown headers.
type shapeID int32

// shapeNames gives each shape a number; an archive has a handful of them.
type shapeNames struct {
	ids   map[string]shapeID
	texts []string
	size  int
	diffs map[[2]shapeID][]FieldDifference
}

func newShapeNames() *shapeNames {
	return &shapeNames{ids: map[string]shapeID{"": 0}, texts: []string{""}, diffs: make(map[[2]shapeID][]FieldDifference)}
}

// maxShapes bounds the bytes of all shapes that are kept. Beyond, a shape is
// only known by its digest: a difference is still found, but not in words.
const maxShapes = 64 << 20

func (n *shapeNames) id(text []byte) shapeID {
	if id, ok := n.ids[string(text)]; ok {
		return id
	}
	if n.size+len(text) > maxShapes && len(text) > 100 {
		return n.id(fmt.Appendf(nil, "headers\tdigest %x\n", sha256.Sum256(text)))
	}
	id := shapeID(len(n.texts))
	n.texts = append(n.texts, string(text))
	n.ids[n.texts[id]] = id
	n.size += len(text)
	return id
}

// A tail is what follows the last entry of a layer.
type tail struct {
	known  bool
	pad    string // what pads the last entry, "" when it is zeros
	size   int64  // bytes after that
	filled bool   // the layer is a whole number of records of 10,240 bytes
	zero   bool   // all of them are zero
	sum    [sha256.Size]byte
}

// maxTail is what an inspected frame surely keeps of the end of a tar, in
// bytes. Of a longer one, which no packer makes, it is not known to be zero.
const maxTail = 1 << 20

// readFrames reads the frames of all layers that have no equal.
func (s *side) readFrames(names *shapeNames) {
	for i, l := range s.img.Layers {
		if !s.equal[i] {
			s.readFrame(i, l, names)
		}
	}
}

// maxPiece bounds the headers of one entry that are looked into.
const maxPiece = 8 << 20

func (s *side) readFrame(i int, l *inspect.Layer, names *shapeNames) {
	s.shapes[i] = make([]shapeID, len(l.Entries))
	r := l.Frame.Open()
	var buf []byte
	var sh shaper
	for j := range l.Entries {
		e := l.Entries[j]
		if e.FrameSize > maxPiece {
			h := sha256.New()
			if _, err := io.CopyN(h, r, e.FrameSize); err != nil {
				return
			}
			s.shapes[i][j] = names.id(fmt.Appendf(nil, "headers\t%d bytes, digest %x\n", e.FrameSize, h.Sum(nil)))
			continue
		}
		if int64(cap(buf)) < e.FrameSize {
			buf = make([]byte, e.FrameSize)
		}
		buf = buf[:e.FrameSize]
		if _, err := io.ReadFull(r, buf); err != nil {
			return
		}
		s.shapes[i][j] = names.id(sh.shape(e, buf))
	}
	if l.Frame.Size > 0 {
		s.tails[i] = readTail(l, r)
	}
}

func readTail(l *inspect.Layer, r io.Reader) tail {
	t := tail{zero: true, filled: l.UncompressedSize%10240 == 0}
	pad := make([]byte, padding(l.Entries))
	n, _ := io.ReadFull(r, pad)
	if !isZero(pad[:n]) {
		t.pad = strconv.Quote(string(pad[:n]))
	}
	h := sha256.New()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		h.Write(buf[:n])
		t.size += int64(n)
		t.zero = t.zero && isZero(buf[:n]) && t.size < maxTail
		if err != nil {
			t.sum = [sha256.Size]byte(h.Sum(nil))
			t.known = err == io.EOF
			return t
		}
	}
}

// padding returns how many bytes fill the last block of the last entry.
func padding(entries []*inspect.Entry) int64 {
	if len(entries) == 0 {
		return 0
	}
	last := entries[len(entries)-1]
	if last.Sparse {
		return 0 // what is stored of it is not known
	}
	return -last.Size & (block - 1)
}

// form says in words how the end of a tar is laid out: its two zero blocks, and
// how many more it has.
func (t tail) form() string {
	switch {
	case t.size%block != 0:
		return fmt.Sprintf("%d zero bytes", t.size)
	case t.size == 2*block:
		return "two zero blocks"
	case t.isRecord():
		return "zeros up to a whole record of 10240 bytes"
	}
	return fmt.Sprintf("%d zero blocks", t.size/block)
}

// isRecord says whether a tar ends where a packer ends it that writes whole
// records and no more of them than needed.
func (t tail) isRecord() bool { return t.filled && t.size >= 2*block && t.size < 22*block }

// sameForm says whether the ends of two tars may come from the same packer.
func (t tail) sameForm(u tail) bool { return t.form() == u.form() || t.isRecord() && u.isRecord() }

// layersAsWhole compares what layers have beside their entries, and sees to it
// that no difference between layers stays untold.
func (w *walk) layersAsWhole() {
	for i, j := range w.a.partner {
		switch {
		case j >= 0 && !w.a.equal[i]:
			w.wholeLayers(i, j)
		case j < 0:
			w.lonelyLayer(&w.a, i, Missing)
		}
	}
	for j, i := range w.b.partner {
		if i < 0 {
			w.lonelyLayer(&w.b, j, Extra)
		}
	}
}

func (w *walk) wholeLayers(i, j int) {
	la, lb := w.a.img.Layers[i], w.b.img.Layers[j]
	if la.Broken != nil || lb.Broken != nil {
		w.report(Difference{Layer: i, Cause: Content, Was: brokenText(la), Now: brokenText(lb), Evidence: evidence("difference/broken-layer")}, i, j)
	}
	w.tailsOf(i, j)
	if !w.a.reported[i] && !w.b.reported[j] {
		w.unexplained(i, j)
	}
}

func brokenText(l *inspect.Layer) string {
	if l.Broken == nil {
		return "a whole tar"
	}
	return "a tar that can be read only in part: " + l.Broken.Error()
}

// tailsOf compares what follows the last entries. Bytes that are not zero are
// content, though no entry contains them.
func (w *walk) tailsOf(i, j int) {
	x, y := w.a.tails[i], w.b.tails[j]
	if !x.known || !y.known {
		return
	}
	if x.pad != y.pad {
		w.report(Difference{Layer: i, Cause: Packaging, Was: x.pad, Now: y.pad, Evidence: evidence("difference/padding")}, i, j)
	}
	if (!x.zero || !y.zero) && (x.sum != y.sum || x.size >= maxTail) {
		w.report(Difference{Layer: i, Cause: Content, Was: x.text(), Now: y.text(), Evidence: evidence("difference/trailing-bytes")}, i, j)
	} else if !x.sameForm(y) {
		w.report(Difference{Layer: i, Cause: Packaging, Was: x.form(), Now: y.form(), Evidence: evidence("difference/end-of-tar")}, i, j)
	}
}

func (t tail) text() string {
	switch {
	case t.zero:
		return fmt.Sprintf("%d bytes, all zero", t.size)
	case t.size >= maxTail:
		return fmt.Sprintf("%d bytes or more, not all looked into", t.size)
	}
	return fmt.Sprintf("%d bytes, sha256:%x", t.size, t.sum)
}

// lonelyLayer notes a layer without a partner that no entry shows.
func (w *walk) lonelyLayer(s *side, i int, cause Cause) {
	l := s.img.Layers[i]
	text := fmt.Sprintf("a layer of %d bytes", l.UncompressedSize)
	switch {
	case l.Broken != nil:
		text = brokenText(l)
	case s.reported[i]:
		return
	case len(l.Entries) == 0 && (!s.tails[i].known || s.tails[i].zero):
		cause, text = Packaging, text+" without entries"
	}
	d := Difference{Layer: i, Cause: cause, Was: text}
	if s == &w.b {
		d.Was, d.Now = "", text
	}
	s.reported[i] = true
	w.add(d)
}

// unexplained names the first bytes in which two layers part that have nothing
// else to report.
func (w *walk) unexplained(i, j int) {
	la, lb := w.a.img.Layers[i], w.b.img.Layers[j]
	if la.Frame.Size == 0 || lb.Frame.Size == 0 {
		w.report(Difference{Layer: i, Cause: Packaging, Was: name(la), Now: name(lb),
			Evidence: evidence("difference/no-tar")}, i, j)
		return
	}
	at, was, now := partAt(la.Frame.Open(), lb.Frame.Open())
	if at < 0 {
		w.report(Difference{Layer: i, Cause: Content,
			Was:      fmt.Sprintf("%s, %d bytes", name(la), la.UncompressedSize),
			Now:      fmt.Sprintf("%s, %d bytes", name(lb), lb.UncompressedSize),
			Evidence: evidence("difference/not-found")}, i, j)
		return
	}
	path, offset := entryAt(la, at)
	w.report(Difference{Path: path, Layer: i, Cause: Packaging, Was: was, Now: now,
		Evidence: evidence("difference/header-bytes", "offset", at, "entry-offset", offset)}, i, j)
}

// partAt returns the offset at which two streams part, -1 when they do not,
// with a window on both.
func partAt(x, y io.Reader) (int64, string, string) {
	a, b := make([]byte, 32<<10), make([]byte, 32<<10)
	var at int64
	for {
		n, errX := io.ReadFull(x, a)
		m, errY := io.ReadFull(y, b)
		if k := explain.FirstDifference(a[:n], b[:m]); k >= 0 {
			return at + int64(k), explain.Window(a[:n], k), explain.Window(b[:m], k)
		}
		if errX != nil || errY != nil {
			return -1, "", ""
		}
		at += int64(n)
	}
}

// entryAt returns the entry to which a byte of the frame belongs, "" for the
// end of the tar.
func entryAt(l *inspect.Layer, at int64) (string, int64) {
	for i := range l.Entries {
		if at < l.Entries[i].FrameSize {
			return l.Entries[i].Path, at
		}
		at -= l.Entries[i].FrameSize
	}
	return "", at
}
