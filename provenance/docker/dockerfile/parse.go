package dockerfile

import (
	"bufio"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"audit/inspect"
)

// An Instruction is one of a Dockerfile.
type Instruction struct {
	Line     int      // where it begins, from 1; 0 when it is from no file
	Keyword  string   // in upper case
	Flags    []string // "--from=build", in their order, without quotes
	Text     string   // what follows, on one line
	Heredocs []string // the contents of its heredocs, in their order
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

// Limits of a Dockerfile, far above any seen in the wild.
const (
	MaxBytes     = 256 << 10                  // of the text; reading a heredoc takes the square of its lines
	MaxLines     = 10_000                     // of the text
	MaxLineBytes = bufio.MaxScanTokenSize - 1 // of one line, with its end: BuildKit's own limit
	maxExpanded  = 1 << 20                    // bytes that build arguments put into others and into names of images
	// maxVariables bounds the dollars of each instruction times its bytes, in
	// sum: the search for heredocs copies as much where variables are nested.
	maxVariables = 64 << 20
)

// A SyntaxError reports a text that is no Dockerfile: BuildKit refuses it too.
type SyntaxError struct {
	Line int // from 1; 0 when it is about none
	Err  error
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d of the Dockerfile: %.200s", e.Line, e.Err.Error())
}

func (e *SyntaxError) Unwrap() error { return e.Err }

// Parse returns the instructions of a Dockerfile. The error is a [*SyntaxError],
// or an [*inspect.LimitError] for a text past one of the limits.
func Parse(text string) ([]Instruction, error) {
	if err := checkLimits(text); err != nil {
		return nil, err
	}
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, syntaxError(err)
	}
	var all []Instruction
	for _, node := range result.AST.Children {
		i := Split(node.Original)
		i.Line, i.Flags = node.StartLine, append([]string(nil), node.Flags...)
		for _, h := range node.Heredocs {
			if h.Chomp {
				h.Content = parser.ChompHeredocContent(h.Content)
			}
			i.Heredocs = append(i.Heredocs, h.Content)
		}
		all = append(all, i)
	}
	return all, nil
}

func checkLimits(text string) error {
	if len(text) > MaxBytes {
		return limitError("bytes", MaxBytes)
	}
	var lines, length, dollars, variables int
	for line := range strings.Lines(text) {
		if lines++; lines > MaxLines {
			return limitError("lines", MaxLines)
		}
		if len(line) > MaxLineBytes {
			return limitError("bytes of a line", MaxLineBytes)
		}
		length += len(line)
		dollars += strings.Count(line, "$")
		if mayContinue(line) {
			continue
		}
		variables += length * dollars
		length, dollars = 0, 0
	}
	if variables+length*dollars > maxVariables {
		return limitError("bytes of instructions times variables", maxVariables)
	}
	return nil
}

// mayContinue says whether an instruction can go on after a line, with any
// escape character.
func mayContinue(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#' || strings.HasSuffix(line, `\`) || strings.HasSuffix(line, "`")
}

func limitError(name string, limit int64) error {
	return &inspect.LimitError{Name: name, Limit: limit, Where: "the Dockerfile"}
}

func syntaxError(err error) error {
	at, ok := errors.AsType[*parser.ErrorLocation](err)
	if !ok || len(at.Locations) == 0 || len(at.Locations[0]) == 0 {
		return &SyntaxError{Err: err}
	}
	return &SyntaxError{Line: at.Locations[0][0].Start.Line, Err: at.Unwrap()}
}

// Split takes an instruction on one line apart where BuildKit does. Its parser
// alone knows the arguments of some instructions as they are written, and it
// refuses lines that a history may have.
func Split(line string) Instruction {
	line = strings.TrimSpace(line)
	end := strings.IndexAny(line, spaces)
	if end < 0 {
		return Instruction{Keyword: strings.ToUpper(line)}
	}
	i := Instruction{Keyword: strings.ToUpper(line[:end])}
	i.Flags, i.Text = cutFlags(line[end:])
	return i
}

// spaces end a keyword.
const spaces = " \t\v\f\r"

