package compare

import (
	"crypto/sha256"
	"io"
	"strconv"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild/compare/explain"
)

// A tail is what follows the last entry of a layer.
type tail struct {
	known  bool
	pad    string // what pads the last entry, quoted; "" when it is zeros
	size   int64  // bytes after that
	filled bool   // the layer is a whole number of records of 10,240 bytes
	zero   bool   // all of them are zero
	sum    [sha256.Size]byte
}

// maxTail is what an inspected frame surely keeps of the end of a tar, in
// bytes. Of a longer one, which no packer makes, it is not known to be zero.
const maxTail = 1 << 20

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
func padding(entries []inspect.Entry) int64 {
	if len(entries) == 0 {
		return 0
	}
	last := entries[len(entries)-1]
	if last.Sparse {
		return 0 // what is stored of it is not known
	}
	return -last.Size & (block - 1)
}

// form is how the end of a tar is laid out that is zeros: its two zero blocks, and
// how many more it has.
func (t tail) form() Value {
	switch {
	case t.size%block != 0:
		return coded(check.Say("value/zero-bytes", "bytes", t.size))
	case t.size == 2*block:
		return coded(check.Say("value/two-zero-blocks"))
	case t.isRecord():
		return coded(check.Say("value/whole-record"))
	}
	return coded(check.Say("value/zero-blocks", "blocks", t.size/block))
}

// isRecord says whether a tar ends where a packer ends it that writes whole
// records and no more of them than needed.
func (t tail) isRecord() bool { return t.filled && t.size >= 2*block && t.size < 22*block }

// sameForm says whether the ends of two tars may come from the same packer.
func (t tail) sameForm(u tail) bool { return t.size == u.size || t.isRecord() && u.isRecord() }

// layersAsWhole compares what layers have beside their entries, and sees to it
// that no difference between layers goes unreported.
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
		w.report(Difference{Layer: i, Cause: Content, Was: brokenValue(la), Now: brokenValue(lb), Evidence: evidence("difference/broken-layer")}, i, j)
	}
	w.tailsOf(i, j)
	if !w.a.reported[i] && !w.b.reported[j] {
		w.unexplained(i, j)
	}
}

func brokenValue(l *inspect.Layer) Value {
	if l.Broken == nil {
		return coded(check.Say("value/whole-tar"))
	}
	return coded(check.Say("value/broken-tar", "error", l.Broken))
}

// tailsOf compares what follows the last entries. Bytes that are not zero are
// content, though no entry contains them.
func (w *walk) tailsOf(i, j int) {
	x, y := w.a.tails[i], w.b.tails[j]
	if !x.known || !y.known {
		return
	}
	if x.pad != y.pad {
		w.report(Difference{Layer: i, Cause: Packaging, Was: TextValue(x.pad), Now: TextValue(y.pad), Evidence: evidence("difference/padding")}, i, j)
	}
	if (!x.zero || !y.zero) && (x.sum != y.sum || x.size >= maxTail) {
		w.report(Difference{Layer: i, Cause: Content, Was: x.content(), Now: y.content(), Evidence: evidence("difference/trailing-bytes")}, i, j)
	} else if !x.sameForm(y) {
		w.report(Difference{Layer: i, Cause: Packaging, Was: x.form(), Now: y.form(), Evidence: evidence("difference/end-of-tar")}, i, j)
	}
}

// content is what bytes an end of a tar has that is not zeros.
func (t tail) content() Value {
	switch {
	case t.zero:
		return coded(check.Say("value/all-zero", "bytes", t.size))
	case t.size >= maxTail:
		return coded(check.Say("value/bytes-in-part", "bytes", t.size))
	}
	return coded(check.Say("value/bytes-hashed", "bytes", t.size, "digest", inspect.Sum(t.sum)))
}

// lonelyLayer notes a layer without a partner that no entry shows.
func (w *walk) lonelyLayer(s *side, i int, cause Cause) {
	l := s.img.Layers[i]
	what := Value(coded(check.Say("value/layer-of-bytes", "bytes", l.UncompressedSize)))
	switch {
	case l.Broken != nil:
		what = brokenValue(l)
	case s.reported[i]:
		return
	case len(l.Entries) == 0 && (!s.tails[i].known || s.tails[i].zero):
		cause, what = Packaging, coded(check.Say("value/layer-without-entries", "bytes", l.UncompressedSize))
	}
	d := Difference{Layer: i, Cause: cause, Was: what}
	if s == &w.b {
		d.Was, d.Now = nil, what
	}
	s.reported[i] = true
	w.add(d)
}

// unexplained names the first bytes in which two layers part that have nothing
// else to report.
func (w *walk) unexplained(i, j int) {
	la, lb := w.a.img.Layers[i], w.b.img.Layers[j]
	if la.Frame.Size == 0 || lb.Frame.Size == 0 {
		w.report(Difference{Layer: i, Cause: Packaging, Was: Text(name(la)), Now: Text(name(lb)),
			Evidence: evidence("difference/no-tar")}, i, j)
		return
	}
	at, was, now := partAt(la.Frame.Open(), lb.Frame.Open())
	if at < 0 {
		w.report(Difference{Layer: i, Cause: Content,
			Was:      coded(check.Say("value/named-layer", "layer", name(la), "bytes", la.UncompressedSize)),
			Now:      coded(check.Say("value/named-layer", "layer", name(lb), "bytes", lb.UncompressedSize)),
			Evidence: evidence("difference/not-found")}, i, j)
		return
	}
	path, offset := entryAt(la, at)
	w.report(Difference{Path: path, Layer: i, Cause: Packaging, Was: Text(was), Now: Text(now),
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
