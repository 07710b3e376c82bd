package ospackages

import (
	"strconv"
	"strings"
)

// A Release says which distribution an image was made of (os-release(5)).
type Release struct {
	ID      string // "debian", "alpine", "fedora", …; "" when it is not known
	Version string // VERSION_ID
	Name    string // PRETTY_NAME, for people
	Layer   int
	Path    string
}

const (
	etcRelease = "etc/os-release"
	usrRelease = "usr/lib/os-release"
)

func isRelease(p string) bool { return p == etcRelease || p == usrRelease }

// release reads os-release. The one in /etc is nearly always a link to the
// other.
func (r *reader) release() Release {
	for _, p := range []string{etcRelease, usrRelease} {
		text, f, ok := r.root.Content(p)
		if !ok {
			continue
		}
		rel := Release{Layer: f.Layer, Path: f.Path}
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch key {
			case "ID":
				rel.ID = unquote(value)
			case "VERSION_ID":
				rel.Version = unquote(value)
			case "PRETTY_NAME":
				rel.Name = unquote(value)
			}
		}
		return rel
	}
	return Release{Layer: -1}
}

// unquote takes the quotes off a value that has some.
func unquote(value string) string {
	if plain, err := strconv.Unquote(value); err == nil && strings.HasPrefix(value, `"`) {
		return plain
	}
	return strings.Trim(value, `"'`)
}