// cutFlags returns the flags that arguments begin with, without their quotes,
// and what follows them. A "--" ends the flags.
func cutFlags(arguments string) (flags []string, rest string) {
	for {
		for arguments != "" && isSpace(arguments[0]) {
			arguments = arguments[1:]
		}
		if !strings.HasPrefix(arguments, "--") {
			return flags, strings.TrimSpace(arguments)
		}
		var flag string
		flag, arguments = cutFlag(arguments)
		if flag == "--" {
			return flags, strings.TrimSpace(arguments)
		}
		flags = append(flags, flag)
	}
}

// isSpace says whether BuildKit lets a byte end a flag: it takes bytes for runes.
func isSpace(c byte) bool { return unicode.IsSpace(rune(c)) }

// cutFlag returns the first word, without quotes and backslashes.
func cutFlag(text string) (flag, rest string) {
	var b strings.Builder
	quote := byte(0)
	for n := 0; n < len(text); n++ {
		c := text[n]
		switch {
		case c == '\\':
			if n++; n < len(text) {
				b.WriteByte(text[n])
			}
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote == 0 && isSpace(c):
			return b.String(), text[n:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// A Stage is a FROM with what follows it.
type Stage struct {
	Name         string // of AS, in lower case; may be ""
	Image        string // as written, with build arguments expanded
	Instructions []Instruction
}

// Stages returns the stages of a Dockerfile. arguments are those given to the
// build, NAME=VALUE, which an ARG before the first FROM declares and may have
// another default for. The error is an [*inspect.LimitError], for arguments that
// grow with each other.
func Stages(all []Instruction, arguments []string) ([]Stage, error) {
	a := buildArguments{given: make(map[string]string), values: make(map[string]string)}
	for _, word := range arguments {
		name, value, _ := strings.Cut(word, "=")
		a.given[name] = value
	}
	var stages []Stage
	for _, i := range all {
		switch {
		case i.Keyword == "FROM":
			words := strings.Fields(i.Text)
			s := Stage{Instructions: []Instruction{i}}
			if len(words) > 0 {
				s.Image = a.expand(words[0])
			}
			if len(words) == 3 && strings.EqualFold(words[1], "as") {
				s.Name = strings.ToLower(words[2])
			}
			stages = append(stages, s)
		case len(stages) > 0:
			last := &stages[len(stages)-1]
			last.Instructions = append(last.Instructions, i)
		case i.Keyword == "ARG":
			a.declare(i.Text)
		}
		if a.expanded > maxExpanded {
			return nil, limitError("bytes of expanded build arguments", maxExpanded)
		}
	}
	return stages, nil
}

// buildArguments are those that are declared before the first FROM.
type buildArguments struct {
	given    map[string]string // to the build
	values   map[string]string // of those declared
	expanded int               // bytes that took the place of variables
}

// declare takes the arguments that an ARG declares: the value given to the
// build, else the default.
func (a *buildArguments) declare(text string) {
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		a.values[name] = a.expand(strings.Trim(value, `"'`))
		if given, ok := a.given[name]; ok {
			a.values[name] = given
		}
	}
}

var variable = regexp.MustCompile(`\$(?:\{([a-zA-Z_][a-zA-Z0-9_]*)(?:(:[-+])([^}]*))?\}|([a-zA-Z_][a-zA-Z0-9_]*))`)

// expand replaces the variables in a text. One that has no value stays as it is
// written, so that nobody takes the rest for a name. Past the limit nothing is
// put in. (BuildKit's shell.Lex has no limit, and its ${A//x/$A}, nested, makes
// any length out of a short word.)
func (a *buildArguments) expand(text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		value := a.value(found)
		if a.expanded += len(value); a.expanded > maxExpanded {
			return ""
		}
		return value
	})
}

func (a *buildArguments) value(written string) string {
	m := variable.FindStringSubmatch(written)
	value, known := a.values[m[1]+m[4]]
	switch {
	case m[2] == ":-" && value == "":
		return m[3]
	case m[2] == ":+" && value != "":
		return m[3]
	case known:
		return value
	}
	return written
}
