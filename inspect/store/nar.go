package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"audit/inspect/digest"
	"audit/inspect/digest/sha256mb"
	"audit/inspect/paths"
)

// errNarOrder is what a NarWriter says of a node that does not come in order.
var errNarOrder = errors.New("not in the order of a NAR")

// A NarWriter writes the NAR of one file system object, node by node. The
// format is that of "The Purely Functional Software Deployment Model" (Dolstra 2006,
// figure 5.2) as its tools
// (libutil/archive.cc) writes it: strings, each preceded by its length as 64
// bits little endian and padded with zeros to a multiple of 8 bytes; the
// entries of a folder sorted by name, as bytes.
type NarWriter struct {
	w     io.Writer
	word  [8]byte // being written
	size  int64
	begun bool     // the item itself was entered
	open  []string // names of the folders being written, outermost first; "" is the root
	last  []string // the last entry written in each of them
}

// NewNarWriter returns a writer to out, of whose errors there are none.
func NewNarWriter(out io.Writer) *NarWriter {
	w := &NarWriter{w: out}
	w.str("nix-archive-1")
	return w
}

func (w *NarWriter) str(tokens ...string) {
	for _, s := range tokens {
		w.length(int64(len(s)))
		io.WriteString(w.w, s)
		w.pad(int64(len(s)))
	}
}

func (w *NarWriter) length(n int64) {
	binary.LittleEndian.PutUint64(w.word[:], uint64(n))
	w.w.Write(w.word[:])
	w.size += 8 + n + (8-n%8)%8
}

func (w *NarWriter) pad(n int64) {
	clear(w.word[:])
	w.w.Write(w.word[:(8-n%8)%8])
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

// Symlink writes a symlink.
func (w *NarWriter) Symlink(target string) {
	w.str("symlink", "target", target)
	w.end(len(w.open))
}

// File starts a regular file of so many bytes, which are written to out next.
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

// Close ends the NAR and returns its size.
func (w *NarWriter) Close() int64 {
	for len(w.open) > 0 {
		w.leave()
	}
	return w.size
}

// A NarNode is one file, folder or symlink of a store item.
type NarNode struct {
	Path       string // relative to the item
	Kind       byte   // '0', '2' or '5'
	Linked     bool   // a hard link whose content comes from elsewhere
	Executable bool
	Size       int64
	Content    io.ReaderAt // has the content, from offset on
	Offset     int64
	Target     string
}

// A NarHash hashes the NAR of a store item whose nodes come in any order, a piece at a
// time, so that it can be computed together with other digests.
type NarHash struct {
	lane  *sha256mb.Lane
	w     *NarWriter
	head  bytes.Buffer // what w wrote and is not in a piece yet
	nodes []NarNode    // that are left
	off   int64        // how much of the content of the first is in a piece
	begun bool         // what comes before that is in head
	err   error
}

// NewNarHash returns the hash of these nodes, computed in lane.
func NewNarHash(lane *sha256mb.Lane, nodes []NarNode) *NarHash {
	slices.SortFunc(nodes, func(a, b NarNode) int { return paths.Compare(a.Path, b.Path) })
	h := &NarHash{lane: lane, nodes: nodes}
	h.w = NewNarWriter(&h.head)
	return h
}

// Step fills buf with the next piece of the NAR and lends it to the lane until the
// group of that is run. It returns false when there was none.
func (h *NarHash) Step(buf []byte) bool {
	n := 0
	for n < len(buf) && h.err == nil && (len(h.nodes) > 0 || h.head.Len() > 0) {
		k := 0
		switch {
		case h.head.Len() > 0:
			k, _ = h.head.Read(buf[n:])
		case h.begun:
			k, h.err = h.content(buf[n:])
		default:
			h.err = h.begin()
		}
		n += k
	}
	if h.err != nil {
		h.lane.Reset()
		return false
	}
	h.lane.Lend(buf[:n])
	return n > 0
}

// begin writes what comes before the content of the first node, and all of one that
// has none.
func (h *NarHash) begin() error {
	one := &h.nodes[0]
	if err := h.w.Enter(one.Path); err != nil {
		return fmt.Errorf("%q: %w", one.Path, err)
	}
	switch one.Kind {
	case '5':
		h.w.Folder(one.Path)
	case '2':
		h.w.Symlink(one.Target)
	default:
		h.w.File(one.Executable, one.Size)
		h.begun, h.off = true, 0
		return nil
	}
	h.nodes = h.nodes[1:]
	return nil
}

// content reads the next of the content of the first node, and goes on to the next
// node at its end.
func (h *NarHash) content(p []byte) (int, error) {
	one := &h.nodes[0]
	p = p[:min(int64(len(p)), one.Size-h.off)]
	if n, err := one.Content.ReadAt(p, one.Offset+h.off); n < len(p) {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("%d bytes of content where %d were promised", h.off+int64(n), one.Size)
		}
		return 0, fmt.Errorf("%q: %w", one.Path, err)
	}
	if h.off += int64(len(p)); h.off == one.Size {
		h.w.EndFile(one.Size)
		h.begun, h.nodes = false, h.nodes[1:]
	}
	return len(p), nil
}

// Sum returns the NAR hash and its size when there is no more.
func (h *NarHash) Sum() (digest.Sum, int64, error) {
	if h.err != nil {
		return digest.Sum{}, 0, h.err
	}
	size := h.w.Close()
	h.lane.Write(h.head.Bytes())
	return h.lane.Finish(), size, nil
}
