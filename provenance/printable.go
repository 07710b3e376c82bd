package provenance

import (
	"strings"
	"unicode"
)

// Printable replaces what a terminal would obey in a text of an image, but for tabs and
// the ends of lines.
func Printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' || unicode.Is(unicode.Cf, c) {
			return unicode.ReplacementChar
		}
		return c
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}
