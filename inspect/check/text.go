package check

import (
	"strings"
	"unicode"
)

// Brief makes an argument of an untrusted text: one line of at most 200 characters,
// with spaces in place of what cannot be printed.
func Brief(text string) string {
	printable := strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar {
			return ' '
		}
		return c
	}, Printable(text))
	return Clip(strings.Join(strings.Fields(printable), " "))
}

// Printable replaces what a terminal would obey, but for newlines and tabs, and
// bytes that are no UTF-8.
func Printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' || unicode.Is(unicode.Cf, c) {
			return unicode.ReplacementChar
		}
		return c
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}
