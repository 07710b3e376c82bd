package deb

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/paths"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
)

// Where dpkg keeps what it knows (dpkg(1), "FILES").
const (
	dpkgFolder = "var/lib/dpkg"
	statusFile = dpkgFolder + "/status"
	infoFolder = dpkgFolder + "/info"
	partFolder = dpkgFolder + "/status.d" // of images without dpkg
)

// An installed package is one whose files are there, as the image says.
type installed struct {
	Name
	text    Paragraph
	file    inspect.File    // that has the paragraph
	problem error           // why a signed package cannot be read; nil when it can, or there is none
	archive *Archive        // the signed package; nil where it was not read
	offer   *offer          // what a signed index says of it; nil when nothing
	several bool            // it is installed of several architectures
	config  map[string]bool // its conffiles, once they were asked for
	script  *script         // its scripts, once they were asked for
	said    map[string]bool // the paths of these, likewise
}

// by is how a word on a file names a package: with the architecture where the name
// alone does not say which one it is, as dpkg writes it.
func (p *installed) by() string {
	if p.several {
		return "deb " + Name{Package: p.Package + ":" + p.Arch, Version: p.Version}.String()
	}
	return "deb " + p.Name.String()
}

// readInstalled reads the packages from dpkg's status, or the folder that images
// without dpkg have in its place.
func (s *session) readInstalled() {
	if text, f, ok := s.root.Content(statusFile); ok {
		for p := range Paragraphs(text) {
			if ospackages.IsThere(p.Get("Status")) {
				s.addInstalled(p, f)
			}
		}
	}
	folder, names, _ := s.root.Folder(partFolder)
	for _, name := range names {
		if path.Ext(name) == ".md5sums" || path.Ext(name) == ".list" {
			continue
		}
		text, f, ok := s.root.Content(path.Join(folder, name))
		if !ok {
			continue
		}
		for p := range Paragraphs(text) {
			s.addInstalled(p, f)
			break
		}
	}
	slices.SortStableFunc(s.installed, func(a, b *installed) int { return a.Name.compare(b.Name) })
	s.installed = slices.CompactFunc(s.installed, func(a, b *installed) bool { return a.Name == b.Name })
	last := make(map[string]*installed)
	for _, p := range s.installed {
		if q := last[p.Name.String()]; q != nil {
			p.several, q.several = true, true
		}
		last[p.Name.String()] = p
	}
}

func (s *session) addInstalled(p Paragraph, f inspect.File) {
	n := Name{p.Get("Package"), p.Get("Version"), p.Get("Architecture")}
	if n.Package != "" {
		s.installed = append(s.installed, &installed{Name: n, text: p, file: f})
	}
}

func (n Name) compare(m Name) int {
	return strings.Compare(n.Package+"\x00"+n.Arch+"\x00"+n.Version, m.Package+"\x00"+m.Arch+"\x00"+m.Version)
}

// A diversion puts the file of all packages but one elsewhere (dpkg-divert(1)).
type diversion struct{ to, by string }

// readDiversions reads triples of lines: path, where to, and by which package.
func (s *session) readDiversions() {
	s.diversions = make(map[string]diversion)
	text, _, _ := s.root.Content(dpkgFolder + "/diversions")
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for ; len(lines) >= 3; lines = lines[3:] {
		s.diversions[paths.Clean(lines[0])] = diversion{paths.Clean(lines[1]), lines[2]}
	}
}

// An override is the mode and owner that the administrator, or a script, gave to a path
// (dpkg-statoverride(1)).
type override struct {
	user, group string
	mode        int64
}

// readOverrides reads them: user, group, mode and path, one a line. Nobody has signed them.
func (s *session) readOverrides() {
	s.overrides = make(map[string]override)
	text, _, _ := s.root.Content(dpkgFolder + "/statoverride")
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 4 {
			if mode, err := strconv.ParseInt(words[2], 8, 64); err == nil {
				for _, form := range forms(paths.Clean(words[3])) {
					s.overrides[form] = override{words[0], words[1], mode}
				}
			}
		}
	}
}

// isOwnerOf says whether an override names an owner: by names of the image, or by numbers.
func (s *session) isOwnerOf(o override, uid, gid int) bool {
	return (o.user == fmt.Sprintf("#%d", uid) || s.isNumbered("etc/passwd", o.user, uid)) &&
		(o.group == fmt.Sprintf("#%d", gid) || s.isNumbered("etc/group", o.group, gid))
}

// acceptDiversions keeps the diversions that a script of a signed package makes. What is
// in the place of the others is not verified.
func (s *session) acceptDiversions() {
	s.refused = make(map[string]string)
	for _, from := range sortedKeys(s.diversions) {
		d := s.diversions[from]
		if p := s.verified(d.by); p == nil || !p.diverts(from, d.to) {
			delete(s.diversions, from)
			for _, form := range forms(from) {
				s.refused[form] = d.by
			}
		}
	}
}

// diverts says whether a script of the package diverts a path: it names it, and where to
// or what stands in the new name beside the old one.
func (p *installed) diverts(from, to string) bool {
	named := p.expanded()
	namesAny := func(at string) bool { return slices.ContainsFunc(forms(at), func(f string) bool { return named[f] }) }
	if !namesAny(from) || !p.contains("dpkg-divert") {
		return false
	}
	added := to
	for added != "" && from != "" && added[0] == from[0] {
		added, from = added[1:], from[1:]
	}
	added, ok := strings.CutSuffix(added, from)
	added = strings.Trim(added, ".")
	return namesAny(to) || ok && added != "" && !strings.Contains(added, "/") && p.contains("."+added)
}

// placeOf is where dpkg puts a file of a package.
func (s *session) placeOf(p *installed, path string) string {
	for _, form := range forms(path) {
		if d, ok := s.diversions[form]; ok && d.by != p.Package {
			return d.to
		}
	}
	return path
}

// infoName returns the path of a file that dpkg keeps of a package: under the name with
// the architecture where several can be installed.
func (s *session) infoName(p *installed, suffix string) (inspect.File, bool) {
	for _, name := range []string{p.Package + ":" + p.Arch, p.Package} {
		if f, ok := s.root.Lookup(infoFolder + "/" + name + "." + suffix); ok {
			return f, true
		}
	}
	return inspect.File{}, false
}

// signed is the word on what the package has.
func (p *installed) signed() vouch.Word {
	return vouch.Word{Kind: vouch.Signed, By: p.by(), Keys: p.offer.release.Keys}
}

// made is the word on what a rule makes from what the package has.
func (p *installed) made(rule string) vouch.Word {
	return vouch.Word{Kind: vouch.Made, By: p.by(), Keys: p.offer.release.Keys, Rule: rule}
}

// conffiles are the paths that a package expects to be changed, by its control files.
func conffiles(info map[string][]byte) map[string]bool {
	all := make(map[string]bool)
	for line := range strings.Lines(string(info["conffiles"])) {
		if words := strings.Fields(line); len(words) > 0 {
			all[paths.Clean(words[len(words)-1])] = true // "remove-on-upgrade PATH" since dpkg 1.20
		}
	}
	return all
}
