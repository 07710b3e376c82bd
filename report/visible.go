package report

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A span is a stretch of text that shows as itself, or the escape of one
// character that would not.
type span struct {
	Text string
	Odd  bool // Text stands for something that cannot be seen
}

// spans splits s so that everything that a terminal or a browser would obey
// instead of show is an escape: controls, characters that turn the direction
// of reading or have no width, odd spaces, private use, and bytes that are not
// UTF-8. The characters in keep stay as they are.
func spans(s, keep string) []span {
	var out []span
	plain := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		invalid := r == utf8.RuneError && n == 1
		if !invalid && (unicode.IsPrint(r) || strings.ContainsRune(keep, r)) {
			i += n
			continue
		}
		if plain < i {
			out = append(out, span{Text: s[plain:i]})
		}
		out = append(out, span{Text: escape(r, invalid, s[i]), Odd: true})
		i += n
		plain = i
	}
	if plain < len(s) {
		out = append(out, span{Text: s[plain:]})
	}
	return out
}

func escape(r rune, invalid bool, b byte) string {
	switch {
	case invalid:
		return fmt.Sprintf(`\x%02x`, b)
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r == '\r':
		return `\r`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// Printable is s on one line, with visible escapes for all that a terminal, or
// the log of a CI, would obey instead of show.
func Printable(s string) string {
	var b strings.Builder
	for _, sp := range spans(s, "") {
		b.WriteString(sp.Text)
	}
	return hashCommand.ReplaceAllString(b.String(), `#\x23$1`)
}

// Commands that services of CI take from the lines of a log: GitHub Actions has
// "##[group]" anywhere and "::error::" at the beginning of a line, Azure Pipelines
// "##vso[…]", TeamCity "##teamcity[…]".
var (
	hashCommand  = regexp.MustCompile(`##([A-Za-z]*\[)`)
	colonCommand = regexp.MustCompile(`(?m)^([ \t]*):(:)`)
)

// defused is a text of lines that a service of CI obeys nowhere.
func defused(text string) string {
	text = hashCommand.ReplaceAllString(text, `#\x23$1`)
	return colonCommand.ReplaceAllString(text, `$1\x3a$2`)
}

// clip cuts s, at a character, to about n bytes and says how many are missing.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	cut := n
	for cut > n-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%s more in report.json)", s[:cut], count(len(s)-cut, "byte"))
}

// plainWord are the characters that no shell reads as anything but themselves.
const plainWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+"

// shellWords writes arguments so that a POSIX shell reads them back, and what
// cannot be seen as the escapes of $'…' (POSIX.1-2024, also bash and zsh).
func shellWords(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = shellWord(string(a))
	}
	return strings.Join(words, " ")
}

func shellWord(s string) string {
	if s != "" && strings.Trim(s, plainWord) == "" {
		return s
	}
	if Printable(s) == s {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < 0x20 || c > 0x7e:
			fmt.Fprintf(&b, `\%03o`, c) // bytes: what \u means depends on the locale
		default:
			b.WriteByte(c)
		}
	}
	return "$'" + b.String() + "'"
}
