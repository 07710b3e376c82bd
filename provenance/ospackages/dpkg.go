package ospackages

import (
	"bytes"
	"crypto/md5"
	"maps"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/paths"
	"audit/provenance/ospackages/deb822"
)

// Where dpkg keeps what it knows.
const (
	dpkgStatus     = "var/lib/dpkg/status"
	dpkgInfo       = "var/lib/dpkg/info"
	dpkgParts      = "var/lib/dpkg/status.d"
	dpkgDiversions = "var/lib/dpkg/diversions"
)

// isDpkg says whether a file can be one of dpkg's: in a folder dpkg, wherever a
// link may lead there from.
func isDpkg(p string) bool {
	above, base := paths.Split(p)
	dir, name := paths.Split(above)
	switch name {
	case "dpkg":
		return base == "status" || base == "diversions"
	case "info":
		return path.Base(dir) == "dpkg" && (path.Ext(base) == ".list" || path.Ext(base) == sums)
	case "status.d":
		return path.Base(dir) == "dpkg"
	}
	return false
}

// sums is what the name of a list of MD5 sums ends in.
const sums = ".md5sums"

// dpkg reads the database of dpkg, and the folder that images without dpkg have
// in its place, with a paragraph in each file.
func (r *reader) dpkg() {
	r.diversions()
	if text, f, ok := r.body(dpkgStatus); ok {
		all := slices.Collect(deb822.Paragraphs(text))
		r.dpkgConfig(f, all)
		var packages []Package
		for _, p := range all {
			if IsThere(p.Get("Status")) && p.Get("Package") != "" {
				r.twice(p, f)
				packages = append(packages, r.dpkgPackage(p))
			}
		}
		r.found(Dpkg, f, packages)
		r.in.expect()
	}
	r.dpkgSums()
	r.diverts()
	parts, names, _ := r.root.Folder(dpkgParts)
	for _, name := range names {
		name = path.Join(parts, name)
		if path.Ext(name) == sums || path.Ext(name) == ".list" {
			continue
		}
		text, f, ok := r.body(name)
		if !ok {
			continue
		}
		all := slices.Collect(deb822.Paragraphs(text))
		if len(all) == 0 || all[0].Get("Package") == "" {
			r.problem(name, f.Layer, "packages/no-package")
			continue
		}
		r.twice(all[0], f)
		p := newDpkg(all[0])
		text, _, _ = r.body(name + sums)
		p.Files = summed(text)
		r.found(Dpkg, f, []Package{p})
	}
}

// twice reports a field that a paragraph has more than once: dpkg refuses such a file, and
// other readers take the one or the other.
func (r *reader) twice(p deb822.Paragraph, f inspect.File) {
	if field := p.Twice(); field != "" {
		r.problem(f.Path, f.Layer, "packages/field-twice", "package", check.Brief(p.Get("Package")), "field", check.Brief(field))
	}
}

// IsThere says whether a status of dpkg is that of a package whose files are there: the
// last of its three words says so (dpkg(1), "Package states"). A word that is not known
// hides no package.
func IsThere(status string) bool {
	words := strings.Fields(status)
	return len(words) == 3 && words[2] != "not-installed" && words[2] != "config-files"
}

