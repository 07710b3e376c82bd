package scheme

import (
	"audit/inspect/check"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// String returns v on one line. It reads back as v. Bytes of a text that are
// not UTF-8, which no value that was read has, become U+FFFD.
func (v Value) String() string {
	var b strings.Builder
	write(&b, v)
	return b.String()
}

// Brief returns v on one line for a message, cut after 80 characters. It holds
// no character that could change what a terminal or a reader makes of the rest.
func (v Value) Brief() string {
	return check.ClipTo(v.String(), 80)
}

func write(b *strings.Builder, v Value) {
	switch v.Kind {
	case List:
		writeList(b, v)
	case String:
		writeString(b, v.Text)
	case Symbol:
		writeSymbol(b, v.Text)
	case Keyword:
		b.WriteString("#:")
		writeSymbol(b, v.Text)
	case Number:
		writeNumber(b, v.Text)
	case Char:
		writeChar(b, v.Text)
	case True, False, Nil:
		b.WriteString(v.Kind.String())
	case Vector:
		b.WriteByte('#')
		writeItems(b, v)
	case Bytevector:
		writeBytes(b, v.Text)
	}
}

func writeList(b *strings.Builder, v Value) {
	if mark, ok := shortForm(v); ok {
		b.WriteString(mark)
		write(b, v.Items[1])
		return
	}
	writeItems(b, v)
}

func writeItems(b *strings.Builder, v Value) {
	b.WriteByte('(')
	for i, item := range v.Items {
		if i > 0 {
			b.WriteByte(' ')
		}
		write(b, item)
	}
	if v.Tail != nil {
		b.WriteString(" . ")
		write(b, *v.Tail)
	}
	b.WriteByte(')')
}

// shortForm returns the mark for lists such as (quote x). Only ' is written:
// it is the one that everybody knows.
func shortForm(v Value) (mark string, ok bool) {
	return "'", v.IsList() && len(v.Items) == 2 && v.Items[0].IsSymbol("quote")
}

// stringEscapes are the escapes that are written by letter.
var stringEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '\a': `\a`, '\b': `\b`, '\t': `\t`, '\n': `\n`, '\v': `\v`, '\f': `\f`, '\r': `\r`,
}

func writeString(b *strings.Builder, text string) {
	b.WriteByte('"')
	for _, c := range text {
		escape, named := stringEscapes[c]
		switch {
		case named:
			b.WriteString(escape)
		case unicode.IsPrint(c):
			b.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(b, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(b, `\u%04x`, c)
		default:
			fmt.Fprintf(b, `\U%06x`, c)
		}
	}
	b.WriteByte('"')
}

// plainSymbol are the names that every reader takes for a symbol as they
// stand.
var plainSymbol = regexp.MustCompile(`^([A-Za-z!$%&*/<=>?^_~][A-Za-z0-9!$%&*/<=>?^_~.+@-]*|[+-])$`)

func writeSymbol(b *strings.Builder, name string) {
	if plainSymbol.MatchString(name) {
		b.WriteString(name)
		return
	}
	b.WriteString("#{")
	for _, c := range name {
		if c == '}' || c == '\\' || !unicode.IsPrint(c) {
			fmt.Fprintf(b, `\x%x;`, c)
			continue
		}
		b.WriteRune(c)
	}
	b.WriteString("}#")
}

// writeNumber writes text when it is a number, and as a symbol when a caller
// put something else there.
func writeNumber(b *strings.Builder, text string) {
	if canonical, ok, err := numberText(text); ok && err == nil {
		b.WriteString(canonical)
		return
	}
	writeSymbol(b, text)
}

func numberText(text string) (string, bool, error) {
	if text == "" {
		return "", false, nil
	}
	return number(text)
}

// writeChar writes letters and digits as they are, and all else by its code.
func writeChar(b *strings.Builder, text string) {
	c, _ := utf8.DecodeRuneInString(text)
	if unicode.IsLetter(c) || unicode.IsDigit(c) {
		b.WriteString(`#\` + string(c))
		return
	}
	fmt.Fprintf(b, `#\x%x`, c)
}

func writeBytes(b *strings.Builder, text string) {
	b.WriteString("#vu8(")
	for i := range len(text) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(int(text[i])))
	}
	b.WriteByte(')')
}
