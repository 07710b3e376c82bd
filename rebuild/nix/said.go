package nix

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"audit/rebuild"
)

// said is what Nix has said while it worked, gathered line by line from its log
// format internal-json (Nix 2.8, libutil/logging.hh and logging.cc): a line is
// "@nix " and an object that tells of an activity, its results and its end.
// What people can read of it goes on to the log.
type said struct {
	to      io.Writer         // may be nil
	built   map[string]string // .drv file → machine, "" for this one
	fetched map[string]string // store path → server
	kept    []string          // folders of builds that were kept
	differs map[string]string // derivation whose second build differs → that output, on disk
	text    strings.Builder   // the end of what people read
}

func newSaid(to io.Writer) *said {
	return &said{to: to, built: make(map[string]string), fetched: make(map[string]string), differs: make(map[string]string)}
}

// A message is one line.
type message struct {
	Action string
	Level  int
	Type   int
	Text   string
	Msg    string
	Fields []any
}

// Types of activities and of results.
const (
	activityBuild      = 105 // fields: .drv file, machine
	activitySubstitute = 108 // fields: store path, server
	resultBuildLine    = 101 // field: a line that the build has written
	resultPostBuild    = 107 // the same, of a hook after the build
)

// Write takes one line.
func (s *said) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	object, ok := strings.CutPrefix(line, "@nix ")
	var m message
	if !ok || json.Unmarshal([]byte(object), &m) != nil {
		return len(p), s.tell(line)
	}
	return len(p), s.take(m)
}

// talkative is the level from which on Nix says more than people want to read.
const talkative = 4

func (s *said) take(m message) error {
	switch {
	case m.Action == "start" && m.Type == activityBuild:
		s.building(m.field(0), m.field(1))
	case m.Action == "start" && m.Type == activitySubstitute:
		s.fetched[m.field(0)] = m.field(1)
	case m.Action == "result" && (m.Type == resultBuildLine || m.Type == resultPostBuild):
		return s.tell("  " + plain(m.field(0)))
	case m.Action == "msg":
		s.note(plain(m.Msg))
		return s.tell(plain(m.Msg))
	}
	if m.Action == "start" && m.Text != "" && m.Level < talkative {
		return s.tell(plain(m.Text))
	}
	return nil
}

func (m message) field(i int) string {
	if i >= len(m.Fields) {
		return ""
	}
	text, _ := m.Fields[i].(string)
	return text
}

// building takes note of a build. One on another machine is told twice: by this
// Nix, with the machine, and by the one there, without.
func (s *said) building(drv, machine string) {
	if machine != "" || s.built[drv] == "" {
		s.built[drv] = machine
	}
}

// differs matches what is said of a derivation whose second build gave other
// bytes.
var differs = regexp.MustCompile("derivation '([^']+)' may not be deterministic: output '([^']+)' differs(?: from '([^']+)')?")

// keeping matches what is said of a folder that is left where it is.
var keeping = regexp.MustCompile("note: keeping build directory '([^']+)'")

func (s *said) note(text string) {
	if m := differs.FindStringSubmatch(text); m != nil {
		s.differs[m[1]] = m[3]
	}
	if m := keeping.FindStringSubmatch(text); m != nil {
		s.kept = append(s.kept, m[1])
	}
}

// maxText is how much of what was said is kept to explain a failure by.
const maxText = 256 << 10

// tell hands a line on to people.
func (s *said) tell(line string) error {
	if strings.HasPrefix(line, "warning: you did not specify '--add-root'") {
		return nil // nothing is collected in a store of our own
	}
	if s.text.Len() > maxText {
		rest := s.text.String()[maxText/2:]
		s.text.Reset()
		s.text.WriteString(rest)
	}
	s.text.WriteString(line + "\n")
	if s.to == nil {
		return nil
	}
	_, err := fmt.Fprintln(s.to, line)
	return err
}

// plain takes out what a terminal would obey: Nix colours words whatever the log
// format, and what a build has written comes as it is. Lines stay lines.
func plain(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = rebuild.Clean([]byte(line))
	}
	return strings.Join(lines, "\n")
}

// wasBuilt says whether a derivation was built, and on which machine.
func (s *said) wasBuilt(drv string) (machine string, ok bool) {
	machine, ok = s.built[drv]
	return machine, ok
}

// from says which server a store path was fetched from.
func (s *said) from(item string) (server string, ok bool) {
	server, ok = s.fetched[item]
	return server, ok
}
