package deb

import (
	"path"
	"slices"
	"strings"

	"audit/inspect/paths"
	"audit/provenance/vouch"
)

// A group is what update-alternatives(1) notes of one name: the links that it makes, and
// the files that they can lead to.
type group struct {
	names, links []string // the first of the group itself, then of its slaves
	choices      []choice
}

// A choice is a file of a group, with those of its slaves.
type choice struct{ files []string }

// alternatives checks the links in etc/alternatives, those that lead there, and the notes
// in which both stand: a file that can be chosen has to be one of a signed package, whose
// scripts name it and the link.
func (s *session) alternatives() {
	for _, f := range s.filesIn(dpkgFolder + "/alternatives") {
		text, _, ok := s.root.Content(f.Path)
		if !ok {
			continue
		}
		g, ok := readGroup(path.Base(f.Path), string(text))
		if !ok {
			continue
		}
		by := s.offered(g)
		if by == nil {
			continue
		}
		s.say(f, by.made("alternatives"))
		for i, name := range g.names {
			s.alternative(g, i, name, by.made("alternatives"))
		}
	}
}

// readGroup reads the notes of a name (dpkg utils/update-alternatives.c): a line for the
// state and one for the link, two for each slave, an empty one; then for each file
// itself, its priority and a file for each slave.
func readGroup(name, text string) (g group, ok bool) {
	lines := strings.Split(text, "\n")
	next := func() (line string) {
		if len(lines) > 0 {
			line, lines = lines[0], lines[1:]
		}
		return line
	}
	if state := next(); state != "auto" && state != "manual" {
		return g, false
	}
	g.names, g.links = []string{name}, []string{next()}
	for slave := next(); slave != ""; slave = next() {
		g.names, g.links = append(g.names, slave), append(g.links, next())
	}
	for file := next(); file != ""; file = next() {
		next()
		c := choice{files: []string{file}}
		for range g.names[1:] {
			c.files = append(c.files, next())
		}
		g.choices = append(g.choices, c)
	}
	return g, len(g.choices) > 0 && strings.TrimSpace(strings.Join(lines, "")) == ""
}

// offered says whether each of the files is offered by a signed package for this very
// link; it returns one of these.
func (s *session) offered(g group) (by *installed) {
	for _, c := range g.choices {
		if own, ok := s.ownAt(paths.Clean(c.files[0])); ok {
			by = own.pkg
		} else if by = s.absent[paths.Clean(c.files[0])]; by == nil {
			return nil
		}
		for i, file := range c.files {
			if file != "" && (!by.says(file) || !by.says(g.links[i])) {
				return nil
			}
		}
	}
	return by
}

// alternative checks both links of a name.
func (s *session) alternative(g group, i int, name string, w vouch.Word) {
	f, ok := s.root.Name("etc/alternatives/" + name)
	if !ok || f.Type != '2' || !slices.ContainsFunc(g.choices, func(c choice) bool { return c.files[i] == f.Linkname }) {
		return
	}
	s.say(f, w)
	if f, ok := s.root.Name(paths.Clean(g.links[i])); ok && f.Type == '2' && f.Linkname == "/etc/alternatives/"+name {
		s.say(f, w)
	}
}
