package explain

import (
	"encoding/binary"
	"slices"
)

// A marshalReader rewrites the code of a .pyc (Python/marshal.c of CPython 3.13)
// so that it does not depend on which objects are marked as ones that may be
// referred to: CPython marks those that its memory holds more than once, which
// changes from one run to the next. A reference names its object by its turn
// among all objects, and not among those that are marked.
type marshalReader struct {
	data    []byte
	out     []byte
	texts   []string // the strings, which out leaves away
	longs   int      // of a code object before its first object
	tail    int      // objects of it after its line number
	marked  []int    // the marked objects, by turn
	objects int
	depth   int
	bad     bool
}

// Bounds on code that is made to be deep.
const maxObjectDepth = 1000

// A canonical form of code is its objects but the strings, and the strings.
type canonical struct {
	objects []byte
	texts   []string
}

// canonicalCode returns code in that form; false when it is not understood.
func canonicalCode(code []byte, magic uint32) (canonical, bool) {
	const python311, python38 = 3450, 3400
	m := &marshalReader{data: code, longs: 5, tail: 1}
	switch {
	case magic >= python2:
		return canonical{}, false
	case magic >= python311:
		m.tail = 2
	case magic >= python38:
		m.longs = 6
	}
	m.object()
	return canonical{m.out, m.texts}, !m.bad && len(m.data) == 0
}

func (m *marshalReader) take(n int) []byte {
	if n < 0 || n > len(m.data) {
		m.bad = true
		m.data = nil
		return nil
	}
	taken := m.data[:n]
	m.data = m.data[n:]
	return taken
}

// copy takes bytes as they are.
func (m *marshalReader) copy(n int) []byte {
	taken := m.take(n)
	m.out = append(m.out, taken...)
	return taken
}

// long copies a number of 4 bytes, small one of 1.
func (m *marshalReader) long() int {
	if b := m.copy(4); b != nil {
		return int(int32(binary.LittleEndian.Uint32(b)))
	}
	return 0
}

func (m *marshalReader) small() int {
	if b := m.copy(1); b != nil {
		return int(b[0])
	}
	return 0
}

// object rewrites one object. It returns false for the mark that ends a
// dictionary.
func (m *marshalReader) object() bool {
	const mark = 0x80
	b := m.take(1)
	if m.depth++; b == nil || m.depth > maxObjectDepth {
		m.bad = true
		return false
	}
	defer func() { m.depth-- }()
	kind := b[0] &^ mark
	m.out = append(m.out, kind)
	if kind == 'r' {
		m.reference()
		return true
	}
	if b[0]&mark != 0 {
		m.marked = append(m.marked, m.objects)
	}
	m.objects++
	m.body(kind)
	return kind != '0'
}

func (m *marshalReader) reference() {
	b := m.take(4)
	if b == nil {
		return
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) >= uint64(len(m.marked)) {
		m.bad = true
		return
	}
	m.out = binary.LittleEndian.AppendUint32(m.out, uint32(m.marked[n]))
}

func (m *marshalReader) body(kind byte) {
	switch kind {
	case '0', 'N', 'F', 'T', 'S', '.':
	case 'i':
		m.copy(4)
	case 'I', 'g':
		m.copy(8)
	case 'y':
		m.copy(16)
	case 'l':
		n := m.long()
		m.copy(2 * max(n, -n))
	case 's':
		m.copy(m.long())
	case 'f':
		m.copy(m.small())
	case 't', 'u', 'a', 'A':
		m.text(4)
	case 'z', 'Z':
		m.out[len(m.out)-1] -= 'z' - 'a' // a short one: its length alone decides
		m.text(1)
	case ')':
		m.sequence(m.small())
	case '(', '[', '<', '>':
		m.sequence(m.long())
	case '{':
		for m.object() && !m.bad {
			m.object()
		}
	case 'c':
		m.copy(4 * m.longs)
		m.sequence(8)
		m.copy(4)
		m.sequence(m.tail)
	default:
		m.bad = true
	}
}

// text takes a string, whose length has so many bytes.
func (m *marshalReader) text(width int) {
	b := slices.Concat(m.take(width), make([]byte, 4))
	m.texts = append(m.texts, string(m.take(int(int32(binary.LittleEndian.Uint32(b))))))
}

func (m *marshalReader) sequence(n int) {
	for ; n > 0 && !m.bad; n-- {
		m.object()
	}
}
