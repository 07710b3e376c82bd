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

// HashNar returns the NAR hash and size of a store item, given its nodes in
// any order.
func HashNar(nodes []NarNode) (digest.Sum, int64, error) {
	slices.SortFunc(nodes, func(a, b NarNode) int { return paths.Compare(a.Path, b.Path) })
	w := NewNarWriter(sha256mb.NewGroup().NewLane())
	for _, n := range nodes {
		if err := writeNode(w, n); err != nil {
			return digest.Sum{}, 0, fmt.Errorf("%q: %w", n.Path, err)
		}
	}
	sum, size := w.Sum()
	return sum, size, nil
}

func writeNode(w *NarWriter, n NarNode) error {
	if err := w.Enter(n.Path); err != nil {
		return err
	}
	switch n.Kind {
	case '5':
		w.Folder(n.Path)
	case '2':
		w.Symlink(n.Target)
	default:
		return writeContent(w, n)
	}
	return nil
}

func writeContent(w *NarWriter, n NarNode) error {
	w.File(n.Executable, n.Size)
	got, err := io.Copy(w.H, io.NewSectionReader(n.Content, n.Offset, n.Size))
	if err != nil {
		return err
	}
	if got != n.Size {
		return fmt.Errorf("%d bytes of content where %d were promised", got, n.Size)
	}
	w.EndFile(n.Size)
	return nil
}
