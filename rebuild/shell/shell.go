// Package shell writes words and files for a POSIX shell, and text for a
// terminal, so that neither takes them for anything else.
package shell

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words quotes the arguments of a command.
func Words(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = Word(arg)
	}
	return strings.Join(quoted, " ")
}

// Word quotes a word for the shell where that is needed.
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

// Quote puts a text in single quotes, between which the shell expands nothing
// (POSIX.1-2017, Shell Command Language, 2.2.2).
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

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

// Refusal writes the commands of a script that says why it does nothing else.
func Refusal(reason string) string {
	return "printf '%s\\n' " + Quote(Printable("This rebuild is refused: "+reason)) + " >&2\nexit 1\n"
}

// Guarded makes a script, which begins with a line that names its interpreter, one that
// goes on only where the user says so in the environment; where it takes
// files for what was missing, also when it is given them.
func Guarded(script []byte, reason string, takes []string) []byte {
	unless, how := `[ "${AUDIT_ALLOW:-}" = yes ]`, "To run it all the same, set AUDIT_ALLOW=yes in the environment."
	if len(takes) > 0 {
		unless, how = `[ $# -gt 0 ] || `+unless, "Give files for what is missing: sh rebuild.sh "+strings.ToUpper(strings.Join(takes, " "))+". "+how
	}
	head, rest, _ := bytes.Cut(script, []byte("\n"))
	return slices.Concat(head, []byte("\n"+unless+" || {\n  printf '%s\\n' "+Quote(Printable("This rebuild is refused: "+reason))+
		" \\\n    "+Quote(how)+" >&2\n  exit 1\n}\n"), rest)
}

// Comparison writes the command that says how to compare an image with the one
// whose path is in a variable of the script.
func Comparison(image, variable string) string {
	return "printf '  audit compare %s %s\\n' " + Quote(Printable(Word(image))) + " \"$" + variable + "\"\n"
}
