package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// configPrefix marks patterns of config fields, which are no paths.
const configPrefix = "config:"

// isPattern says whether a path stands for others too.
func isPattern(path string) bool {
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '*', '?':
			return true
		}
	}
	return false
}

// isNarrow says whether a pattern names at least the first folder, or a file at the
// top, or of a field at least a letter: otherwise it would allow everything of some
// form, wherever it is.
func isNarrow(path string) bool {
	if first, _, _ := strings.Cut(path, "/"); !strings.HasPrefix(path, configPrefix) && isPattern(first) {
		return false
	}
	return strings.ContainsFunc(strings.TrimPrefix(path, configPrefix), func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// matchPath says whether a path matches the pattern of a rule.
func matchPath(pattern, path string) bool {
	field, ok := strings.CutPrefix(path, configPrefix)
	if p, isField := strings.CutPrefix(pattern, configPrefix); ok || isField {
		return ok && isField && matchName(p, field)
	}
	return matchFolders(strings.Split(pattern, "/"), strings.Split(path, "/"))
}

// matchFolders matches names one by one. Where a ** does not take enough of
// them, the last one takes one more: no other need be tried again.
func matchFolders(patterns, names []string) bool {
	p, n, star, taken := 0, 0, -1, 0
	for n < len(names) {
		switch {
		case p < len(patterns) && patterns[p] == "**":
			star, taken = p, n
			p++
		case p < len(patterns) && matchName(patterns[p], names[n]):
			p, n = p+1, n+1
		case star >= 0:
			taken++
			p, n = star+1, taken
		default:
			return false
		}
	}
	for p < len(patterns) && patterns[p] == "**" {
		p++
	}
	return p == len(patterns)
}

// matchName matches one name in the same way, * for **.
func matchName(pattern, name string) bool {
	p, n, star, taken := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, n
			p++
		case p < len(pattern) && pattern[p] == '?':
			p, n = p+1, n+width(name[n:])
		case p < len(pattern) && matchByte(pattern[p:], name[n]):
			if pattern[p] == '\\' {
				p++
			}
			p, n = p+1, n+1
		case star >= 0:
			taken += width(name[taken:])
			p, n = star+1, taken
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchByte matches a byte with the start of a pattern.
func matchByte(pattern string, c byte) bool {
	if pattern[0] == '\\' && len(pattern) > 1 {
		return pattern[1] == c
	}
	return pattern[0] == c
}

// width is how many bytes the first character of a name takes, 1 where it is none of UTF-8.
func width(name string) int {
	_, n := utf8.DecodeRuneInString(name)
	return n
}
