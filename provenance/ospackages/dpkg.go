package ospackages

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// Where dpkg keeps what it knows.
const (
	dpkgStatus = "var/lib/dpkg/status"
	dpkgInfo   = "var/lib/dpkg/info"
	dpkgParts  = "var/lib/dpkg/status.d"
)

func isDpkg(p string) bool {
	switch path.Dir(p) {
	case dpkgInfo:
		return strings.HasSuffix(p, ".list")
	case dpkgParts:
		return true
	}
	return p == dpkgStatus
}

// dpkg reads the database of dpkg, and the folder that images without dpkg have
// in its place, with a paragraph in each file.
func (r *reader) dpkg() {
	if text, f, ok := r.body(dpkgStatus); ok {
		var packages []Package
		for _, p := range paragraphs(text) {
			if installed(p["Status"]) && p["Package"] != "" {
				packages = append(packages, r.dpkgPackage(p))
			}
		}
		r.found(Dpkg, f, packages)
	}
	for _, name := range r.in(dpkgParts) {
		if path.Ext(name) == ".md5sums" || path.Ext(name) == ".list" {
			continue
		}
		text, f, ok := r.body(name)
		if !ok {
			continue
		}
		all := paragraphs(text)
		if len(all) == 0 || all[0]["Package"] == "" {
			r.problem(name, f.Layer, "packages/no-package")
			continue
		}
		p := newDpkg(all[0])
		sums, _, _ := r.body(name + ".md5sums")
		p.Files = summed(sums)
		r.found(Dpkg, f, []Package{p})
	}
}

// installed says whether a status is that of a package whose files are there:
// the last of its three words says so (dpkg(1), "Package states").
func installed(status string) bool {
	words := strings.Fields(status)
	if len(words) != 3 {
		return false
	}
	switch words[2] {
	case "installed", "unpacked", "half-configured", "half-installed", "triggers-awaited", "triggers-pending":
		return true
	}
	return false
}

func newDpkg(p map[string]string) Package {
	source, _, _ := strings.Cut(p["Source"], " ")
	out := Package{Name: p["Package"], Version: p["Version"], Arch: p["Architecture"], Source: source}
	out.Needs = append(relations(p["Pre-Depends"]), relations(p["Depends"])...)
	for _, names := range relations(p["Provides"]) {
		out.Provides = append(out.Provides, names...)
	}
	return out
}

// relations reads a field that relates a package to others (Debian Policy 4.7,
// section 7.1): a list of alternatives, of which versions and architectures are
// left out.
func relations(field string) [][]string {
	var list [][]string
	for clause := range strings.SplitSeq(field, ",") {
		var names []string
		for one := range strings.SplitSeq(clause, "|") {
			words := strings.FieldsFunc(one, func(r rune) bool { return strings.ContainsRune(" \t\n([", r) })
			if len(words) == 0 {
				continue
			}
			name, _, _ := strings.Cut(words[0], ":")
			names = append(names, name)
		}
		if len(names) > 0 {
			list = append(list, names)
		}
	}
	return list
}

// dpkgPackage is the package of a paragraph with the files that its list names.
// A package of which several architectures can be installed has its own in the
// name of the list.
func (r *reader) dpkgPackage(paragraph map[string]string) Package {
	p := newDpkg(paragraph)
	config := make(map[string]bool)
	for line := range strings.Lines(paragraph["Conffiles"]) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		config[clean(name)] = true
	}
	for _, name := range []string{p.Name + ":" + p.Arch, p.Name} {
		list := dpkgInfo + "/" + name + ".list"
		if _, ok := r.files[list]; !ok {
			continue
		}
		text, _, _ := r.body(list)
		for line := range bytes.Lines(text) {
			if at := clean(string(line)); at != "." {
				p.Files = append(p.Files, File{Path: at, Config: config[at]})
			}
		}
		break
	}
	return p
}

// summed returns the files of a list of MD5 sums: the sum, two spaces, a path.
// The sums themselves are not used: an image has SHA-256 digests.
func summed(text []byte) []File {
	var files []File
	for line := range bytes.Lines(text) {
		_, name, ok := strings.Cut(string(line), "  ")
		if at := clean(name); ok && at != "." {
			files = append(files, File{Path: at})
		}
	}
	return files
}

// maxFields bounds the fields of a paragraph; dpkg itself knows some fifty.
const maxFields = 1000

// paragraphs reads a file of the form of deb822(5): fields "Key: value", lines
// that start with a space continue the value, an empty line ends a paragraph.
func paragraphs(text []byte) []map[string]string {
	var all []map[string]string
	var current map[string]string
	var key string
	var value strings.Builder
	field := func() {
		if key != "" && len(current) < maxFields {
			current[key] = value.String()
		}
		key = ""
		value.Reset()
	}
	for raw := range bytes.Lines(text) {
		line := strings.TrimRight(string(raw), "\r\n")
		switch name, rest, ok := strings.Cut(line, ":"); {
		case strings.TrimSpace(line) == "":
			field()
			current = nil
		case line[0] == ' ' || line[0] == '\t':
			fmt.Fprintf(&value, "\n%s", line)
		case ok:
			field()
			if current == nil {
				current = make(map[string]string)
				all = append(all, current)
			}
			key = name
			value.WriteString(strings.TrimSpace(rest))
		}
	}
	if current != nil {
		field()
	}
	return all
}
