package records

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/package-url/packageurl-go"

	"audit/inspect/check"
	"audit/inspect/paths"
)

// isPython says whether a file is the metadata of an installed Python package:
// dist-info of wheels (packaging.python.org, "Recording installed projects"),
// egg-info and eggs of setuptools, and the single file of distutils.
func isPython(p string) bool {
	dir, name := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	switch name {
	case "METADATA":
		return strings.HasSuffix(dir, ".dist-info")
	case "PKG-INFO":
		return strings.HasSuffix(dir, ".egg-info") || strings.HasSuffix(dir, ".egg/EGG-INFO")
	}
	return strings.HasSuffix(name, ".egg-info") && name != ".egg-info"
}

// isPythonRecord says whether a file beside core metadata lists the files of a package.
func isPythonRecord(p string) bool {
	dir, name := path.Split(p)
	switch name {
	case "RECORD", "direct_url.json":
		return strings.HasSuffix(dir, ".dist-info/")
	case "installed-files.txt":
		return strings.HasSuffix(dir, ".egg-info/")
	}
	return false
}

// python reads core metadata (packaging.python.org, "Core metadata specifications"
// 2.4) and what lies beside them.
func (r *reader) python(at found, body []byte) error {
	c, err := pythonComponent(body)
	if err != nil {
		return err
	}
	dir, base := path.Split(at.name)
	dir = strings.TrimSuffix(dir, "/")
	c.Library = libraryOf(dir, base)
	if base != "METADATA" {
		if r.isSource(dir, base) {
			c.Origin = Local
		}
		r.egg(dir, base, r.add(c, at.File))
		return nil
	}
	r.direct(&c, dir)
	i := r.add(c, at.File)
	folder := c.Library
	if stem := plainName(strings.TrimSuffix(path.Base(dir), ".dist-info")); stem != plainName(c.Name) && !strings.HasPrefix(stem, plainName(c.Name)+"-") {
		r.problem(at.File, "records/name-differs", "name", check.Brief(c.Name))
	}
	record, file, ok := r.beside(dir + "/RECORD")
	r.environment(folder, Python, !ok)
	if ok {
		r.pythonRecord(r.list(file, i, len(record)), folder, record)
	}
	return nil
}

// pythonComponent reads core metadata.
func pythonComponent(text []byte) (Component, error) {
	fields := headers(text)
	name := first(fields["name"])
	if name == "" {
		return Component{}, errors.New("it names no package")
	}
	return Component{
		Ecosystem: Python, Name: name, Version: first(fields["version"]), In: -1,
		Licenses: pythonLicenses(fields), Locator: Locator{Type: packageurl.TypePyPi},
	}, nil
}

// libraryOf is the folder of packages in which metadata lie: in a folder of the package, in
// one of an egg, or alone.
func libraryOf(dir, base string) string {
	switch {
	case base != "METADATA" && base != "PKG-INFO":
		return dir
	case path.Base(dir) == "EGG-INFO":
		return path.Dir(path.Dir(dir))
	}
	return path.Dir(dir)
}

// plainName is a name of Python in the form in which all spellings of it are alike
// (packaging.python.org, "Names and normalization").
func plainName(name string) string {
	return strings.ToLower(separators.ReplaceAllString(name, "-"))
}

var separators = regexp.MustCompile(`[-_.]+`)

// pythonRecord reads the list of a package's files (packaging.python.org, "Recording
// installed projects"): path, algorithm=digest, size, in the form of RFC 4180.
func (r *reader) pythonRecord(l *list, folder string, record []byte) {
	rows := csv.NewReader(bytes.NewReader(record))
	rows.FieldsPerRecord, rows.ReuseRecord, rows.LazyQuotes = -1, true, true
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			r.problem(l.record, "records/unread", "error", err)
			return
		}
		if row[0] == "" {
			continue
		}
		name, recorded := l.inTarget(folder, row[0]), v1.Hash{}
		if len(row) > 1 {
			recorded = pythonDigest(row[1])
		}
		put := l.put
		if len(row) > 1 && row[1] != "" && recorded.Hex == "" {
			put = func(p string, _ v1.Hash) bool { return l.unclear(p) }
		}
		if !put(name, recorded) {
			return
		}
	}
}

// inTarget joins a path of RECORD to the folder of its packages. pip install --target moves
// scripts into that folder, and leaves in RECORD where they were before (pip 24,
// commands/install.py).
func (l *list) inTarget(folder, p string) string {
	joined := under(folder, p)
	if script, ok := strings.CutPrefix(p, "../../bin/"); ok && joined == "" && !paths.HasDotDot(script) {
		if moved := folder + "/bin/" + script; l.isThere(moved) {
			return moved
		}
	}
	return joined
}

func (r *reader) isThere(p string) bool {
	_, ok := r.root.Name(p)
	return ok
}

// pythonDigest reads a digest in base64 without padding, or in hexadecimal as some builders of
// Debian's packages write it (pybuild of Debian 12); zero when it is none.
func pythonDigest(text string) v1.Hash {
	algorithm, sum, _ := strings.Cut(text, "=")
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(sum, "="))
	if err != nil || len(raw) != sizeOf(algorithm) {
		for _, d := range hexDigest(algorithm, sum) {
			return d
		}
		return v1.Hash{}
	}
	return v1.Hash{Algorithm: algorithm, Hex: hex.EncodeToString(raw)}
}

// isSource says whether metadata lie in the folder of a source that is used where it is,
// as setup.py develop does: an index has it or not.
func (r *reader) isSource(dir, base string) bool {
	if base != "PKG-INFO" || !strings.HasSuffix(dir, ".egg-info") {
		return false
	}
	if isSite(path.Dir(dir)) {
		return false
	}
	_, isInstalled := r.root.Name(dir + "/installed-files.txt")
	return !isInstalled
}

