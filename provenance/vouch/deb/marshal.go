package deb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
)

// A bytecode is what the code objects of a compiled module have of texts (CPython
// Python/marshal.c, Include/internal/pycore_code.h).
type bytecode struct {
	names []string // of variables, attributes and modules
	files []string // of the source, as each code object has it
}

// Bounds of what is read of byte code.
const (
	maxMarshalDepth   = 200
	maxMarshalObjects = 1 << 22
)

var errMarshal = errors.New("no byte code of a form that is known")

// readBytecode reads what follows the header, of Python 3.8 and later.
func readBytecode(data []byte, magic uint16) (b bytecode, err error) {
	m := &marshal{data: data, modern: magic >= pythonMagic["311"], out: &b}
	if _, err := m.object(0); err != nil {
		return bytecode{}, err
	}
	if len(m.data) > 0 {
		return bytecode{}, errMarshal
	}
	return b, nil
}

// A marshal reads objects one after the other.
type marshal struct {
	data    []byte
	refs    []any // objects that are referred to later: strings, lists of them, or nil
	objects int
	modern  bool // code objects are those of Python 3.11
	out     *bytecode
}

func (m *marshal) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.data) {
		return nil, errMarshal
	}
	p := m.data[:n]
	m.data = m.data[n:]
	return p, nil
}

func (m *marshal) int32() (int, error) {
	p, err := m.take(4)
	if err != nil {
		return 0, err
	}
	return int(int32(binary.LittleEndian.Uint32(p))), nil
}

// object reads one: a string for text, a list for a tuple of them, nil for all else.
func (m *marshal) object(depth int) (any, error) {
	p, err := m.take(1)
	if err != nil {
		return nil, err
	}
	if m.objects++; depth > maxMarshalDepth || m.objects > maxMarshalObjects {
		return nil, errMarshal
	}
	kind := p[0] &^ 0x80
	at := -1
	if p[0]&0x80 != 0 {
		at = len(m.refs)
		m.refs = append(m.refs, nil)
	}
	v, err := m.value(kind, depth)
	if at >= 0 {
		m.refs[at] = v
	}
	return v, err
}

func (m *marshal) value(kind byte, depth int) (any, error) {
	switch kind {
	case 'N', 'T', 'F', '.', 'S', '0':
		return nil, nil
	case 'i':
		_, err := m.take(4)
		return nil, err
	case 'g':
		_, err := m.take(8)
		return nil, err
	case 'y':
		_, err := m.take(16)
		return nil, err
	case 'l':
		n, err := m.int32()
		if err != nil || n < -1<<24 || n > 1<<24 {
			return nil, errMarshal
		}
		_, err = m.take(2 * max(n, -n))
		return nil, err
	case 'r':
		n, err := m.int32()
		if err != nil || n < 0 || n >= len(m.refs) {
			return nil, errMarshal
		}
		return m.refs[n], nil
	case 's':
		n, err := m.int32()
		if err != nil {
			return nil, err
		}
		_, err = m.take(n)
		return nil, err
	case 't', 'u', 'a', 'A':
		n, err := m.int32()
		if err != nil {
			return nil, err
		}
		p, err := m.take(n)
		return string(p), err
	case 'z', 'Z':
		n, err := m.take(1)
		if err != nil {
			return nil, err
		}
		p, err := m.take(int(n[0]))
		return string(p), err
	case ')':
		n, err := m.take(1)
		if err != nil {
			return nil, err
		}
		return m.items(int(n[0]), depth)
	case '(', '[', '<', '>':
		n, err := m.int32()
		if err != nil {
			return nil, err
		}
		return m.items(n, depth)
	case ':':
		return m.items(3, depth)
	case 'c':
		return nil, m.code(depth)
	}
	return nil, errMarshal
}

func (m *marshal) items(n, depth int) (any, error) {
	if n < 0 || n > len(m.data) { // each takes a byte
		return nil, errMarshal
	}
	var all []string
	for range n {
		v, err := m.object(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, textsOf(v)...)
	}
	return all, nil
}

// textsOf are the texts in an object.
func textsOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	}
	return nil
}

// code reads a code object: numbers, then objects in their order.
func (m *marshal) code(depth int) error {
	numbers, fields := 6, []string{"", "", "names", "names", "names", "names", "file", "names"}
	if m.modern {
		numbers, fields = 5, []string{"", "", "names", "names", "", "file", "names", "names"}
	}
	if _, err := m.take(4 * numbers); err != nil {
		return err
	}
	for _, field := range fields {
		v, err := m.object(depth + 1)
		if err != nil {
			return err
		}
		switch field {
		case "names":
			m.out.names = append(m.out.names, textsOf(v)...)
		case "file":
			m.out.files = append(m.out.files, textsOf(v)...)
		}
	}
	if _, err := m.take(4); err != nil { // the first line
		return err
	}
	tables := 1
	if m.modern {
		tables = 2
	}
	for range tables {
		if _, err := m.object(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// foreign returns a name that the source does not have; "" when it has all. The compiler
// adds names of its own. Of constants nothing is said: it joins and folds them.
func (b bytecode) foreign(source []byte) string {
	words := make(map[string]bool)
	for word := range bytes.FieldsFuncSeq(source, isNoLetter) {
		words[string(word)] = true
	}
	for _, name := range b.names {
		if strings.HasPrefix(name, ".") || !isASCII(name) { // the compiler's own, or in another normal form
			continue
		}
		for part := range strings.FieldsFuncSeq(name, isNoLetter) {
			if _, mangled, ok := strings.Cut(part[1:], "__"); ok && part[0] == '_' && words["__"+mangled] {
				continue
			}
			if !words[part] && !byCompiler[part] {
				return part
			}
		}
	}
	return ""
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

// isNoLetter separates words.
func isNoLetter(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r < 0x80
}

// byCompiler are names that the source need not have (CPython Python/compile.c,
// Python/symtable.c).
var byCompiler = map[string]bool{
	"module": true, "lambda": true, "locals": true, "listcomp": true, "setcomp": true, "dictcomp": true, "genexpr": true, "0": true, "1": true,
	"__module__": true, "__qualname__": true, "__doc__": true, "__annotations__": true, "__class__": true, "__classcell__": true, "__name__": true,
	"__classdict__": true, "__classdictcell__": true, "__firstlineno__": true, "__static_attributes__": true, "__type_params__": true, "__annotate__": true,
	"__enter__": true, "__exit__": true, "AssertionError": true, "format": true, "annotations": true, "return": true,
}