func newDpkg(p deb822.Paragraph) Package {
	source, _, _ := strings.Cut(p.Get("Source"), " ")
	out := Package{Name: p.Get("Package"), Version: p.Get("Version"), Arch: p.Get("Architecture"), Source: source}
	out.Needs = append(relations(p.Get("Pre-Depends")), relations(p.Get("Depends"))...)
	for _, names := range relations(p.Get("Provides")) {
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
func (r *reader) dpkgPackage(paragraph deb822.Paragraph) Package {
	p := newDpkg(paragraph)
	config := make(map[string]bool)
	for _, f := range conffiles(paragraph) {
		config[f.Path] = true
	}
	for _, name := range []string{p.Name + ":" + p.Arch, p.Name} {
		text, _, ok := r.body(dpkgInfo + "/" + name + ".list")
		if !ok {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if at := clean(line); at != "." {
				p.Files = append(p.Files, File{Path: r.moved(at, p.Name), Config: config[at]})
			}
		}
		break
	}
	return p
}

// leastSum is how many bytes a line with a sum has at least.
const leastSum = 2*md5.Size + len("  f\n")

// summed returns the files of a list of MD5 sums: the sum, two spaces, a path
// (deb-md5sums(5)).
func summed(text []byte) []File {
	files := slices.Grow([]File(nil), min(bytes.Count(text, []byte("\n")), len(text)/leastSum))
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(line, "  ")
		if at := clean(name); ok && at != "." {
			files = append(files, File{Path: at, Digest: newDigest("md5", sum)})
		}
	}
	return files
}

// dpkgSums records the MD5 sums of each layer's packages. Files that a package
// expects to be changed are not among them.
func (r *reader) dpkgSums() {
	last := make(map[string]*summedVersion)
	for _, folder := range []string{r.folderOf(dpkgInfo), r.folderOf(dpkgParts)} {
		isPart := func(p string) bool { return path.Dir(p) == folder && path.Ext(p) == sums }
		r.versions(folder, isPart, func(layer int, e *inspect.Entry, v *version) {
			text, _ := r.img.Body(layer, e.Path)
			name, _, _ := strings.Cut(strings.TrimSuffix(path.Base(e.Path), sums), ":")
			files := summed(text)
			for i := range files {
				files[i].Path = r.moved(files[i].Path, name)
			}
			r.in.record(v, Package{Name: name, Files: files})
			now := &summedVersion{v, Package{Name: name, Version: r.dpkgVersion(name, layer, e), Files: files}}
			was := last[r.in.Place(e)]
			if was != nil && was.until == layer {
				r.replaced(layer, []Package{was.pkg}, []Package{now.pkg})
			} else {
				r.withdrawn(was)
			}
			last[r.in.Place(e)] = now
		})
	}
	for _, at := range slices.Sorted(maps.Keys(last)) {
		r.withdrawn(last[at])
	}
}

// A summedVersion is a version of a list of MD5 sums.
type summedVersion struct {
	*version
	pkg Package
}

// withdrawn notes a list of MD5 sums that a layer hides, while the package stays as
// it is.
func (r *reader) withdrawn(s *summedVersion) {
	if s == nil || s.until == forever {
		return
	}
	if n := r.dpkgVersion(s.pkg.Name, s.until, nil); n == "" || n != s.pkg.Version {
		return
	}
	gone := s.pkg
	gone.Files = nil
	r.replaced(s.until, []Package{s.pkg}, []Package{gone})
}

// A statusVersion has the versions of the packages that a version of dpkg's status file says
// are installed.
type statusVersion struct {
	*version
	numbers map[string]string
}

// dpkgVersion returns the version of a package as of a layer, "" when it is not known:
// in an image without dpkg it is in the file beside the list of MD5 sums.
func (r *reader) dpkgVersion(name string, layer int, beside *inspect.Entry) string {
	if beside != nil {
		text, _ := r.img.Body(layer, strings.TrimSuffix(beside.Path, sums))
		if all := slices.Collect(deb822.Paragraphs(text)); len(all) > 0 {
			return all[0].Get("Version")
		}
	}
	for _, s := range slices.Backward(r.statuses) {
		if s.at(layer) {
			return s.numbers[name]
		}
	}
	return ""
}

// conffiles are the files of a package that it expects to be changed, with their
// MD5 sums as they were installed.
func conffiles(paragraph deb822.Paragraph) []File {
	var files []File
	for line := range strings.Lines(paragraph.Get("Conffiles")) {
		if words := strings.Fields(line); len(words) > 1 {
			files = append(files, File{Path: clean(words[0]), Digest: newDigest("md5", words[1]), Config: true})
		}
	}
	return files
}

// dpkgConfig records the MD5 sums of the files that packages expect to be changed:
// those of the last status file, which has these paragraphs, and of the ones that
// lower layers have.
func (r *reader) dpkgConfig(last inspect.File, all []deb822.Paragraph) {
	r.versions(path.Dir(last.Path), func(p string) bool { return p == last.Path }, func(layer int, e *inspect.Entry, v *version) {
		list := all
		if e != last.Entry {
			text, _ := r.img.Body(layer, e.Path)
			list = slices.Collect(deb822.Paragraphs(text))
		}
		numbers := make(map[string]string)
		r.statuses = append(r.statuses, statusVersion{v, numbers})
		for _, p := range list {
			if IsThere(p.Get("Status")) {
				numbers[p.Get("Package")] = p.Get("Version")
				r.in.record(v, Package{Name: p.Get("Package"), Version: p.Get("Version"), Files: conffiles(p)})
			}
		}
	})
}

// A diversion is a path whose file dpkg-divert has moved.
type diversion struct {
	to string
	by string // the package that may have a file at the path; ":" for none
}

// diversions reads which files of packages have another place: three lines each,
// the path, where its file went, and the package that keeps the path (dpkg 1.22,
// lib/dpkg/db-ctrl-format.c, dpkg-divert(1)).
func (r *reader) diversions() {
	text, f, ok := r.body(dpkgDiversions)
	if ok && r.foreign[f.Entry] {
		text, ok = r.lastInForce(r.in.links.Real(dpkgDiversions))
	}
	if !ok {
		return
	}
	r.diverted = parseDiversions(text)
	r.in.diverted = make(map[string]bool)
	for from, d := range r.diverted {
		r.in.diverted[from], r.in.diverted[d.to] = true, true
	}
}

func parseDiversions(text []byte) map[string]diversion {
	all := make(map[string]diversion)
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	for ; len(lines) >= 3; lines = lines[3:] {
		all[clean(lines[0])] = diversion{clean(lines[1]), lines[2]}
	}
	return all
}

// diverts notes the files that are diverted only from the last version of the
// diversions on, and whose packages lower layers have: they have lost their record.
func (r *reader) diverts() {
	at := r.in.links.Real(dpkgDiversions)
	var before, now []byte
	layer := 0
	r.versions(path.Dir(at), func(p string) bool { return p == at }, func(l int, e *inspect.Entry, _ *version) {
		before = now
		now, _ = r.img.Body(l, e.Path)
		layer = l
	})
	was := parseDiversions(before)
	for _, from := range slices.Sorted(maps.Keys(r.diverted)) {
		d := r.diverted[from]
		if was[from] == d {
			continue
		}
		for _, rec := range r.in.records[r.in.links.Real(d.to)] {
			if layer > 0 && rec.at(layer-1) {
				r.in.Replacements = append(r.in.Replacements, Replacement{layer, r.in.links.Real(from), rec.pkg, rec.number, rec.digest, true})
				break
			}
		}
	}
}

// lastInForce returns the content of a database's file that is in force in the end.
func (r *reader) lastInForce(at string) (text []byte, ok bool) {
	var last *version
	r.versions(path.Dir(at), func(p string) bool { return p == at }, func(layer int, e *inspect.Entry, v *version) {
		last = v
		text, ok = r.img.Body(layer, e.Path)
	})
	return text, ok && last.until == forever
}

// moved returns where a package's file is.
func (r *reader) moved(p, name string) string {
	if d, ok := r.diverted[p]; ok && d.by != name {
		return d.to
	}
	return p
}
