package nix

import (
	"errors"
	"strings"
)

// checkExpression says of the text of an expression what no parser of the language
// takes: quotes and brackets that are not closed, and a semicolon outside of them that
// neither let, with nor assert has. It knows the words of the language (Nix 2.8,
// libexpr/lexer.l) and none of its grammar.
func checkExpression(text string) error {
	var open []byte // brackets and quotes: ) ] } " and ' for two single quotes
	binds := false  // a semicolon may stand outside of brackets
	for i := 0; i < len(text); {
		rest, top := text[i:], byte(0)
		if len(open) > 0 {
			top = open[len(open)-1]
		}
		n, opens, closes := 1, byte(0), byte(0)
		switch {
		case top == '"' || top == '\'':
			n, opens, closes = inQuotes(rest, top)
		case rest[0] == '#':
			n = strings.IndexByte(rest+"\n", '\n')
		case strings.HasPrefix(rest, "/*"):
			if n = strings.Index(rest[2:], "*/") + 4; n < 4 {
				return errors.New("a comment is not closed")
			}
		case rest[0] == '"':
			opens = '"'
		case strings.HasPrefix(rest, "''"):
			n, opens = 2, '\''
		case rest[0] == '(':
			opens = ')'
		case rest[0] == '[':
			opens = ']'
		case rest[0] == '{':
			opens = '}'
		case strings.IndexByte(")]}", rest[0]) >= 0:
			closes = rest[0]
		case rest[0] == ';' && top == 0 && !binds:
			return errors.New("a semicolon ends it")
		case isNameByte(rest[0]):
			n = nameLength(rest)
			binds = binds || top == 0 && (rest[:n] == "let" || rest[:n] == "with" || rest[:n] == "assert")
		}
		if closes != 0 && closes != top {
			return errors.New("a bracket is closed that is not open: " + string(closes))
		}
		if closes != 0 {
			open = open[:len(open)-1]
		}
		if opens != 0 {
			open = append(open, opens)
		}
		i += n
	}
	if len(open) > 0 {
		return errors.New("a bracket or a quotation mark is not closed")
	}
	return nil
}

// inQuotes reads one step of a text in quotes: how long it is, and what it opens or
// closes.
func inQuotes(rest string, quote byte) (n int, opens, closes byte) {
	switch {
	case strings.HasPrefix(rest, "${"):
		return 2, '}', 0
	case strings.HasPrefix(rest, "$$"):
		return 2, 0, 0
	case quote == '"' && rest[0] == '\\':
		return 2, 0, 0
	case quote == '"' && rest[0] == '"':
		return 1, 0, quote
	case quote == '\'' && strings.HasPrefix(rest, `''\`):
		return 4, 0, 0
	case quote == '\'' && (strings.HasPrefix(rest, "''$") || strings.HasPrefix(rest, "'''")):
		return 3, 0, 0
	case quote == '\'' && strings.HasPrefix(rest, "''"):
		return 2, 0, quote
	}
	return 1, 0, 0
}

// nameLength is how long the name is that a text begins with.
func nameLength(text string) int {
	i := strings.IndexFunc(text, func(r rune) bool { return r > 0x7f || !isNameByte(byte(r)) && r != '\'' && r != '-' })
	if i < 0 {
		return len(text)
	}
	return i
}

// isNameByte says whether a name can have a byte: a digit begins none, and is read as
// one all the same.
func isNameByte(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
