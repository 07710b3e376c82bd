package guix

import (
	"strings"

	"audit/provenance/guix/profile"
)

// A Reach is what a package transformation has to do with the world outside the
// channels.
type Reach int

// The reaches.
const (
	Unknown         Reach = iota // not known here
	ChoosesPackages              // none: it chooses among packages of the channels, or how one is built
	Fetches                      // it takes a source from an address, or a file
	Moves                        // it takes a source that the channels do not name: another commit, the latest release
)

// SourceOf says where a transformation reaches, and of one that fetches the address
// (Guix 1.5, module (guix transformations)). A value that is not of the form that
// its option has makes it unknown.
func SourceOf(t profile.Transformation) (address string, reach Reach) {
	switch t.Option {
	case "with-input", "with-graft", "with-c-toolchain":
		before, after, ok := strings.Cut(t.Value, "=")
		if ok && isSpecification(before) && isSpecification(after) {
			return "", ChoosesPackages
		}
	case "with-debug-info", "without-tests", "tune":
		if isSpecification(t.Value) {
			return "", ChoosesPackages
		}
	case "with-source":
		// PACKAGE=SOURCE, or SOURCE alone; what follows the first equals sign counts.
		if _, source, ok := strings.Cut(t.Value, "="); ok {
			return source, Fetches
		}
		return t.Value, Fetches
	case "with-git-url", "with-patch":
		if _, source, ok := strings.Cut(t.Value, "="); ok {
			return source, Fetches
		}
	case "with-branch", "with-commit", "with-latest", "with-version":
		return "", Moves
	}
	return "", Unknown
}

// isSpecification says whether a text can only be a package, NAME@VERSION:OUTPUT, a
// list of them, or the name of a processor.
func isSpecification(text string) bool {
	return text != "" && text[0] != '-' && !strings.ContainsFunc(text, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("@:.,+_-", r)
	})
}
