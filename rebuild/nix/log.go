package nix

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"audit/rebuild"
)

// A log is what Nix has reported while it worked, gathered line by line from its log
// format internal-json (Nix 2.8, libutil/logging.hh and logging.cc): a line is
// "@nix " and an object that is about an activity, its results and its end.
// What people can read of it goes on to the log.
type log struct {
	to      io.Writer         // may be nil
	built   map[string]string // .drv file → machine, "" for this one
	fetched map[string]string // store path → server
	kept    []string          // folders of builds that were kept
	differs map[string]string // derivation whose second build differs → that output, on disk
	text    strings.Builder   // the end of what people read
	own     strings.Builder   // the end of what Nix itself wrote, without what builds wrote
}

func newLog(to io.Writer) *log {
	return &log{to: to, built: make(map[string]string), fetched: make(map[string]string), differs: make(map[string]string)}
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
func (l *log) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	object, ok := strings.CutPrefix(line, "@nix ")
	var m message
	if !ok || json.Unmarshal([]byte(object), &m) != nil {
		l.wrote(line)
		return len(p), l.show(line)
	}
	return len(p), l.take(m)
}

// talkative is the level from which on Nix reports more than people want to read.
const talkative = 4

func (l *log) take(m message) error {
	switch {
	case m.Action == "start" && m.Type == activityBuild:
		l.building(m.field(0), m.field(1))
	case m.Action == "start" && m.Type == activitySubstitute:
		l.fetched[m.field(0)] = m.field(1)
	case m.Action == "result" && (m.Type == resultBuildLine || m.Type == resultPostBuild):
		return l.show("  " + plain(m.field(0)))
	case m.Action == "msg":
		l.wrote(plain(m.Msg))
		l.note(plain(m.Msg))
		return l.show(plain(m.Msg))
	}
	if m.Action == "start" && m.Text != "" && m.Level < talkative {
		return l.show(plain(m.Text))
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

// building takes note of a build. One on another machine is reported twice: by this
// Nix, with the machine, and by the one there, without.
func (l *log) building(drv, machine string) {
	if machine != "" || l.built[drv] == "" {
		l.built[drv] = machine
	}
}

// differs matches what is reported of a derivation whose second build gave other
// bytes.
var differs = regexp.MustCompile("derivation '([^']+)' may not be deterministic: output '([^']+)' differs(?: from '([^']+)')?")

// keeping matches what is reported of a folder that is left where it is.
var keeping = regexp.MustCompile("note: keeping build directory '([^']+)'")

func (l *log) note(text string) {
	if m := differs.FindStringSubmatch(text); m != nil {
		l.differs[m[1]] = m[3]
	}
	if m := keeping.FindStringSubmatch(text); m != nil {
		l.kept = append(l.kept, m[1])
	}
}

// maxText is how much of the log is kept to explain a failure by.
const maxText = 256 << 10

// show hands a line on to people.
func (l *log) show(line string) error {
	if strings.HasPrefix(line, "warning: you did not specify '--add-root'") {
		return nil // nothing is collected in a store of our own
	}
	keep(&l.text, line)
	if l.to == nil {
		return nil
	}
	_, err := fmt.Fprintln(l.to, line)
	return err
}

// wrote keeps what Nix itself wrote: not the lines of a build's log that it repeats
// in an error, each behind a ">" (Nix 2.8, libstore/build/derivation-goal.cc).
func (l *log) wrote(text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); !strings.HasPrefix(strings.TrimSpace(line), ">") {
			keep(&l.own, line)
		}
	}
}

// keep adds a line to the end of a text that is bounded.
func keep(to *strings.Builder, line string) {
	if to.Len() > maxText {
		rest := to.String()[maxText/2:]
		to.Reset()
		to.WriteString(rest)
	}
	to.WriteString(line + "\n")
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
func (l *log) wasBuilt(drv string) (machine string, ok bool) {
	machine, ok = l.built[drv]
	return machine, ok
}

// from says which server a store path was fetched from.
func (l *log) from(item string) (server string, ok bool) {
	server, ok = l.fetched[item]
	return server, ok
}
