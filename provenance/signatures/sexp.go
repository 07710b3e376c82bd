package signatures

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// A sexp is a canonical S-expression as libgcrypt has them (its manual, chapter
// "Used S-expressions", and Rivest's draft of 1997): an atom of bytes, or a
// list.
type sexp struct {
	atom []byte // nil for a list
	list []sexp
}

// sexpDepth bounds how deep lists may nest. Keys and signatures need five.
const sexpDepth = 16

// parseSexps reads S-expressions up to the end of text, in the advanced and
// the canonical form of libgcrypt 1.10: tokens, "strings", #hexadecimal#,
// |base64| and LENGTH:bytes. Display hints are refused.
func parseSexps(text []byte) ([]sexp, error) {
	r := &sexpReader{text: text}
	var all []sexp
	for {
		r.skip()
		if r.at == len(r.text) {
			return all, nil
		}
		s, err := r.next(0)
		if err != nil {
			//lint:ignore ST1005 S-expression is a name
			return nil, fmt.Errorf("S-expression, byte %d: %w", r.at, err)
		}
		all = append(all, s)
	}
}

// parseSexp reads a text that is one S-expression.
func parseSexp(text []byte) (sexp, error) {
	all, err := parseSexps(text)
	if err != nil {
		return sexp{}, err
	}
	if len(all) != 1 {
		return sexp{}, fmt.Errorf("%d S-expressions where one belongs", len(all))
	}
	return all[0], nil
}

// isAtom says whether s is the atom name.
func (s sexp) isAtom(name string) bool { return s.atom != nil && string(s.atom) == name }

// is says whether s is a list that begins with name.
func (s sexp) is(name string) bool { return len(s.list) > 0 && s.list[0].isAtom(name) }

// field returns the one list in s that begins with name.
func (s sexp) field(name string) (sexp, error) {
	var found []sexp
	for _, e := range s.list {
		if e.is(name) {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		return sexp{}, fmt.Errorf("%d times (%s …) where it belongs once", len(found), name)
	}
	return found[0], nil
}

// value follows names through the lists in s and returns the atom of the last,
// a (name ATOM).
func (s sexp) value(names ...string) (_ []byte, err error) {
	for _, name := range names {
		if s, err = s.field(name); err != nil {
			return nil, err
		}
	}
	if len(s.list) != 2 || s.list[1].atom == nil {
		return nil, fmt.Errorf("(%s …) has not one value", names[len(names)-1])
	}
	return s.list[1].atom, nil
}

// A sexpReader walks over a text; the byte at is the next one.
type sexpReader struct {
	text []byte
	at   int
}

var errSexpEnd = errors.New("the text ends in the middle")

func (r *sexpReader) skip() {
	for r.at < len(r.text) && bytes.IndexByte([]byte(" \t\r\n\v\f"), r.text[r.at]) >= 0 {
		r.at++
	}
}

// next reads the S-expression that begins here.
func (r *sexpReader) next(depth int) (sexp, error) {
	if depth > sexpDepth {
		return sexp{}, fmt.Errorf("lists more than %d deep", sexpDepth)
	}
	switch c := r.text[r.at]; {
	case c == '(':
		return r.readList(depth)
	case c == '"':
		return atom(r.readString())
	case c == '#':
		return atom(r.readHex())
	case c == '|':
		return atom(r.readBase64())
	case '0' <= c && c <= '9':
		return atom(r.readVerbatim())
	case isTokenByte(c):
		return atom(r.readToken())
	default:
		return sexp{}, fmt.Errorf("%q belongs nowhere here", c)
	}
}

// atom makes an S-expression of bytes, which are then never nil.
func atom(b []byte, err error) (sexp, error) {
	if err != nil {
		return sexp{}, err
	}
	return sexp{atom: append([]byte{}, b...)}, nil
}

func (r *sexpReader) readList(depth int) (sexp, error) {
	var s sexp
	r.at++
	for {
		r.skip()
		if r.at == len(r.text) {
			return sexp{}, errSexpEnd
		}
		if r.text[r.at] == ')' {
			r.at++
			return s, nil
		}
		e, err := r.next(depth + 1)
		if err != nil {
			return sexp{}, err
		}
		s.list = append(s.list, e)
	}
}

// isTokenByte says whether c may stand in a token. A digit may not begin one.
func isTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || bytes.IndexByte([]byte("-./_:*+="), c) >= 0
}

