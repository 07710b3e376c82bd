package drv

import (
	"errors"
	"fmt"
	"strings"
)

// A term is a string, or a list or tuple of terms.
type term struct {
	text string
	list []term
}

// at returns the string at a place of a tuple, "" when it is too short.
func (t term) at(i int) string {
	if i >= len(t.list) {
		return ""
	}
	return t.list[i].text
}

// deepest is how far lists nest in a derivation, with some room.
const deepest = 8

// parseTerm reads a term and returns what follows it.
func parseTerm(s string, depth int) (term, string, error) {
	if s == "" || depth > deepest {
		return term{}, "", errors.New("a term is missing, or nests too deeply")
	}
	switch s[0] {
	case '"':
		text, rest, err := parseString(s[1:])
		return term{text: text}, rest, err
	case '[':
		return parseList(s[1:], ']', depth)
	case '(':
		return parseList(s[1:], ')', depth)
	}
	return term{}, "", fmt.Errorf("%q begins no term", s[0])
}

func parseList(s string, end byte, depth int) (term, string, error) {
	var t term
	for s != "" && s[0] != end {
		if len(t.list) > 0 {
			if s[0] != ',' {
				return term{}, "", fmt.Errorf("%q instead of a comma", s[0])
			}
			s = s[1:]
		}
		item, rest, err := parseTerm(s, depth+1)
		if err != nil {
			return term{}, "", err
		}
		t.list = append(t.list, item)
		s = rest
	}
	if s == "" {
		return term{}, "", errors.New("a list has no end")
	}
	return t, s[1:], nil
}

func parseString(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(unescape(s[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("a string has no end")
}

// unescape returns what a character after a backslash stands for.
func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
