package sbom

import (
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
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

// python reads core metadata (packaging.python.org, "Core metadata
// specifications" 2.4).
func (f *finder) python(body []byte) (Part, error) {
	fields := headers(body)
	name, version := first(fields["name"]), first(fields["version"])
	if name == "" {
		return Part{}, errors.New("it names no package")
	}
	return Part{
		Ecosystem: Python, Name: name, Version: version,
		License: f.pythonLicense(fields),
		PURL:    newPURL(packageurl.TypePyPi, "", name, version, nil),
	}, nil
}

// pythonLicense takes the most exact of the three places that a licence may be
// declared in.
func (f *finder) pythonLicense(fields map[string][]string) License {
	if text := first(fields["license-expression"]); text != "" {
		return f.known.declared(text)
	}
	text := first(fields["license"])
	if l := f.known.declared(text); l.Expression != "" {
		return l
	}
	for _, c := range fields["classifier"] {
		if id := classified(c); id != "" {
			return f.known.reading(c, id)
		}
	}
	for _, c := range fields["classifier"] {
		if text == "" && strings.HasPrefix(c, "License ::") {
			text = c
		}
	}
	return f.known.declared(text)
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

// maxFields bounds the fields of a header; a package with many classifiers and
// requirements has some hundred.
const maxFields = 10_000

// headers reads the fields before the first empty line, in the form of mail
// headers: "Key: value", continued by lines that start with a space. Keys come
// in lower case, for which case does not matter.
func headers(text []byte) map[string][]string {
	fields := make(map[string][]string)
	var key string
	var value []string
	end := func() {
		if key != "" {
			fields[key] = append(fields[key], strings.TrimSpace(strings.Join(value, "\n")))
		}
		key, value = "", nil
	}
	n := 0
	for raw := range bytes.Lines(bytes.TrimPrefix(text, []byte("\ufeff"))) {
		line := strings.TrimRight(string(raw), "\r\n")
		if n++; strings.TrimSpace(line) == "" || n > maxFields {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			value = append(value, strings.TrimSpace(line))
			continue
		}
		end()
		if name, rest, ok := strings.Cut(line, ":"); ok {
			key, value = strings.ToLower(strings.TrimSpace(name)), []string{strings.TrimSpace(rest)}
		}
	}
	end()
	return fields
}

// first returns the first value that is not empty or says nothing.
func first(values []string) string {
	i := slices.IndexFunc(values, func(v string) bool { return v != "" && v != "UNKNOWN" })
	if i < 0 {
		return ""
	}
	return values[i]
}
