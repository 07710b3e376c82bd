package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text is a string that the image, the user or a tool chose: any bytes at all.
// JSON holds Unicode only, so in JSON it is written in one of two forms:
//
//   - As it is, when it is valid UTF-8: nearly always.
//   - Otherwise, or when it begins with "bytes:", as "bytes:" followed by the
//     same text in which a byte that is no part of valid UTF-8 is \xNN (two
//     lower-case hexadecimal digits) and a backslash is \\.
//
// So no two texts are written alike, and each is read back byte for byte. In
// memory a Text is always the original bytes.
type Text string

const bytesMark = "bytes:"

// MarshalText writes the text in one of its two forms.
func (t Text) MarshalText() ([]byte, error) {
	s := string(t)
	if utf8.ValidString(s) && !strings.HasPrefix(s, bytesMark) {
		return []byte(s), nil
	}
	out := []byte(bytesMark)
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			out = fmt.Appendf(out, `\x%02x`, s[0])
		case r == '\\':
			out = append(out, `\\`...)
		default:
			out = append(out, s[:n]...)
		}
		s = s[n:]
	}
	return out, nil
}

// UnmarshalText reads what MarshalText wrote.
func (t *Text) UnmarshalText(text []byte) error {
	rest, marked := strings.CutPrefix(string(text), bytesMark)
	if !marked {
		*t = Text(rest)
		return nil
	}
	var out []byte
	for {
		plain, escaped, found := strings.Cut(rest, `\`)
		out = append(out, plain...)
		if !found {
			*t = Text(out)
			return nil
		}
		b, n, err := unescape(escaped)
		if err != nil {
			return fmt.Errorf("reading %.60q: %w", text, err)
		}
		out = append(out, b)
		rest = escaped[n:]
	}
}

// unescape returns the byte that follows a backslash and how many characters
// it is written with.
func unescape(s string) (byte, int, error) {
	if strings.HasPrefix(s, `\`) {
		return '\\', 1, nil
	}
	if len(s) >= 3 && s[0] == 'x' {
		if b, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			return byte(b), 3, nil
		}
	}
	return 0, 0, fmt.Errorf(`a backslash without \ or xNN after it`)
}
