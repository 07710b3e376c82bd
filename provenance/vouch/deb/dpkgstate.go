package deb

import (
	"crypto/md5"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"audit/inspect/paths"
	"audit/provenance/vouch"
)

// status checks dpkg's own notes: of each package the fields of its signed control file,
// beside those that dpkg adds; which files are diverted; and what it writes once.
func (s *session) status() {
	for _, name := range []string{statusFile, statusFile + "-old"} {
		text, f, ok := s.root.Content(name)
		if !ok {
			continue
		}
		if by := s.paragraphs(text); by != nil {
			s.say(f, vouch.Word{Kind: vouch.Made, By: "deb control files", Keys: by.offer.release.Keys, Rule: "dpkg-status"})
		}
	}
	for _, name := range []string{dpkgFolder + "/diversions", dpkgFolder + "/diversions-old"} {
		text, f, ok := s.root.Content(name)
		if by := s.diverters(string(text)); ok && by != nil {
			s.say(f, by.made("dpkg-diversions"))
		}
	}
	if f, ok := s.root.Name(dpkgFolder + "/cmethopt"); ok {
		s.expect(f, []byte("apt apt\n"), vouch.Word{Kind: vouch.Made, By: "dpkg", Rule: "dpkg-constant"})
	}
	if f, ok := s.root.Name(infoFolder + "/format"); ok {
		s.expect(f, []byte("1\n"), vouch.Word{Kind: vouch.Made, By: "dpkg", Rule: "dpkg-constant"})
	}
	if p := s.verified("dpkg"); p != nil {
		s.lines(dpkgFolder+"/arch", map[string]bool{p.Arch: true}, "", p.made("dpkg-constant"))
	}
	s.extendedStates()
	parts := make(map[string]*installed)
	for _, p := range s.installed {
		parts[p.file.Path] = p
	}
	for _, f := range s.filesIn(partFolder) {
		if p := parts[f.Path]; p != nil && p.archive != nil && samePart(p) {
			s.say(f, p.made("dpkg-status"))
		}
	}
}

// extendedStates checks what apt notes of packages that came with others: nothing but
// that, of packages that are installed.
func (s *session) extendedStates() {
	text, f, ok := s.root.Content("var/lib/apt/extended_states")
	p := s.verified("apt")
	if !ok || p == nil {
		return
	}
	for paragraph := range Paragraphs(text) {
		name, arch, auto := paragraph.Get("Package"), paragraph.Get("Architecture"), paragraph.Get("Auto-Installed")
		if len(paragraph) != 3 || arch == "" || auto != "1" && auto != "0" || s.verified(name) == nil {
			return
		}
	}
	s.say(f, p.made("apt-states"))
}

// samePart says whether a paragraph has the fields of the control file, each as that has
// it: tools without dpkg copy the file.
func samePart(p *installed) bool {
	for _, f := range p.text {
		if f.Name != "Status" && squeezed(f.Value) != squeezed(p.archive.Control.Get(f.Name)) {
			return false
		}
	}
	return true
}

// paragraphs returns one of the packages when every paragraph is that of a signed one.
func (s *session) paragraphs(text []byte) (by *installed) {
	for paragraph := range Paragraphs(text) {
		n := Name{paragraph.Get("Package"), paragraph.Get("Version"), paragraph.Get("Architecture")}
		at, ok := slices.BinarySearchFunc(s.installed, n, func(p *installed, n Name) int { return p.Name.compare(n) })
		if !ok || s.installed[at].archive == nil || !isStatus(paragraph, s.installed[at]) {
			return nil
		}
		by = s.installed[at]
	}
	return by
}

// isStatus says whether a paragraph of the status has each field of the control file and
// no other but those of dpkg. Checksums of configuration are those of the package.
func isStatus(paragraph Paragraph, p *installed) bool {
	for _, f := range paragraph {
		switch f.Name {
		case "Status", "Config-Version", "Triggers-Pending", "Triggers-Awaited":
		case "Conffiles":
			if !isConffiles(f.Value, p) {
				return false
			}
		case "Section", "Priority":
			if f.Value != p.archive.Control.Get(f.Name) && f.Value != p.offer.Section && f.Value != p.offer.Priority {
				return false
			}
		default:
			if squeezed(f.Value) != squeezed(p.archive.Control.Get(f.Name)) {
				return false
			}
		}
	}
	return !slices.ContainsFunc(p.archive.Control, func(f Field) bool { return paragraph.Get(f.Name) == "" && f.Value != "" })
}

func isConffiles(value string, p *installed) bool {
	for line := range strings.Lines(value) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) == 3 && words[1] == "newconffile" && words[2] == "remove-on-upgrade" && p.isConfig(paths.Clean(words[0])) {
			continue // it is in no package any more
		}
		if len(words) != 2 {
			return false
		}
		content, ok := p.archive.Kept[paths.Clean(words[0])]
		if !ok || words[1] != "newconffile" && words[1] != fmt.Sprintf("%x", md5.Sum(content)) {
			return false
		}
	}
	return true
}

