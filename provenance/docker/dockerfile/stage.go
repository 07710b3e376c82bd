package dockerfile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"audit/inspect"
)

// maxExpanded bounds what the expansion of all build arguments can cost: see
// [buildArguments.expand].
const maxExpanded = 1 << 27

// A Stage is a FROM with what follows it.
type Stage struct {
	Name         string // of AS, in lower case; may be ""
	Image        string // with build arguments expanded; as written where the platform decides
	Instructions []Instruction
}

// Stages returns the stages of a Dockerfile, as BuildKit resolves them. arguments
// are those given to the build, NAME=VALUE, which an ARG before the first FROM
// declares and may have another default for. The error is a [*SyntaxError], or an
// [*inspect.LimitError], also for arguments that grow with each other.
//
// Variables are expanded by BuildKit's shell.Lex. The rules for FROM and ARG are
// those of its instructions.Parse, which needs four more modules; an instruction that
// it does not know may be one of a frontend that the Dockerfile names.
func Stages(text string, arguments []string) ([]Stage, error) {
	all, result, err := read(text)
	if err != nil {
		return nil, err
	}
	a := buildArguments{lex: shell.NewLex(result.EscapeToken), given: make(map[string]string), values: make(environment)}
	for _, word := range arguments {
		name, value, _ := strings.Cut(word, "=")
		a.given[name] = value
		if isPlatform(name) {
			a.set(name, value)
		}
	}
	var stages []Stage
	for n, i := range all {
		var err error
		switch words := wordsOf(result.AST.Children[n]); {
		case i.Keyword == "FROM":
			s := Stage{Instructions: []Instruction{i}}
			s.Image, s.Name, err = a.from(i.Flags, words)
			stages = append(stages, s)
		case len(stages) > 0:
			last := &stages[len(stages)-1]
			last.Instructions = append(last.Instructions, i)
		case i.Keyword == "ARG":
			err = a.declare(words)
		default:
			err = errors.New("no build stage in current context")
		}
		if limit, ok := errors.AsType[*inspect.LimitError](err); ok {
			return nil, limit
		}
		if err != nil {
			return nil, &SyntaxError{Line: i.Line, Err: err}
		}
	}
	return stages, nil
}

// wordsOf are the arguments of a FROM or an ARG.
func wordsOf(node *parser.Node) []string {
	var words []string
	for next := node.Next; next != nil; next = next.Next {
		words = append(words, next.Value)
	}
	return words
}

// buildArguments are those that are declared before the first FROM.
type buildArguments struct {
	lex     *shell.Lex
	given   map[string]string // to the build
	values  environment       // of those declared
	longest int               // bytes of the longest value
	spent   int               // bound of what all expansions cost
}

// environment is the shell.EnvGetter of the build arguments.
type environment map[string]string

func (e environment) Get(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

// Keys is not asked for by shell.Lex.
func (e environment) Keys() []string { return nil }

func (a *buildArguments) set(name, value string) {
	a.values[name] = value
	a.longest = max(a.longest, len(value))
}

// validName is BuildKit's rule for the name of a stage, in lower case.
var validName = regexp.MustCompile(`^[a-z][a-z0-9-_.]*$`)

// from returns the image and the name of a stage.
func (a *buildArguments) from(flags, words []string) (image, name string, err error) {
	for _, flag := range flags {
		if !strings.HasPrefix(flag, "--platform=") {
			return "", "", fmt.Errorf("FROM has no flag %s", flag)
		}
	}
	switch {
	case len(words) == 3 && strings.EqualFold(words[1], "as"):
		if name = strings.ToLower(words[2]); !validName.MatchString(name) {
			return "", "", fmt.Errorf("%q is no name of a build stage", words[2])
		}
	case len(words) != 1:
		return "", "", errors.New("FROM requires either one or three arguments")
	}
	image, err = a.expand(words[0])
	if err == nil && image == "" {
		err = fmt.Errorf("base name (%s) should not be blank", words[0])
	}
	return image, name, err
}

// declare takes the arguments that an ARG declares: the value given to the
// build, else the default.
func (a *buildArguments) declare(words []string) error {
	if len(words) == 0 {
		return errors.New("ARG requires at least one argument")
	}
	for _, word := range words {
		name, value, hasDefault := strings.Cut(word, "=")
		given, isGiven := a.given[name]
		switch {
		case name == "":
			return errors.New("ARG names can not be blank")
		case isGiven:
			a.set(name, given)
		case hasDefault:
			expanded, err := a.expand(value)
			if err != nil {
				return err
			}
			a.set(name, expanded)
		}
	}
	return nil
}

// replaceAll begins a ${NAME//PATTERN/REPLACEMENT}.
var replaceAll = regexp.MustCompile(`\$\{[^/]*//`)

// expand replaces the variables in a word; one that has a variable of the
// platform stays as it is written. shell.Lex has no limit, and its ${A//x/$A},
// nested, makes any length out of a short word, so the work is bounded before it:
// each variable may copy the word or the longest value or search the one for the
// other, and each replacement may put the result in place of each byte.
func (a *buildArguments) expand(word string) (string, error) {
	if !utf8.ValidString(word) || strings.Contains(word, "\x00") {
		return "", errors.New("a word that is no text")
	}
	cost := len(word) * (1 + strings.Count(word, "$"))
	factors := 0
	if strings.Contains(word, "$") {
		factors = 1 + len(replaceAll.FindAllStringIndex(word, -1))
	}
	for n := 0; n < factors && cost <= maxExpanded; n++ {
		cost *= 1 + a.longest
	}
	if a.spent += cost; cost > maxExpanded || a.spent > maxExpanded {
		return "", limitError("cost of expanded build arguments", maxExpanded)
	}
	result, err := a.lex.ProcessWordWithMatches(word, a.values)
	for name := range result.Unmatched {
		if isPlatform(name) {
			return word, nil
		}
	}
	return result.Result, err
}

// isPlatform says whether BuildKit itself sets a build argument, from what it is
// asked to build and where.
func isPlatform(name string) bool {
	switch name {
	case "BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT",
		"TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE":
		return true
	}
	return false
}
