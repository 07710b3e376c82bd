package store

import (
	"audit/inspect/digest"
	"audit/inspect/digest/sha256mb"
	"audit/inspect/paths"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// errNarOrder is what a narWriter says of a node that does not come in order.
var errNarOrder = errors.New("not in the order of a NAR")

// A NarWriter hashes the NAR of one file system object, node by node. The
// format is that of "The Purely Functional Software Deployment Model" (Dolstra 2006,
// figure 5.2) as its tools
// (libutil/archive.cc) writes it: strings, each preceded by its length as 64
// bits little endian and padded with zeros to a multiple of 8 bytes; the
// entries of a folder sorted by name, as bytes.
type NarWriter struct {
	H     *sha256mb.Lane
	size  int64
	begun bool     // the item itself was entered
	open  []string // names of the folders being written, outermost first; "" is the root
	last  []string // the last entry written in each of them
}

// NewNarWriter returns a writer to h, which is at the start of a message.
func NewNarWriter(h *sha256mb.Lane) *NarWriter {
	w := &NarWriter{H: h}
	w.str("nix-archive-1")
	return w
}

func (w *NarWriter) str(tokens ...string) {
	for _, s := range tokens {
		w.length(int64(len(s)))
		io.WriteString(w.H, s)
		w.pad(int64(len(s)))
	}
}

func (w *NarWriter) length(n int64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	w.H.Write(b[:])
	w.size += 8 + n + (8-n%8)%8
}

func (w *NarWriter) pad(n int64) {
	var zeros [8]byte
	w.H.Write(zeros[:(8-n%8)%8])
}

// Enter starts the node at path, relative to the item ("" is the item itself).
func (w *NarWriter) Enter(path string) error {
	if path == "" {
		if w.begun {
			return errNarOrder
		}
		w.begun = true
		w.str("(", "type")
		return nil
	}
	names := strings.Split(path, "/")
	if len(names) > len(w.open) {
		return errNarOrder
	}
	for len(w.open) > len(names) {
		w.leave()
	}
	for i, dir := range w.open {
		if i > 0 && dir != names[i-1] {
			return errNarOrder
		}
	}
	base, i := names[len(names)-1], len(names)-1
	if base <= w.last[i] {
		return errNarOrder
	}
	w.last[i] = base
	w.str("entry", "(", "name", base, "node", "(", "type")
	return nil
}

// Folder says that the node entered is a folder; its entries follow.
func (w *NarWriter) Folder(path string) {
	w.str("directory")
	_, base := paths.Split(path)
	w.open, w.last = append(w.open, base), append(w.last, "")
}

// leave ends the innermost folder.
func (w *NarWriter) leave() {
	n := len(w.open) - 1
	w.open, w.last = w.open[:n], w.last[:n]
	w.end(n)
}

// end closes a node; every one but the item itself is also an entry.
func (w *NarWriter) end(depth int) {
	w.str(")")
	if depth > 0 {
		w.str(")")
	}
}

func (w *NarWriter) Symlink(target string) {
	w.str("symlink", "target", target)
	w.end(len(w.open))
}

// File starts a regular file of so many bytes, which are written to h next.
func (w *NarWriter) File(executable bool, size int64) {
	w.str("regular")
	if executable {
		w.str("executable", "")
	}
	w.str("contents")
	w.length(size)
}

// EndFile ends the file when its bytes are written.
func (w *NarWriter) EndFile(size int64) {
	w.pad(size)
	w.end(len(w.open))
}

func (w *NarWriter) Sum() (digest.Sum, int64) {
	for len(w.open) > 0 {
		w.leave()
	}
	return w.H.Finish(), w.size
}

// A NarNode is one file, folder or symlink of a store item.
type NarNode struct {
	Path       string // relative to the item
	Kind       byte   // '0', '2' or '5'
	Linked     bool   // a hard link whose content comes from elsewhere
	Executable bool
	Size       int64
	Content    io.ReaderAt // holds the content, from offset on
	Offset     int64
	Target     string
}

// A NarHash hashes the NAR of a store item whose nodes come in any order, a piece at a
// time, so that it can be computed together with other digests.
type NarHash struct {
	w     *NarWriter
	nodes []NarNode // that are left
	off   int64     // in the content of the first, of which the start is written
	begun bool      // the start of the first is written
	err   error
}

// NewNarHash returns the hash of these nodes, computed in lane.
func NewNarHash(lane *sha256mb.Lane, nodes []NarNode) *NarHash {
	slices.SortFunc(nodes, func(a, b NarNode) int { return paths.Compare(a.Path, b.Path) })
	return &NarHash{w: NewNarWriter(lane), nodes: nodes}
}

// narCopied is how much of a content is written to the lane rather than lent, so that
// those of small files make one piece.
const narCopied = 4 << 10

// Step hands about as many bytes to the lane as buf has, and says whether there are
// more. What it lends lies in buf, and lasts until the group of the lane is run, which
// has to be before the next step.
func (h *NarHash) Step(buf []byte) bool {
	for n := len(buf); n > 0 && h.err == nil && len(h.nodes) > 0; {
		done, lent := h.node(buf)
		if n -= done; lent {
			break
		}
	}
	return h.err == nil && len(h.nodes) > 0
}

// node hands a piece of the content of the first node to the lane, after what comes
// before it. It returns how much that was, and whether it is lent.
func (h *NarHash) node(buf []byte) (done int, lent bool) {
	one := &h.nodes[0]
	if !h.begun {
		if h.fail(h.w.Enter(one.Path)) {
			return 0, false
		}
		switch one.Kind {
		case '5':
			h.w.Folder(one.Path)
			h.nodes = h.nodes[1:]
			return len(one.Path), false
		case '2':
			h.w.Symlink(one.Target)
			h.nodes = h.nodes[1:]
			return len(one.Path), false
		}
		h.w.File(one.Executable, one.Size)
		h.begun, h.off = true, 0
	}
	p := buf[:min(int64(len(buf)), one.Size-h.off)]
	if k, err := one.Content.ReadAt(p, one.Offset+h.off); k < len(p) {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("%d bytes of content where %d were promised", h.off+int64(k), one.Size)
		}
		h.fail(err)
		return 0, false
	}
	h.off += int64(len(p))
	if len(p) > narCopied {
		h.w.H.Lend(p) // the end of the file is written in the next step
		return len(p), true
	}
	if h.w.H.Write(p); h.off == one.Size {
		h.w.EndFile(one.Size)
		h.begun, h.nodes = false, h.nodes[1:]
	}
	return max(len(p), 1), lent
}

// fail keeps the first error.
func (h *NarHash) fail(err error) bool {
	if err != nil {
		h.err = fmt.Errorf("%q: %w", h.nodes[0].Path, err)
		h.w.H.Reset()
	}
	return err != nil
}

// Sum returns the NAR hash and its size when there are no more steps.
func (h *NarHash) Sum() (digest.Sum, int64, error) {
	if h.err != nil {
		return digest.Sum{}, 0, h.err
	}
	sum, size := h.w.Sum()
	return sum, size, nil
}

// HashNar returns the NAR hash and size of a store item, given its nodes in
// any order.
func HashNar(nodes []NarNode) (digest.Sum, int64, error) {
	group := sha256mb.NewGroup()
	h, buf := NewNarHash(group.NewLane(), nodes), make([]byte, 64<<10)
	for h.Step(buf) {
		group.Run()
	}
	return h.Sum()
}