// squeezed makes values alike that are written with other spaces.
func squeezed(value string) string { return strings.Join(strings.Fields(value), " ") }

// diverters returns one of the packages when each diversion is one that a script of a
// signed package makes.
func (s *session) diverters(text string) (by *installed) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for ; len(lines) >= 3; lines = lines[3:] {
		p := s.verified(lines[2])
		if p == nil || !p.diverts(paths.Clean(lines[0]), paths.Clean(lines[1])) {
			return nil
		}
		by = p
	}
	if len(lines) != 0 {
		return nil
	}
	return by
}

// triggers makes again what dpkg notes of who is interested in what (deb-triggers(5)):
// of paths in the file File, of names in files of theirs.
func (s *session) triggers() {
	interests := make(map[string]map[string]bool) // the lines of a file
	by := make(map[string]*installed)
	for _, p := range s.installed {
		if p.archive == nil {
			continue
		}
		for line := range strings.Lines(string(p.archive.Info["triggers"])) {
			words := strings.Fields(line)
			if len(words) != 2 || !strings.HasPrefix(words[0], "interest") {
				continue
			}
			end := ""
			if words[0] == "interest-noawait" {
				end = "/noawait"
			}
			for _, name := range []string{p.Package, p.Package + ":" + p.Arch} {
				file, text := words[1], name+end
				if strings.HasPrefix(words[1], "/") {
					file, text = "File", words[1]+" "+name+end
				}
				if interests[file] == nil {
					interests[file] = make(map[string]bool)
				}
				interests[file][text], by[file] = true, p
			}
		}
	}
	for _, f := range s.filesIn(dpkgFolder + "/triggers") {
		name := path.Base(f.Path)
		if by[name] != nil {
			s.lines(f.Path, interests[name], "", by[name].made("dpkg-triggers"))
		}
	}
}

// templates checks the templates of debconf: each as the control files of signed
// packages have it (debconf-devel(7); Debconf::Template, Debconf::Format::822).
func (s *session) templates() {
	known := make(map[string]map[string]bool) // the lines of each template
	for _, p := range s.installed {
		if p.archive != nil {
			addTemplates(known, string(p.archive.Info["templates"]))
		}
	}
	p := s.verified("debconf")
	for _, end := range []string{"", "-old"} {
		text, f, ok := s.root.Content("var/cache/debconf/templates.dat" + end)
		if ok && p != nil && areTemplates(known, string(text)) {
			s.say(f, p.made("debconf-templates"))
		}
	}
}

// addTemplates adds the lines that debconf writes for the templates of a package.
func addTemplates(known map[string]map[string]bool, text string) {
	for block := range strings.SplitSeq(text, "\n\n") {
		var name, field, value, extended string
		lines := make(map[string]bool)
		flush := func() {
			if field == "" {
				return
			}
			if field == "template" {
				name = value
			} else {
				lines[capital(field)+": "+escaped(value)] = true
			}
			if extended = strings.TrimRight(extended, "\n"); extended != "" {
				lines["Extended_"+field+": "+escaped(extended)] = true
			}
		}
		for line := range strings.SplitSeq(strings.Trim(block, "\n"), "\n") {
			switch head, rest, ok := strings.Cut(line, ":"); {
			case line == " .":
				extended += "\n\n"
			case strings.HasPrefix(line, "  "):
				if extended != "" && !strings.HasSuffix(extended, "\n") && !strings.HasSuffix(extended, " ") {
					extended += "\n"
				}
				extended += strings.TrimRight(line[1:], " \t") + "\n"
			case strings.HasPrefix(line, " "):
				if extended != "" && !strings.HasSuffix(extended, "\n") && !strings.HasSuffix(extended, " ") {
					extended += " "
				}
				extended += strings.TrimRight(line[1:], " \t")
			case ok:
				flush()
				field, value, extended = strings.ToLower(head), strings.TrimRight(strings.TrimPrefix(rest, " "), " \t"), ""
			}
		}
		flush()
		if name != "" {
			if known[name] == nil {
				known[name] = make(map[string]bool)
			}
			maps.Copy(known[name], lines)
		}
	}
}

func capital(field string) string { return strings.ToUpper(field[:1]) + field[1:] }

func escaped(value string) string { return strings.ReplaceAll(value, "\n", `\n`) }

// areTemplates says whether each line of debconf's file is one of a template.
func areTemplates(known map[string]map[string]bool, text string) bool {
	for block := range strings.SplitSeq(text, "\n\n") {
		var of map[string]bool
		for line := range strings.SplitSeq(strings.Trim(block, "\n"), "\n") {
			name, isName := strings.CutPrefix(line, "Name: ")
			switch {
			case isName:
				if of = known[name]; of == nil {
					return false
				}
			case line == "" || strings.HasPrefix(line, "Owners: "):
			case !of[line]:
				return false
			}
		}
	}
	return text != ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