// isSite says whether a folder is one that installers put packages into by themselves.
func isSite(folder string) bool {
	base := path.Base(folder)
	return base == "site-packages" || base == "dist-packages"
}

// egg reads the list of files of a package that was installed without a wheel, which
// has no digests. Packages of conda and of distributions often have none at all.
func (r *reader) egg(dir, base string, component int) {
	folder := path.Dir(dir)
	if base != "PKG-INFO" { // a single file, which is the metadata
		r.environment(dir, Python, true)
		return
	}
	names, file, ok := r.beside(dir + "/installed-files.txt")
	r.environment(folder, Python, !ok)
	if !ok {
		return
	}
	l := r.list(file, component, len(names))
	for name := range strings.Lines(string(names)) {
		if name = strings.TrimSpace(name); name != "" && !l.put(under(dir, name), v1.Hash{}) {
			return
		}
	}
}

// direct reads where a package came from when it was not from an index
// (packaging.python.org, "Recording the Direct URL Origin of installed distributions").
func (r *reader) direct(c *Component, dir string) {
	body, file, ok := r.beside(dir + "/direct_url.json")
	if !ok {
		return
	}
	var origin struct {
		URL  string `json:"url"`
		Info struct {
			Hash   string            `json:"hash"`
			Hashes map[string]string `json:"hashes"`
		} `json:"archive_info"`
		VCS struct {
			Kind   string `json:"vcs"`
			Commit string `json:"commit_id"`
		} `json:"vcs_info"`
		Subdirectory string `json:"subdirectory"`
	}
	c.Origin = Local // whatever it was, it was no index
	if err := decode(body, &origin); err != nil {
		r.problem(file, "records/unread", "error", err)
		return
	}
	if algorithm, sum, ok := strings.Cut(origin.Info.Hash, "="); ok && len(origin.Info.Hashes) == 0 {
		origin.Info.Hashes = map[string]string{algorithm: sum}
	}
	for _, algorithm := range slices.Sorted(maps.Keys(origin.Info.Hashes)) {
		c.Digests = append(c.Digests, hexDigest(algorithm, origin.Info.Hashes[algorithm])...)
	}
	switch c.URL = publicURL(origin.URL); {
	case c.URL == "":
	case origin.VCS.Kind == "":
		c.Origin = ""
	case vcsKind.MatchString(origin.VCS.Kind) && commitID.MatchString(origin.VCS.Commit):
		c.Origin = origin.VCS.Kind + "+" + c.URL + "@" + origin.VCS.Commit
		if origin.Subdirectory != "" {
			c.Origin += "#subdirectory=" + origin.Subdirectory
		}
	}
}

// What is recorded of a repository, and of what was taken from it.
var (
	vcsKind  = regexp.MustCompile(`^(git|hg|bzr|svn)$`)
	commitID = regexp.MustCompile(`^[0-9A-Za-z._-]{1,100}$`)
)

// pythonLicenses takes the three places that a licence may be declared in.
func pythonLicenses(fields map[string][]string) []License {
	if text := first(fields["license-expression"]); text != "" {
		return []License{{Text: text}}
	}
	all := []License{{Text: first(fields["license"])}}
	for _, c := range fields["classifier"] {
		if id := classified(c); id != "" {
			all = append(all, License{c, id})
		}
	}
	for _, c := range fields["classifier"] {
		if strings.HasPrefix(c, "License ::") {
			return append(all, License{Text: c})
		}
	}
	return all
}

// classified returns the licence of a trove classifier, for those that mean
// one licence and no other.
func classified(classifier string) string {
	_, name, ok := cutLast(classifier, " :: ")
	if !ok || !strings.HasPrefix(classifier, "License :: ") {
		return ""
	}
	return map[string]string{
		"MIT License":                                                     "MIT",
		"MIT No Attribution License (MIT-0)":                              "MIT-0",
		"ISC License (ISCL)":                                              "ISC",
		"Mozilla Public License 2.0 (MPL 2.0)":                            "MPL-2.0",
		"GNU General Public License v2 (GPLv2)":                           "GPL-2.0-only",
		"GNU General Public License v2 or later (GPLv2+)":                 "GPL-2.0-or-later",
		"GNU General Public License v3 (GPLv3)":                           "GPL-3.0-only",
		"GNU General Public License v3 or later (GPLv3+)":                 "GPL-3.0-or-later",
		"GNU Lesser General Public License v3 (LGPLv3)":                   "LGPL-3.0-only",
		"GNU Lesser General Public License v3 or later (LGPLv3+)":         "LGPL-3.0-or-later",
		"GNU Affero General Public License v3":                            "AGPL-3.0-only",
		"GNU Affero General Public License v3 or later (AGPLv3+)":         "AGPL-3.0-or-later",
		"Boost Software License 1.0 (BSL-1.0)":                            "BSL-1.0",
		"European Union Public Licence 1.2 (EUPL 1.2)":                    "EUPL-1.2",
		"The Unlicense (Unlicense)":                                       "Unlicense",
		"zlib/libpng License":                                             "Zlib",
		"CC0 1.0 Universal (CC0 1.0) Public Domain Dedication":            "CC0-1.0",
		"Historical Permission Notice and Disclaimer (HPND)":              "HPND",
		"Universal Permissive License (UPL)":                              "UPL-1.0",
		"Eclipse Public License 2.0 (EPL-2.0)":                            "EPL-2.0",
		"CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
	}[name]
}

func cutLast(text, separator string) (before, after string, ok bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
