package deb

import (
	"bytes"
	"iter"
	"strings"
)

// A Paragraph is one of the form of deb822(5): fields in their order, with the lines of
// a value after the first as they stand.
type Paragraph []Field

// A Field is a name and a value, of which spaces around are cut.
type Field struct{ Name, Value string }

// Get returns the value of the first field of a name, in any case; "" when there is none.
func (p Paragraph) Get(name string) string {
	for _, f := range p {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Paragraphs yields the paragraphs of a text. Lines that belong to no field are skipped,
// as comments are.
func Paragraphs(text []byte) iter.Seq[Paragraph] {
	return func(yield func(Paragraph) bool) {
		for raw := range blocks(text) {
			if p := paragraph(raw); len(p) > 0 && !yield(p) {
				return
			}
		}
	}
}

// blocks yields what stands between empty lines.
func blocks(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			block := text
			if n := bytes.Index(text, []byte("\n\n")); n >= 0 {
				block, text = text[:n+1], text[n+2:]
			} else {
				text = nil
			}
			if len(bytes.TrimSpace(block)) > 0 && !yield(block) {
				return
			}
		}
	}
}

func paragraph(block []byte) Paragraph {
	var p Paragraph
	var value strings.Builder
	flush := func() {
		if len(p) > 0 && value.Len() > 0 {
			p[len(p)-1].Value = strings.TrimRight(strings.TrimLeft(value.String(), " \t"), " \t\n")
		}
		value.Reset()
	}
	for line := range strings.Lines(string(block)) {
		switch name, rest, ok := strings.Cut(line, ":"); {
		case line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			value.WriteString(line)
		case ok:
			flush()
			p = append(p, Field{Name: name})
			value.WriteString(rest)
		}
	}
	flush()
	return p
}
