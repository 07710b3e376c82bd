package dockerfile

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/command"
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

// IsKeyword says whether word is the keyword of an instruction, in upper case.
func IsKeyword(word string) bool {
	_, known := command.Commands[strings.ToLower(word)]
	return known && word == strings.ToUpper(word)
}

// Limits of a Dockerfile, far above any seen in the wild.
const (
	MaxBytes     = 256 << 10                  // of the text; reading a heredoc takes the square of its lines
	MaxLines     = 10_000                     // of the text
	MaxLineBytes = bufio.MaxScanTokenSize - 1 // of one line, with its end: BuildKit's own limit
	// maxVariables bounds the sum, over the instructions, of bytes times dollars:
	// that is what BuildKit's search for heredocs copies where variables are
	// nested in each other.
	maxVariables = 64 << 20
)

// A SyntaxError reports a text that is no Dockerfile: BuildKit refuses it too.
type SyntaxError struct {
	Line int // from 1; 0 when it is about none
	Err  error
}

func (e *SyntaxError) Error() string {
	where := "the Dockerfile"
	if e.Line > 0 {
		where = fmt.Sprintf("line %d of the Dockerfile", e.Line)
	}
	return fmt.Sprintf("%s: %.200s", where, e.Err.Error())
}

func (e *SyntaxError) Unwrap() error { return e.Err }

// Parse returns the instructions of a Dockerfile. The error is a [*SyntaxError],
// or an [*inspect.LimitError] for a text past one of the limits.
func Parse(text string) ([]Instruction, error) {
	all, _, err := read(text)
	return all, err
}

// read returns the instructions, and the nodes that they are made of.
func read(text string) ([]Instruction, *parser.Result, error) {
	if err := checkLimits(text); err != nil {
		return nil, nil, err
	}
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, nil, syntaxError(err)
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
	return all, result, nil
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