func (r *sexpReader) readToken() ([]byte, error) {
	from := r.at
	for r.at < len(r.text) && isTokenByte(r.text[r.at]) {
		r.at++
	}
	return r.text[from:r.at], nil
}

// readVerbatim reads LENGTH:bytes.
func (r *sexpReader) readVerbatim() ([]byte, error) {
	colon := bytes.IndexByte(r.text[r.at:], ':')
	if colon < 0 {
		return nil, errors.New("a length without colon")
	}
	n, err := strconv.ParseUint(string(r.text[r.at:r.at+colon]), 10, 31)
	if err != nil {
		return nil, errors.New("a length that is no number")
	}
	from := r.at + colon + 1
	if uint64(len(r.text)-from) < n {
		return nil, errSexpEnd
	}
	r.at = from + int(n)
	return r.text[from:r.at], nil
}

// enclosed returns what stands between the delimiter here and the next one,
// without white space.
func (r *sexpReader) enclosed() ([]byte, error) {
	delimiter := r.text[r.at]
	n := bytes.IndexByte(r.text[r.at+1:], delimiter)
	if n < 0 {
		return nil, errSexpEnd
	}
	inner := r.text[r.at+1 : r.at+1+n]
	r.at += n + 2
	return bytes.Join(bytes.Fields(inner), nil), nil
}

func (r *sexpReader) readHex() ([]byte, error) {
	digits, err := r.enclosed()
	if err != nil {
		return nil, err
	}
	return hex.AppendDecode(nil, digits)
}

func (r *sexpReader) readBase64() ([]byte, error) {
	digits, err := r.enclosed()
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.AppendDecode(nil, digits)
}

func (r *sexpReader) readString() ([]byte, error) {
	var out []byte
	for r.at++; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case '"':
			r.at++
			return out, nil
		case '\\':
			b, err := r.escape()
			if err != nil {
				return nil, err
			}
			out = append(out, b...)
		default:
			out = append(out, c)
		}
	}
	return nil, errSexpEnd
}

// escape reads an escape of a string and stays at its last byte: those of C,
// and a line end that is to be passed over.
func (r *sexpReader) escape() ([]byte, error) {
	r.at++
	if r.at == len(r.text) {
		return nil, errSexpEnd
	}
	c := r.text[r.at]
	if i := bytes.IndexByte([]byte(`btvnfr"'\`), c); i >= 0 {
		return []byte{"\b\t\v\n\f\r\"'\\"[i]}, nil
	}
	switch {
	case '0' <= c && c <= '7':
		return r.number(r.at, 3, 8)
	case c == 'x':
		return r.number(r.at+1, 2, 16)
	case c == '\n':
		r.swallow('\r')
		return nil, nil
	case c == '\r':
		r.swallow('\n')
		return nil, nil
	}
	return nil, fmt.Errorf("an escape \\%q that is not known", c)
}

// number reads the digits of an escape.
func (r *sexpReader) number(from, digits, base int) ([]byte, error) {
	if from+digits > len(r.text) {
		return nil, errSexpEnd
	}
	n, err := strconv.ParseUint(string(r.text[from:from+digits]), base, 8)
	if err != nil {
		return nil, errors.New("an escape that is no byte")
	}
	r.at = from + digits - 1
	return []byte{byte(n)}, nil
}

// swallow passes over the second half of a line end.
func (r *sexpReader) swallow(c byte) {
	if r.at+1 < len(r.text) && r.text[r.at+1] == c {
		r.at++
	}
}
