package deb

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// What pam-auth-update(8) makes of the profiles of packages.
const (
	pamState     = "var/lib/pam"
	pamProfiles  = "usr/share/pam-configs"
	pamTemplates = "usr/share/pam"
)

// pamKinds are the files that it makes, with the name in templates and in profiles.
var pamKinds = []struct{ file, variable, field string }{
	{"account", "account", "Account"}, {"auth", "auth", "Auth"}, {"password", "password", "Password"},
	{"session", "session", "Session"}, {"session-noninteractive", "session_nonint", "Session"},
}

// A module is what the state notes of a profile that is in use.
type module struct {
	name  string
	lines []string
}

// nothing is what stands where no profile does (pam-auth-update, sub lines_for_module).
const nothing = "[default=1]\t\t\tpam_permit.so"

// pam makes the configuration of PAM again from the profiles that the state names, and
// the state from these.
func (s *session) pam() {
	p := s.verified("libpam-runtime")
	if p == nil {
		return
	}
	profiles := make(map[string]Paragraph)
	for _, f := range s.filesIn(pamProfiles) {
		if text, _, ok := s.ownContent(f.Path); ok {
			for paragraph := range Paragraphs(text) {
				profiles[path.Base(f.Path)] = paragraph
				break
			}
		}
	}
	seen := make(map[string]bool)
	for name := range profiles {
		seen[name] = true
	}
	s.lines(pamState+"/seen", seen, "", p.made("pam"))
	for _, kind := range pamKinds {
		text, f, ok := s.root.Content(pamState + "/" + kind.file)
		template, _, also := s.ownContent(pamTemplates + "/common-" + kind.file)
		modules, primary, fits := readModules(string(text), profiles, kind.field)
		if !ok || !also || !fits || !isChosen(modules, inOrder(profiles, kind.field, kind.file == "session-noninteractive")) {
			continue
		}
		s.say(f, p.made("pam"))
		if f, ok := s.root.Name("etc/pam.d/common-" + kind.file); ok {
			s.expect(f, fillPAM(string(template), kind.variable, strings.ToLower(kind.field), modules[:primary], modules[primary:]), p.made("pam"))
		}
	}
}

// readModules reads the state: the name of each profile and its lines, those of the
// primary block first. It is false unless each has the very lines of the profile.
func readModules(text string, profiles map[string]Paragraph, field string) (modules []module, primary int, ok bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if name, isName := strings.CutPrefix(line, "Module: "); isName {
			modules = append(modules, module{name: name})
			continue
		}
		if len(modules) == 0 {
			return nil, 0, false
		}
		last := &modules[len(modules)-1]
		last.lines = append(last.lines, line)
	}
	for i, m := range modules {
		profile, isPrimary := profiles[m.name], false
		if m.name == "null" {
			if isPrimary = i == 0; !isPrimary || strings.Join(m.lines, "\n") != nothing {
				return nil, 0, false
			}
		} else {
			isPrimary = profile.Get(field+"-Type") == "Primary"
			want := profile.Get(field)
			if initial := profile.Get(field + "-Initial"); initial != "" && (i == 0 || i == primary) {
				want = initial
			}
			if !sameLines(m.lines, want) {
				return nil, 0, false
			}
		}
		if isPrimary && i != primary {
			return nil, 0, false
		}
		if isPrimary {
			primary++
		}
	}
	return modules, primary, primary > 0
}

// inOrder are the profiles that have lines for a field, as pam-auth-update sorts them: the
// primary ones first, then by priority and by name.
func inOrder(profiles map[string]Paragraph, field string, noninteractive bool) (sorted []profile) {
	for name, p := range profiles {
		if strings.TrimSpace(p.Get(field)) == "" || noninteractive && p.Get("Session-Interactive-Only") == "yes" {
			continue
		}
		priority, _ := strconv.Atoi(p.Get("Priority"))
		sorted = append(sorted, profile{name, p.Get(field+"-Type") == "Primary", priority, p.Get("Default") == "yes"})
	}
	slices.SortFunc(sorted, func(a, b profile) int {
		if a.primary != b.primary {
			return map[bool]int{true: -1, false: 1}[a.primary]
		}
		return cmp.Or(b.priority-a.priority, strings.Compare(b.name, a.name))
	})
	return sorted
}

// A profile is one that can be in use.
type profile struct {
	name      string
	primary   bool
	priority  int
	isDefault bool
}

// isChosen says whether modules are in the order of their profiles, and all there that are
// in use by default: where one is left out, or comes later, people may get in whom the
// packages keep out, and who has decided that is not known.
func isChosen(modules []module, sorted []profile) bool {
	if len(modules) > 0 && modules[0].name == "null" {
		modules = modules[1:]
	}
	for _, p := range sorted {
		switch {
		case len(modules) > 0 && modules[0].name == p.name:
			modules = modules[1:]
		case p.isDefault:
			return false
		}
	}
	return len(modules) == 0
}

func sameLines(lines []string, value string) bool {
	var want []string
	for line := range strings.SplitSeq(value, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			want = append(want, line)
		}
	}
	return strings.Join(lines, "\n") == strings.Join(want, "\n")
}

// fillPAM puts the lines of both blocks into a template. In the primary one, "end" is how
// many lines are skipped to get behind the block.
func fillPAM(template, variable, kind string, primary, additional []module) []byte {
	var first, more []string
	for _, m := range primary {
		first = append(first, m.lines...)
	}
	for i, line := range first {
		line = strings.ReplaceAll(line, "=end", fmt.Sprintf("=%d", len(first)-i))
		first[i] = kind + "\t" + withOptions(line) + "\n"
	}
	for _, m := range additional {
		for _, line := range m.lines {
			more = append(more, kind+"\t"+withOptions(line)+"\n")
		}
	}
	text := strings.Replace(template, "$"+variable+"_primary\n", strings.Join(first, ""), 1)
	return []byte(strings.Replace(text, "$"+variable+"_additional\n", strings.Join(more, ""), 1))
}

// withOptions returns a line as pam-auth-update writes it: options follow a space, also
// where there are none.
func withOptions(line string) string {
	if line != nothing && strings.HasSuffix(line, ".so") {
		return line + " "
	}
	return line
}
