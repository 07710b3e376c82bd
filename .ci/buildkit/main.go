// Buildkit writes behind each Dockerfile of a list which stages BuildKit makes of it:
//
//	cd .ci/buildkit && go run . <../../provenance/docker/dockerfile/testdata/stages.txt
//
// A line is a Dockerfile as a Go string; what stands behind it is replaced. It is a
// module of its own, since BuildKit's parser of instructions needs four modules that
// audit does not.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		quoted, _, _ := strings.Cut(lines.Text(), "\t")
		text, err := strconv.Unquote(quoted)
		if err != nil {
			log.Fatal(err)
		}
		stages, err := resolve(text)
		if err != nil {
			stages = "refused: " + err.Error()
		}
		fmt.Println(quoted + "\t" + strings.ToValidUTF8(stages, "?"))
	}
}

// environment is the shell.EnvGetter of the build arguments.
type environment map[string]string

func (e environment) Get(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

func (e environment) Keys() []string { return nil }

// resolve does what dockerfile2llb.toDispatchState does for names of images.
func resolve(text string) (string, error) {
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return "", err
	}
	stages, arguments, err := instructions.Parse(result.AST, linter.New(&linter.Config{}))
	if err != nil {
		return "", err
	}
	lex, env := shell.NewLex(result.EscapeToken), make(environment)
	for _, command := range arguments {
		for _, a := range command.Args {
			if a.Value == nil {
				continue
			}
			if env[a.Key], _, err = lex.ProcessWord(*a.Value, env); err != nil {
				return "", err
			}
		}
	}
	var all []string
	for _, s := range stages {
		image, _, err := lex.ProcessWord(s.BaseName, env)
		if err != nil {
			return "", err
		}
		if image == "" {
			return "", fmt.Errorf("base name (%s) should not be blank", s.BaseName)
		}
		all = append(all, strings.TrimSpace(image+" "+s.Name))
	}
	return strings.Join(all, ", "), nil
}
