package dockerfile

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A Command is a simple command of a shell: a program and its arguments, with
// quotes taken off and nothing expanded.
type Command []string

// Program returns the command's program without its folder.
func (c Command) Program() string { return path.Base(c[0]) }

// maxNesting bounds how deep commands may lie in each other.
const maxNesting = 8

// Commands returns the simple commands of a shell script, those in command
// substitutions and in scripts given to sh -c too.
func Commands(script string) []Command {
	return commands(script, 0)
}

func commands(script string, depth int) []Command {
	if depth > maxNesting {
		return nil
	}
	s := &scanner{text: script, depth: depth}
	s.scan()
	return s.found
}

// A scanner reads a script word by word.
type scanner struct {
	text    string
	at      int
	depth   int
	word    strings.Builder
	inWord  bool
	current Command
	found   []Command
}

func (s *scanner) scan() {
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch c {
		case '\\':
			s.escaped()
		case '\'':
			s.add(s.until('\''))
		case '"':
			s.double()
		case '`':
			s.nested(s.until('`'))
		case '$':
			s.dollar()
		case ' ', '\t':
			s.endWord()
		case '\n', ';', '&', '|', '(', ')':
			s.endCommand()
		case '#':
			if s.inWord {
				s.add("#")
			} else if i := strings.IndexByte(s.text[s.at:], '\n'); i >= 0 {
				s.at += i
			} else {
				s.at = len(s.text)
			}
		default:
			s.addByte(c)
		}
	}
	s.endCommand()
}

func (s *scanner) add(text string) {
	s.word.WriteString(text)
	s.inWord = true
}

func (s *scanner) addByte(c byte) {
	s.word.WriteByte(c)
	s.inWord = true
}

func (s *scanner) escaped() {
	if s.at >= len(s.text) {
		return
	}
	c := s.text[s.at]
	s.at++
	if c != '\n' {
		s.addByte(c)
	}
}

// until returns what stands before the next end, which it steps over.
func (s *scanner) until(end byte) string {
	rest := s.text[s.at:]
	n := strings.IndexByte(rest, end)
	if n < 0 {
		s.at = len(s.text)
		return rest
	}
	s.at += n + 1
	return rest[:n]
}

// double reads a text in double quotes.
func (s *scanner) double() {
	s.inWord = true
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch c {
		case '"':
			return
		case '\\':
			s.escaped()
		case '`':
			s.nested(s.until('`'))
		case '$':
			s.dollar()
		default:
			s.word.WriteByte(c)
		}
	}
}

// dollar reads a command substitution, or keeps the dollar of a variable.
func (s *scanner) dollar() {
	if !strings.HasPrefix(s.text[s.at:], "(") || strings.HasPrefix(s.text[s.at:], "((") {
		s.add("$")
		return
	}
	open, start := 0, s.at+1
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '(':
			open++
		case ')':
			open--
		}
		if open == 0 {
			break
		}
	}
	s.nested(s.text[start:s.at])
	s.at = min(s.at+1, len(s.text))
}

// nested takes the commands of a substitution; the word keeps a mark of it.
func (s *scanner) nested(script string) {
	s.found = append(s.found, commands(script, s.depth+1)...)
	s.add("$()")
}

func (s *scanner) endWord() {
	if s.inWord {
		s.current = append(s.current, s.word.String())
	}
	s.word.Reset()
	s.inWord = false
}

func (s *scanner) endCommand() {
	s.endWord()
	c := bare(s.current)
	s.current = nil
	if len(c) == 0 {
		return
	}
	s.found = append(s.found, c)
	if script, ok := scriptOf(c); ok {
		s.found = append(s.found, commands(script, s.depth+1)...)
	}
}

// bare drops what may stand before a command: assignments, reserved words, and
// programs that run the one that follows them.
func bare(c Command) Command {
	for len(c) > 0 {
		name, _, assigns := strings.Cut(c[0], "=")
		switch {
		case assigns && isName(name), slices.Contains(reserved(), c[0]):
			c = c[1:]
		case slices.Contains(wrappers(), path.Base(c[0])):
			c = c[1:]
			for len(c) > 0 && strings.HasPrefix(c[0], "-") {
				c = c[1:]
			}
		default:
			return c
		}
	}
	return nil
}

func reserved() []string {
	return []string{"if", "then", "elif", "else", "fi", "do", "done", "while", "until", "!", "{", "}", "time"}
}

func wrappers() []string {
	return []string{"sudo", "env", "exec", "command", "nice", "nohup", "eatmydata", "busybox", "xargs", "gosu", "builtin"}
}

func isName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// isShell knows the programs that run the script after -c.
func isShell(program string) bool {
	return slices.Contains([]string{"sh", "bash", "ash", "dash", "zsh", "ksh"}, path.Base(program))
}

// scriptOf returns the script of a "sh -c SCRIPT".
func scriptOf(c Command) (string, bool) {
	if !isShell(c[0]) {
		return "", false
	}
	for i, arg := range c[1:] {
		if strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.HasSuffix(arg, "c") && i+2 < len(c) {
			return c[i+2], true
		}
	}
	return "", false
}

// heredocMarker is where a heredoc begins.
var heredocMarker = regexp.MustCompile(`<<-?["']?[a-zA-Z_][a-zA-Z0-9_]*["']?`)

// Script returns the shell text that a RUN executes, with its heredocs below it:
// they may be read by a shell. The exec form has words instead, which are quoted
// for this.
func (i Instruction) Script() string {
	var words []string
	if json.Unmarshal([]byte(i.Text), &words) == nil {
		for n, w := range words {
			words[n] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		return strings.Join(words, " ")
	}
	if len(i.Heredocs) == 0 {
		return i.Text
	}
	return heredocMarker.ReplaceAllString(i.Text, "") + "\n" + strings.Join(i.Heredocs, "\n")
}
