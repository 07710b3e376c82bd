// Package deb822 reads the files of dpkg and apt that are paragraphs of fields (deb822(5)):
// "Name: value", lines that begin with a space or a tab continue the value, an empty line
// ends a paragraph.
//
// What their readers disagree about is read in one way here, so that all that is concluded
// of a file is of the same packages: names of fields are the same in any case, as for dpkg
// (dpkg 1.22, lib/dpkg/parse.c); a line of spaces alone ends a paragraph, as Debian Policy
// allows (5.1); of a field that is there twice, for which dpkg refuses the file, the first
// counts, and [Paragraph.Twice] names it.
package deb822

import (
	"iter"
	"strings"
)

// A Paragraph has fields in their order, with the lines of a value after the first as they
// stand.
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

// Twice returns the name of a field that is there more than once; "" when there is none.
func (p Paragraph) Twice() string {
	seen := make(map[string]bool, len(p))
	for _, f := range p {
		name := strings.ToLower(f.Name)
		if seen[name] {
			return f.Name
		}
		seen[name] = true
	}
	return ""
}

// Paragraphs yields the paragraphs of a text. Lines that belong to no field are skipped,
// as comments are.
func Paragraphs(text []byte) iter.Seq[Paragraph] {
	return func(yield func(Paragraph) bool) {
		var r reader
		for raw := range strings.Lines(string(text)) {
			line := strings.TrimRight(raw, "\r\n")
			if strings.TrimSpace(line) != "" {
				r.line(line)
			} else if p := r.end(); len(p) > 0 && !yield(p) {
				return
			}
		}
		if p := r.end(); len(p) > 0 {
			yield(p)
		}
	}
}

// A reader gathers the fields of a paragraph.
type reader struct {
	now   Paragraph
	value strings.Builder // of the last field
}

func (r *reader) line(line string) {
	switch name, rest, ok := strings.Cut(line, ":"); {
	case line[0] == '#':
	case line[0] == ' ' || line[0] == '\t':
		r.value.WriteString("\n" + line)
	case ok:
		r.flush()
		r.now = append(r.now, Field{Name: strings.TrimRight(name, " \t")})
		r.value.WriteString(strings.TrimSpace(rest))
	}
}

func (r *reader) flush() {
	if n := len(r.now); n > 0 {
		r.now[n-1].Value = strings.TrimRight(r.value.String(), " \t\n")
	}
	r.value.Reset()
}

func (r *reader) end() Paragraph {
	r.flush()
	p := r.now
	r.now = nil
	return p
}
