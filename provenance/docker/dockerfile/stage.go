package dockerfile

import (
	"regexp"
	"strings"
)

// maxExpanded bounds the bytes that build arguments put into each other and into
// the names of images.
const maxExpanded = 1 << 20

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
