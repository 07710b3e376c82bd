package docker

import (
	"cmp"
	"io"
	"net/url"
	"slices"
	"strings"

	"audit/rebuild"
)

// Secrets are what the user has given and no output may hold: the values of build
// arguments, and the user info of the source's address.
type secrets struct {
	values  []string // the longest first
	options []string // NAME=VALUE of build arguments
	address string   // of the source, with its user info; "" where it has none
}

// Hidden takes the place of what is secret.
const hidden = "***"

// leastSecret is how many bytes a value must have to be looked for in any text: a
// shorter one keeps no secret, and is a part of too many words.
const leastSecret = 4

func secretsOf(in Input) secrets {
	var s secrets
	for _, a := range in.BuildArgs {
		s.options = append(s.options, a)
		s.values = append(s.values, secretOfArgument(a)...)
	}
	if isRemote(in.Source) && rebuild.WithoutUser(in.Source) != in.Source {
		s.address = in.Source
		s.values = append(s.values, secretOfAddress(in.Source)...)
	}
	slices.SortFunc(s.values, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	s.values = slices.Compact(s.values)
	return s
}

// secretOfArgument is the value of a build argument, NAME=VALUE.
func secretOfArgument(text string) []string {
	_, value, _ := strings.Cut(text, "=")
	return long(value)
}

// secretOfAddress is the user info of an address: the password, or a name without
// one, which is a token.
func secretOfAddress(text string) []string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return nil
	}
	password, ok := u.User.Password()
	if !ok {
		return long(u.User.String(), u.User.Username())
	}
	return long(u.User.String(), password)
}

func long(values ...string) []string {
	return slices.DeleteFunc(values, func(v string) bool { return len(v) < leastSecret })
}

// mask hides what is secret in a text.
func (s secrets) mask(text string) string {
	if s.address != "" {
		text = strings.ReplaceAll(text, s.address, rebuild.WithoutUser(s.address))
	}
	for _, o := range s.options {
		if name, value, _ := strings.Cut(o, "="); value != "" {
			text = strings.ReplaceAll(text, o, name+"="+hidden)
		}
	}
	for _, v := range s.values {
		text = strings.ReplaceAll(text, v, hidden)
	}
	return text
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

// masked writes lines without what is secret.
type masked struct {
	to      io.Writer
	secrets secrets
}

// Write takes whole lines.
func (m masked) Write(p []byte) (int, error) {
	if _, err := io.WriteString(m.to, m.secrets.mask(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
