package deb

import "strings"

// A script is what the scripts of a package say, taken apart once.
type script struct {
	text  string
	words map[string]bool // between spaces, quotes and the like
	paths map[string]bool // absolute, without the slash at the beginning
}

// scripts are the scripts of a signed package, in one text.
func (p *installed) scripts() *script {
	if p.script != nil {
		return p.script
	}
	p.script = &script{words: make(map[string]bool), paths: make(map[string]bool)}
	if p.archive == nil {
		return p.script
	}
	var text strings.Builder
	for _, name := range []string{"postinst", "preinst", "config", "postrm", "prerm"} {
		text.Write(p.archive.Info[name])
		text.WriteByte('\n')
	}
	p.script.text = text.String()
	for word := range strings.FieldsFuncSeq(p.script.text, isBetween) {
		p.script.words[word] = true
		for part := range strings.FieldsFuncSeq(word, isNoPath) {
			if at := strings.IndexByte(part, '/'); at >= 0 && (at == 0 || part[0] == '$') {
				p.script.paths[strings.Trim(part[at:], "/")] = true
			}
		}
	}
	return p.script
}

func isBetween(r rune) bool { return strings.ContainsRune(" \t\n\"';()", r) }

// isNoPath says of a character whether paths in scripts do not have it.
func isNoPath(r rune) bool {
	return !strings.ContainsRune("._+-/$*~%@", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// contains says whether the scripts have a text anywhere.
func (p *installed) contains(text string) bool { return strings.Contains(p.scripts().text, text) }

// says says whether a script has a word, in whole.
func (p *installed) says(word string) bool { return p.scripts().words[word] }

// names says whether a script has an absolute path, in whole.
func (p *installed) names(path string) bool { return p.scripts().paths[path] }

// namedBy returns the packages whose scripts name a path.
func (s *session) namedBy(path string) []*installed {
	if s.namers == nil {
		s.namers = make(map[string][]*installed)
		for _, p := range s.installed {
			for at := range p.scripts().paths {
				s.namers[at] = append(s.namers[at], p)
			}
		}
	}
	return s.namers[path]
}
