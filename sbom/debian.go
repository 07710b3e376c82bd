package sbom

import (
	"regexp"
	"slices"
	"strings"
)

// docFolder has a folder for each package of Debian, with its copyright file
// (Debian Policy 4.7, section 12.5).
const docFolder = "usr/share/doc/"

func isCopyright(file string) bool {
	name, ok := strings.CutPrefix(file, docFolder)
	name, rest, _ := strings.Cut(name, "/")
	return ok && name != "" && rest == "copyright"
}

// debianLicense returns the licence of a package of Debian, as its copyright
// file declares it where that is machine-readable. Packages of one source may
// share the folder of one of them, by a symlink.
func (f *finder) debianLicense(name string) License {
	file, ok := f.img.Root().Lookup(docFolder + name + "/copyright")
	if !ok || file.Inode.Type != '0' {
		return License{}
	}
	if known, ok := f.licenses[file.Path]; ok {
		return known
	}
	var license License
	if body, problem := f.body(file); problem.IsZero() {
		names, expressions := debianLicenses(string(body))
		license = f.known.reading(strings.Join(names, "; "), strings.Join(expressions, " AND "))
	}
	f.licenses[file.Path] = license
	return license
}

// maxDebianLicenses bounds the licences of one package: honest ones have a
// dozen.
const maxDebianLicenses = 50

// debianLicenses returns the licences of a machine-readable copyright file
// (Debian's copyright-format 1.0), each once, sorted, and their SPDX license
// expressions; none of these when one of them has none.
func debianLicenses(text string) (names, expressions []string) {
	if !strings.HasPrefix(text, "Format: ") || !strings.Contains(firstLine(text), "/copyright-format/1.0") {
		return nil, nil
	}
	for stanza := range strings.SplitSeq(text, "\n\n") {
		if m := debianStanza.FindStringSubmatch(stanza); m != nil {
			names = append(names, strings.TrimSpace(m[1]))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		expression := debianExpression(name)
		if expression == "" || len(names) > maxDebianLicenses {
			return names[:min(len(names), maxDebianLicenses)], nil
		}
		expressions = append(expressions, expression)
	}
	return names, expressions
}

// debianStanza matches a stanza about files, and takes the names of its
// licences, which stand in the first line of the field.
var debianStanza = regexp.MustCompile(`(?ms)^Files:.*^License:[ \t]*([^\n]+)`)

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// debianExpression returns the SPDX license expression for the short names of
// copyright-format 1.0, section 7.1; "" where a name has no one meaning, or
// words bind in another way than in SPDX: a comma, an exception.
func debianExpression(names string) string {
	var out []string
	alternatives := false
	for word := range strings.FieldsSeq(names) {
		switch word {
		case "and":
			word = "AND"
		case "or":
			word, alternatives = "OR", true
		default:
			word = debianLicenseID(word)
		}
		if word == "" {
			return ""
		}
		out = append(out, word)
	}
	if alternatives {
		return "(" + strings.Join(out, " ") + ")"
	}
	return strings.Join(out, " ")
}

// gnuLicense matches a licence of the FSF with its version.
var gnuLicense = regexp.MustCompile(`^(A?GPL|LGPL|GFDL)-(NIV-)?([0-9](?:\.[0-9])?)(\+?)$`)

// debianLicenseID returns the identifier of SPDX for a short name; names that
// both share, such as BSD-3-clause or MPL-1.1+, stay.
func debianLicenseID(name string) string {
	if m := gnuLicense.FindStringSubmatch(name); m != nil {
		version, or := m[3], "-only"
		if len(version) == 1 {
			version += ".0"
		}
		if m[2] != "" {
			version += "-no-invariants"
		}
		if m[4] != "" {
			or = "-or-later"
		}
		return m[1] + "-" + version + or
	}
	if strings.ContainsAny(name, ",()") {
		return ""
	}
	switch name {
	case "Expat":
		return "MIT"
	case "Apache-2":
		return "Apache-2.0"
	case "CC0":
		return "CC0-1.0"
	}
	return name
}
