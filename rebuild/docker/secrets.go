package docker

import (
	"io"
	"slices"
	"strings"

	"audit/rebuild"
)

// Secrets are what the user has given and no output may contain: the values of build
// arguments, and what is secret in the source's address.
type secrets struct {
	rebuild.Secrets
	options []string // NAME=VALUE of build arguments
}

func secretsOf(in Input) secrets {
	var values []string
	for _, a := range in.BuildArgs {
		values = append(values, secretOfArgument(a)...)
	}
	s := secrets{options: in.BuildArgs}
	if isRemote(in.Source) {
		s.Secrets = rebuild.NewSecrets([]string{in.Source}, values...)
	} else {
		s.Secrets = rebuild.NewSecrets(nil, values...)
	}
	return s
}

// secretOfArgument is the value of a build argument, NAME=VALUE.
func secretOfArgument(text string) []string {
	_, value, _ := strings.Cut(text, "=")
	return []string{value}
}

// mask hides what is secret in a text; of a build argument as it is given the value
// too that is too short to be looked for by itself.
func (s secrets) mask(text string) string {
	for _, o := range s.options {
		if name, value, _ := strings.Cut(o, "="); value != "" {
			text = strings.ReplaceAll(text, o, name+"="+rebuild.Hidden)
		}
	}
	return s.Mask(text)
}

// words are those of a command to be shown: of a build argument that the user
// gives, the name alone.
func (s secrets) words(argv []string) []string {
	words := slices.Clone(argv)
	for n, w := range words {
		for _, o := range s.options {
			if option, found := strings.CutSuffix(w, o); found {
				name, _, _ := strings.Cut(o, "=")
				w = option + name
			}
		}
		words[n] = s.mask(w)
	}
	return words
}

// masked writes whole lines without what is secret.
type masked struct {
	to      io.Writer
	secrets secrets
}

// Write masks a line for the log.
func (m masked) Write(p []byte) (int, error) {
	if _, err := m.to.Write([]byte(m.secrets.mask(string(p)))); err != nil {
		return 0, err
	}
	return len(p), nil
}
