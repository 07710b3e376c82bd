package dockerfile

import (
	"regexp"
	"slices"
	"strings"
)

// An Instruction is one of a Dockerfile.
type Instruction struct {
	Line    int      // where it begins, from 1; 0 when it is from no file
	Keyword string   // in upper case
	Flags   []string // "--from=build", in their order
	Text    string   // what follows, on one line
	Inline  []string // the here-documents
}

// String returns the instruction on one line.
func (i Instruction) String() string {
	words := append([]string{i.Keyword}, i.Flags...)
	if i.Text != "" {
		words = append(words, i.Text)
	}
	return strings.Join(words, " ")
}

// Flag returns the value of a flag, "" when it is not given.
func (i Instruction) Flag(name string) string {
	for _, f := range i.Flags {
		if value, ok := strings.CutPrefix(f, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

// keywords are those of the reference.
func keywords() []string {
	return []string{
		"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK",
		"LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
	}
}

// IsKeyword says whether word is the keyword of an instruction, in upper case.
func IsKeyword(word string) bool { return slices.Contains(keywords(), word) }

// Parse returns the instructions of a Dockerfile.
func Parse(text string) []Instruction {
	p := &parser{lines: strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), escape: '\\'}
	p.directives()
	var all []Instruction
	for p.at < len(p.lines) {
		line := p.at + 1
		joined := p.logical()
		if joined == "" {
			continue
		}
		i := Split(joined)
		i.Line = line
		i.Inline = p.inline(i)
		all = append(all, i)
	}
	return all
}

type parser struct {
	lines  []string
	at     int
	escape byte
}

var directive = regexp.MustCompile(`^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$`)

// directives reads the comments at the top that mean something to the parser.
func (p *parser) directives() {
	for _, line := range p.lines {
		m := directive.FindStringSubmatch(line)
		if m == nil {
			return
		}
		if strings.EqualFold(m[1], "escape") && (m[2] == "`" || m[2] == `\`) {
			p.escape = m[2][0]
		}
	}
}

// logical returns the next line, joined with those that continue it. Comments
// and empty lines between them are not part of it.
func (p *parser) logical() string {
	var b strings.Builder
	for p.at < len(p.lines) {
		line := strings.TrimSpace(p.lines[p.at])
		p.at++
		if line == "" || line[0] == '#' {
			if b.Len() == 0 {
				return ""
			}
			continue
		}
		if line[len(line)-1] != p.escape {
			b.WriteString(line)
			break
		}
		b.WriteString(strings.TrimRight(line[:len(line)-1], " \t") + " ")
	}
	return strings.TrimSpace(b.String())
}

// Split takes an instruction on one line apart.
func Split(line string) Instruction {
	word, rest := cutWord(line)
	i := Instruction{Keyword: strings.ToUpper(word)}
	for takesFlags(i.Keyword) && strings.HasPrefix(rest, "--") {
		word, rest = cutWord(rest)
		i.Flags = append(i.Flags, word)
	}
	i.Text = rest
	return i
}

func takesFlags(keyword string) bool {
	switch keyword {
	case "ADD", "COPY", "FROM", "HEALTHCHECK", "RUN":
		return true
	}
	return false
}

func cutWord(text string) (word, rest string) {
	text = strings.TrimLeft(text, " \t")
	n := strings.IndexAny(text, " \t")
	if n < 0 {
		return text, ""
	}
	return text[:n], strings.TrimLeft(text[n:], " \t")
}

var inlineMark = regexp.MustCompile(`<<(-?)(["']?)([a-zA-Z_][a-zA-Z0-9_]*)(["']?)`)

// inline reads the here-documents that an instruction begins.
func (p *parser) inline(i Instruction) []string {
	switch i.Keyword {
	case "RUN", "COPY", "ADD":
	default:
		return nil
	}
	var all []string
	for _, m := range inlineMark.FindAllStringSubmatch(i.Text, -1) {
		var b strings.Builder
		for p.at < len(p.lines) {
			line := p.lines[p.at]
			p.at++
			if m[1] == "-" {
				line = strings.TrimLeft(line, "\t")
			}
			if line == m[3] {
				break
			}
			b.WriteString(line + "\n")
		}
		all = append(all, b.String())
	}
	return all
}

// A Stage is a FROM with what follows it.
type Stage struct {
	Name         string // of AS, in lower case; may be ""
	Image        string // as written, with build arguments expanded
	Instructions []Instruction
}

// Stages returns the stages of a Dockerfile. arguments are those given to the
// build, NAME=VALUE, which an ARG before the first FROM declares and may have
// another default for.
func Stages(all []Instruction, arguments []string) []Stage {
	var stages []Stage
	values := make(map[string]string)
	for _, i := range all {
		switch {
		case i.Keyword == "FROM":
			words := strings.Fields(i.Text)
			s := Stage{Instructions: []Instruction{i}}
			if len(words) > 0 {
				s.Image = expand(words[0], values)
			}
			if len(words) == 3 && strings.EqualFold(words[1], "as") {
				s.Name = strings.ToLower(words[2])
			}
			stages = append(stages, s)
		case len(stages) > 0:
			last := &stages[len(stages)-1]
			last.Instructions = append(last.Instructions, i)
		case i.Keyword == "ARG":
			declare(i.Text, arguments, values)
		}
	}
	return stages
}

// declare takes the arguments that an ARG declares: the value given to the
// build, else the default.
func declare(text string, arguments []string, values map[string]string) {
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		values[name] = expand(strings.Trim(value, `"'`), values)
		for _, a := range arguments {
			if given, ok := strings.CutPrefix(a, name+"="); ok {
				values[name] = given
			}
		}
	}
}

var variable = regexp.MustCompile(`\$(?:\{([a-zA-Z_][a-zA-Z0-9_]*)(?:(:[-+])([^}]*))?\}|([a-zA-Z_][a-zA-Z0-9_]*))`)

// expand replaces the variables in a text. One that has no value stays as it is
// written, so that nobody takes the rest for a name.
func expand(text string, values map[string]string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		m := variable.FindStringSubmatch(found)
		value, known := values[m[1]+m[4]]
		switch {
		case m[2] == ":-" && value == "":
			return m[3]
		case m[2] == ":+" && value != "":
			return m[3]
		case known:
			return value
		}
		return found
	})
}
