// Package sh writes texts for a POSIX shell so that they stand for themselves.
package sh

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote puts a text in single quotes, between which the shell expands nothing
// (POSIX.1-2017, Shell Command Language, 2.2.2).
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Word quotes a word where that is needed.
func Word(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("@%+=:,./_-", r)
	})
	if plain {
		return s
	}
	return Quote(s)
}

// Words quotes the words of a command.
func Words(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = Word(arg)
	}
	return strings.Join(quoted, " ")
}

// Printable replaces what a terminal would obey instead of show.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// HereDocument writes a command that makes a file, in which the shell expands
// nothing. The text gets a newline at its end where it has none.
func HereDocument(name, text string) string {
	end := "END_OF_FILE"
	for strings.Contains(text, end) {
		end += "_"
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return "cat >" + Quote(name) + " <<'" + end + "'\n" + text + end + "\n"
}
