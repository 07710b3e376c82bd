package ospackages

import (
	"bytes"
	"path"
	"strings"
)

// Where apk keeps its database; later ones moved it below /usr.
var apkPaths = [...]string{"lib/apk/db/installed", "usr/lib/apk/db/installed"}

func isApk(p string) bool { return p == apkPaths[0] || p == apkPaths[1] }

func (r *reader) apk() {
	for _, name := range apkPaths {
		text, f, ok := r.body(name)
		if !ok {
			continue
		}
		r.found(Apk, f, apkPackages(text))
	}
}

// apkPackages reads a database: paragraphs of lines "K:value", of which F: is a
// folder and each R: after it a file in there.
func apkPackages(text []byte) []Package {
	var all []Package
	var p Package
	var dir string
	room := namesOf(len(text))
	end := func() {
		if p.Name != "" {
			all = append(all, p)
		}
		p, dir = Package{}, ""
	}
	for raw := range bytes.Lines(text) {
		line := string(bytes.TrimRight(raw, "\r\n"))
		if line == "" {
			end()
			continue
		}
		if len(line) < 2 || line[1] != ':' {
			continue
		}
		switch value := line[2:]; line[0] {
		case 'P':
			p.Name = value
		case 'V':
			p.Version = value
		case 'A':
			p.Arch = value
		case 'o':
			p.Source = value
		case 'L':
			p.License = value
		case 'D':
			for name := range strings.FieldsSeq(value) {
				if !strings.HasPrefix(name, "!") { // a conflict
					p.Needs = append(p.Needs, []string{unversioned(name)})
				}
			}
		case 'p':
			for name := range strings.FieldsSeq(value) {
				p.Provides = append(p.Provides, unversioned(name))
			}
		case 'F':
			dir = clean(value)
			if dir != "." {
				p.Files = append(p.Files, File{Path: dir})
			}
		case 'R':
			if room -= len(dir) + len(value); room > 0 {
				p.Files = append(p.Files, File{Path: path.Join(dir, clean(value))})
			}
		}
	}
	end()
	return all
}

// unversioned drops the version from a name in the form of apk: "so:libc.so=1",
// "busybox>=1.36", "musl~1.2".
func unversioned(name string) string {
	if i := strings.IndexAny(name, "<>=~"); i >= 0 {
		return name[:i]
	}
	return name
}
