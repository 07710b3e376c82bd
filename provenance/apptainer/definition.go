package apptainer

import (
	"strings"
)

// A Definition is a parsed definition file (Apptainer user guide 1.3, "Definition
// Files").
type Definition struct {
	Stages []Stage
}

// A Stage is a header and the sections that follow it; most files have one.
type Stage struct {
	Name      string // of "Stage:"; "" when it has none
	Bootstrap string // the agent, such as "docker", in lower case
	From      string // "" where the agent takes none
	Sections  []Section
}

// A Section is what follows a line that begins with "%".
type Section struct {
	Name      string // without "%", such as "post"
	Arguments string // the rest of its line
	Text      string // its lines
}

// maxSections bounds the sections that are read of one file: what follows is not
// looked at, and parse says so.
const maxSections = 1000

// parse reads a definition file. Whole is false where it has more sections than are
// read. It is no definition when no stage has a Bootstrap.
func parse(text string) (d Definition, whole bool) {
	var p parser
	for line := range strings.Lines(text) {
		if p.count > maxSections {
			return p.close(), false
		}
		p.line(line)
	}
	return p.close(), true
}

type parser struct {
	stages  []Stage
	section *Section // the open one; nil in a header
	text    strings.Builder
	count   int // of sections and stages
}

func (p *parser) line(line string) {
	trimmed := strings.TrimSpace(line)
	key, value, isHeader := strings.Cut(trimmed, ":")
	key = strings.ToLower(strings.TrimSpace(key))
	switch {
	case strings.HasPrefix(trimmed, "%") && len(trimmed) > 1:
		p.open(trimmed[1:])
	case isHeader && key == "bootstrap" && strings.HasPrefix(line, trimmed[:1]):
		p.endSection()
		p.count++
		p.stages = append(p.stages, Stage{Bootstrap: strings.ToLower(strings.TrimSpace(value))})
	case p.section != nil:
		p.text.WriteString(line)
	case isHeader && len(p.stages) > 0:
		p.header(key, strings.TrimSpace(value))
	}
}

func (p *parser) header(key, value string) {
	s := &p.stages[len(p.stages)-1]
	switch key {
	case "from":
		s.From = value
	case "stage":
		s.Name = value
	}
}

func (p *parser) open(head string) {
	p.endSection()
	p.count++
	name, arguments, _ := strings.Cut(head, " ")
	p.section = &Section{Name: strings.ToLower(strings.TrimSpace(name)), Arguments: strings.TrimSpace(arguments)}
}

func (p *parser) endSection() {
	if p.section != nil && len(p.stages) > 0 {
		s := &p.stages[len(p.stages)-1]
		p.section.Text = p.text.String()
		s.Sections = append(s.Sections, *p.section)
	}
	p.section = nil
	p.text.Reset()
}

func (p *parser) close() Definition {
	p.endSection()
	return Definition{Stages: p.stages}
}

// isPinned says whether the base of a stage is named by its digest.
func (s Stage) isPinned() bool {
	_, digest, ok := strings.Cut(s.From, "@sha256:")
	return ok && len(digest) == 64 && strings.Trim(digest, "0123456789abcdef") == ""
}

// hasBase says whether an agent starts from an image that From names.
func (s Stage) hasBase() bool {
	switch s.Bootstrap {
	case "docker", "library", "shub", "oras", "localimage", "oci", "oci-archive", "docker-archive", "docker-daemon":
		return s.From != ""
	}
	return false
}

// section is the last of a name; false when there is none.
func (s Stage) section(name string) (Section, bool) {
	for n := len(s.Sections) - 1; n >= 0; n-- {
		if s.Sections[n].Name == name {
			return s.Sections[n], true
		}
	}
	return Section{}, false
}

// labels are those of %labels: a name, then its value.
func (s Stage) labels() map[string]string {
	all := make(map[string]string)
	for _, section := range s.Sections {
		if section.Name != "labels" {
			continue
		}
		for line := range strings.Lines(section.Text) {
			line = strings.TrimSpace(line)
			if at := strings.IndexAny(line, " \t="); at > 0 && line[0] != '#' {
				all[line[:at]] = strings.Trim(strings.TrimSpace(line[at+1:]), `"`)
			}
		}
	}
	return all
}
