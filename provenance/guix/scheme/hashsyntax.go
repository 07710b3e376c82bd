package scheme

import (
	"audit/inspect/check"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sharp reads what begins with #.
func (r *reader) sharp() (Value, error) {
	switch {
	case r.looksAt("#("):
		return r.vector(1)
	case r.looksAt("#vu8("):
		return r.bytevector()
	case r.looksAt(`#\`):
		return r.char()
	case r.looksAt("#:"):
		return r.keyword()
	case r.looksAt("#{"):
		return r.extendedSymbol()
	case r.looksAt("#."):
		return Value{}, r.errorf("#. asks for a program to be run while reading: refused")
	}
	return r.sharpToken()
}

// sharpToken reads #t, #f, #nil and numbers with a radix.
func (r *reader) sharpToken() (Value, error) {
	pos := r.pos
	token, err := r.token()
	if err != nil {
		return Value{}, err
	}
	switch token {
	case "#t", "#T", "#true":
		return Value{Kind: True}, nil
	case "#f", "#F", "#false":
		return Value{Kind: False}, nil
	case "#nil":
		return Value{Kind: Nil}, nil
	}
	if text, ok := radixNumber(token); ok {
		return Value{Kind: Number, Text: text}, nil
	}
	return Value{}, errorAt(pos, "the syntax %q is not supported", check.ClipTo(token, mostToken))
}

// vector reads #( … ), whose parenthesis is skip characters ahead.
func (r *reader) vector(skip int) (Value, error) {
	pos := r.pos
	r.drop(skip)
	v, err := r.list(')')
	if err == nil && v.Tail != nil {
		err = errorAt(pos, "a dot in a vector")
	}
	v.Kind = Vector
	return v, err
}

// bytevector reads #vu8( … ).
func (r *reader) bytevector() (Value, error) {
	pos := r.pos
	v, err := r.vector(len("#vu8"))
	if err != nil {
		return v, err
	}
	b := make([]byte, len(v.Items))
	for i, item := range v.Items {
		n, err := strconv.ParseUint(item.Text, 10, 8)
		if item.Kind != Number || err != nil {
			return v, errorAt(pos, "element %d of a bytevector is no number from 0 to 255", i)
		}
		b[i] = byte(n)
	}
	return Value{Kind: Bytevector, Text: string(b)}, nil
}

// charNames are the names that Guile knows, without regard to case.
var charNames = map[string]rune{
	"space": ' ', "newline": '\n',
	"nul": 0, "alarm": 7, "backspace": 8, "tab": 9, "linefeed": 10, "vtab": 11,
	"page": 12, "return": 13, "esc": 27, "delete": 127, "escape": 27,
	"soh": 1, "stx": 2, "etx": 3, "eot": 4, "enq": 5, "ack": 6, "bel": 7, "bs": 8,
	"ht": 9, "lf": 10, "vt": 11, "ff": 12, "cr": 13, "so": 14, "si": 15, "dle": 16,
	"dc1": 17, "dc2": 18, "dc3": 19, "dc4": 20, "nak": 21, "syn": 22, "etb": 23,
	"can": 24, "em": 25, "sub": 26, "fs": 28, "gs": 29, "rs": 30, "us": 31,
	"sp": 32, "del": 127, "null": 0, "nl": 10, "np": 12,
}

// dottedCircle carries a combining character after #\.
const dottedCircle = '\u25cc'

// char reads #\x and its kin.
func (r *reader) char() (Value, error) {
	pos := r.pos
	r.drop(2)
	first, err := r.next()
	switch {
	case err != nil:
		return Value{}, err
	case first == eof:
		return Value{}, errorAt(pos, `#\ with nothing after it`)
	case isDelimiter(first):
		return charOf(first), nil
	}
	rest, err := r.token()
	if err != nil {
		return Value{}, err
	}
	c, ok := namedChar(first, rest)
	if !ok {
		return Value{}, errorAt(pos, "the character name %q is unknown", check.ClipTo(string(first)+rest, mostToken))
	}
	return charOf(c), nil
}

func charOf(c rune) Value { return Value{Kind: Char, Text: string(c)} }

// namedChar returns the character that first and rest, the token after #\,
// name: itself, an octal code, x and a hexadecimal code, or a name.
func namedChar(first rune, rest string) (rune, bool) {
	if rest == "" || rest == string(dottedCircle) {
		return first, true
	}
	if '0' <= first && first <= '7' {
		code, err := strconv.ParseUint(string(first)+rest, 8, 32)
		return rune(code), err == nil && code <= utf8.MaxRune && utf8.ValidRune(rune(code))
	}
	if first == 'x' {
		if code, err := strconv.ParseUint(rest, 16, 32); err == nil {
			return rune(code), code <= utf8.MaxRune && utf8.ValidRune(rune(code))
		}
	}
	c, ok := charNames[strings.ToLower(string(first)+rest)]
	return c, ok
}

// keyword reads #:name.
func (r *reader) keyword() (Value, error) {
	pos := r.pos
	r.drop(2)
	if c := r.peek(); c == '#' && !r.looksAt("#{") || isDelimiter(c) {
		return Value{}, errorAt(pos, "#: needs a symbol right after it")
	}
	v, err := r.datum()
	if err == nil && v.Kind != Symbol {
		err = errorAt(pos, "#: needs a symbol after it, not %v", v.Kind)
	}
	return Value{Kind: Keyword, Text: v.Text}, err
}

// extendedSymbol reads #{…}#. A backslash in it makes the next character
// plain, except that \x…; is a character by its code.
func (r *reader) extendedSymbol() (Value, error) {
	pos := r.pos
	r.drop(2)
	var b strings.Builder
	for !r.looksAt("}#") {
		c, err := r.next()
		if err == nil && c == '\\' {
			if c, err = r.next(); err == nil && c == 'x' {
				c, err = r.hexSemicolon()
			}
		}
		switch {
		case err != nil:
			return Value{}, err
		case c == eof:
			return Value{}, errorAt(pos, "a symbol that nothing closes")
		case b.Len() > r.lim.Token:
			return Value{}, &LimitError{pos, "bytes in one token", r.lim.Token}
		}
		b.WriteRune(c)
	}
	r.drop(2)
	return Sym(b.String()), nil
}

// mostToken is to how many characters a token is shortened in a message.
const mostToken = 40
