package scheme

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapes are the one-letter escapes of a string. The parenthesis is there for
// the sake of editors.
var escapes = map[rune]byte{
	'"': '"', '\\': '\\', '|': '|', '(': '(',
	'0': 0, 'a': '\a', 'b': '\b', 't': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r',
}

// string reads a string from its opening quote on.
func (r *reader) string() (Value, error) {
	open := r.pos
	r.drop(1)
	var b strings.Builder
	for {
		c, err := r.next()
		switch {
		case err != nil:
			return Value{}, err
		case c == eof:
			return Value{}, errorAt(open, "a string that nothing closes")
		case c == '"':
			return Str(b.String()), nil
		case c == '\\':
			err = r.escape(&b)
		default:
			b.WriteRune(c)
		}
		if err != nil {
			return Value{}, err
		}
	}
}

// escape reads what follows a backslash in a string.
func (r *reader) escape(b *strings.Builder) error {
	pos := r.pos
	c, err := r.next()
	if err != nil {
		return err
	}
	if plain, ok := escapes[c]; ok {
		b.WriteByte(plain)
		return nil
	}
	var char rune
	switch {
	case c == '\n':
		return r.continueLine()
	case c == 'x' && r.r6rs:
		char, err = r.hexSemicolon()
	case c == 'x':
		char, err = r.hex(2)
	case c == 'u':
		char, err = r.hex(4)
	case c == 'U':
		char, err = r.hex(6)
	case c == eof:
		return errorAt(pos, "a string that nothing closes")
	default:
		return errorAt(pos, "the escape \\%c is unknown", c)
	}
	b.WriteRune(char)
	return err
}

// continueLine follows a backslash at the end of a line. R6RS leaves out the
// indentation of the next line, Guile by default does not.
func (r *reader) continueLine() error {
	for r.r6rs && (r.peek() == '\t' || unicode.Is(unicode.Zs, r.peek())) {
		if _, err := r.next(); err != nil {
			return err
		}
	}
	return nil
}

// hex reads the character whose code is the next n hexadecimal digits.
func (r *reader) hex(n int) (rune, error) {
	pos, code := r.pos, rune(0)
	for range n {
		c, err := r.next()
		if err != nil {
			return 0, err
		}
		digit, ok := hexDigit(c)
		if !ok {
			return 0, errorAt(pos, "an escape takes %d hexadecimal digits here", n)
		}
		code = code<<4 | digit
	}
	return character(code, pos)
}

// hexSemicolon reads the character whose code is the hexadecimal digits before
// a semicolon.
func (r *reader) hexSemicolon() (rune, error) {
	pos, code := r.pos, rune(0)
	for n := 0; ; n++ {
		c, err := r.next()
		if err != nil {
			return 0, err
		}
		if c == ';' && n > 0 {
			return character(code, pos)
		}
		digit, ok := hexDigit(c)
		if !ok {
			return 0, errorAt(pos, "hexadecimal digits and a semicolon belong here")
		}
		if code = code<<4 | digit; code > unicode.MaxRune {
			return 0, errorAt(pos, "no character has that code")
		}
	}
}

func hexDigit(c rune) (rune, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// character checks that code is that of a character, not of half a surrogate
// pair or beyond Unicode.
func character(code rune, pos Pos) (rune, error) {
	if !utf8.ValidRune(code) {
		return 0, errorAt(pos, "no character has the code %x", code)
	}
	return code, nil
}
