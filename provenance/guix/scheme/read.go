package scheme

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Parse reads all data of a text, which is UTF-8. The error is a *[SyntaxError]
// or a *[LimitError].
func Parse(text []byte, lim Limits) ([]Value, error) {
	r := &reader{src: text, lim: lim, pos: Pos{1, 1}}
	if len(text) > lim.Bytes {
		return nil, &LimitError{r.pos, "bytes", lim.Bytes}
	}
	var all []Value
	for {
		end, err := r.skip()
		if err != nil || end {
			return all, err
		}
		v, err := r.datum()
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
}

// A reader walks over a text. The character at off, at line and column pos, is
// the next one.
type reader struct {
	src   []byte
	off   int
	pos   Pos
	lim   Limits
	depth int
	nodes int
	r6rs  bool // the directive #!r6rs was seen
}

// eof is what peek and next return at the end of the text.
const eof rune = -1

func (r *reader) peek() rune {
	if r.off >= len(r.src) {
		return eof
	}
	c, _ := utf8.DecodeRune(r.src[r.off:])
	return c
}

func (r *reader) next() (rune, error) {
	if r.off >= len(r.src) {
		return eof, nil
	}
	c, n := utf8.DecodeRune(r.src[r.off:])
	if c == utf8.RuneError && n == 1 {
		return c, r.errorf("the text is not UTF-8")
	}
	r.off += n
	r.pos.Column++
	if c == '\n' {
		r.pos.Line++
		r.pos.Column = 1
	}
	return c, nil
}

// looksAt says whether the text goes on with mark.
func (r *reader) looksAt(mark string) bool {
	return bytes.HasPrefix(r.src[r.off:], []byte(mark))
}

// drop skips n ASCII characters that were looked at already; none is a newline.
func (r *reader) drop(n int) {
	r.off += n
	r.pos.Column += int32(n)
}

func (r *reader) errorf(format string, args ...any) error {
	return errorAt(r.pos, format, args...)
}

func errorAt(pos Pos, format string, args ...any) error {
	return &SyntaxError{pos, fmt.Sprintf(format, args...)}
}

// isDelimiter says whether c ends a token.
func isDelimiter(c rune) bool {
	switch c {
	case eof, '(', ')', '[', ']', ';', '"', ' ', '\t', '\n', '\r', '\f':
		return true
	}
	return false
}

// datum reads one datum, at whose first character the reader stands.
func (r *reader) datum() (Value, error) {
	if r.nodes++; r.nodes > r.lim.Nodes {
		return Value{}, &LimitError{r.pos, "data", r.lim.Nodes}
	}
	if r.depth++; r.depth > r.lim.Depth {
		return Value{}, &LimitError{r.pos, "levels of nesting", r.lim.Depth}
	}
	pos := r.pos
	v, err := r.form()
	v.Pos = pos
	r.depth--
	return v, err
}

func (r *reader) form() (Value, error) {
	if name, mark, ok := r.quotation(); ok {
		return r.quoted(name, mark)
	}
	switch r.peek() {
	case '(':
		return r.list(')')
	case '[':
		return r.list(']')
	case ')', ']':
		return Value{}, r.errorf("a closing parenthesis that nothing opens")
	case '"':
		return r.string()
	case '#':
		return r.sharp()
	}
	pos := r.pos
	token, err := r.token()
	if err != nil {
		return Value{}, err
	}
	return atom(token, pos)
}

// token reads up to the next delimiter.
func (r *reader) token() (string, error) {
	start, pos := r.off, r.pos
	for !isDelimiter(r.peek()) {
		if _, err := r.next(); err != nil {
			return "", err
		}
		if r.off-start > r.lim.Token {
			return "", &LimitError{pos, "bytes in one token", r.lim.Token}
		}
	}
	return string(r.src[start:r.off]), nil
}

// atom makes a number or a symbol of a token.
func atom(token string, pos Pos) (Value, error) {
	if token == "." {
		return Value{}, errorAt(pos, "a dot outside of a list")
	}
	text, isNumber, err := number(token)
	switch {
	case err != nil:
		return Value{}, errorAt(pos, "%v", err)
	case isNumber:
		return Value{Kind: Number, Text: text}, nil
	}
	return Sym(token), nil
}

// list reads a list, dotted or not, from its opening parenthesis on.
func (r *reader) list(closing rune) (Value, error) {
	v, open := Value{Kind: List}, r.pos
	r.drop(1)
	for {
		end, err := r.skip()
		if err != nil {
			return v, err
		}
		if end {
			return v, errorAt(open, "a parenthesis that nothing closes")
		}
		switch c := r.peek(); {
		case c == closing:
			r.drop(1)
			return v, nil
		case c == ')' || c == ']':
			return v, r.errorf("%q closes a list that another kind of parenthesis opened", c)
		case r.atDot():
			return r.tail(v, closing)
		}
		item, err := r.datum()
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, item)
	}
}

// atDot says whether the next token is a single dot.
func (r *reader) atDot() bool {
	if r.peek() != '.' {
		return false
	}
	if r.off+1 == len(r.src) {
		return true
	}
	return isDelimiter(rune(r.src[r.off+1]))
}

// tail reads the dot, the datum after it and the end of the list v. A list
// after the dot continues v: (a . (b c)) is (a b c).
func (r *reader) tail(v Value, closing rune) (Value, error) {
	dot := r.pos
	if len(v.Items) == 0 {
		return v, errorAt(dot, "a dot with nothing before it")
	}
	r.drop(1)
	end, err := r.skip()
	if err != nil {
		return v, err
	}
	if c := r.peek(); end || c == closing {
		return v, errorAt(dot, "a dot with nothing after it")
	}
	rest, err := r.datum()
	if err != nil {
		return v, err
	}
	if _, err := r.skip(); err != nil {
		return v, err
	}
	if r.peek() != closing {
		return v, r.errorf("more than one datum after a dot")
	}
	r.drop(1)
	if rest.Kind == List {
		v.Items = append(v.Items, rest.Items...)
		v.Tail = rest.Tail
		return v, nil
	}
	v.Tail = &rest
	return v, nil
}

// quotations are the short forms of lists of two; a longer mark comes before
// the one it starts with.
var quotations = [...]struct{ mark, name string }{
	{"'", "quote"},
	{"`", "quasiquote"},
	{",@", "unquote-splicing"},
	{",", "unquote"},
	{"#'", "syntax"},
	{"#`", "quasisyntax"},
	{"#,@", "unsyntax-splicing"},
	{"#,", "unsyntax"},
}

// quotation says which short form the reader stands at.
func (r *reader) quotation() (name, mark string, ok bool) {
	for _, q := range quotations {
		if r.looksAt(q.mark) {
			return q.name, q.mark, true
		}
	}
	return "", "", false
}

func (r *reader) quoted(name, mark string) (Value, error) {
	pos := r.pos
	r.drop(len(mark))
	end, err := r.skip()
	if err != nil {
		return Value{}, err
	}
	if end {
		return Value{}, errorAt(pos, "%s with nothing after it", mark)
	}
	v, err := r.datum()
	return ListOf(Value{Kind: Symbol, Text: name, Pos: pos}, v), err
}
