package sbom

import (
	"strings"
	"testing"

	"audit/fixtures"
)

func TestDebianLicenses(t *testing.T) {
	const format = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nSource: x\n"
	files := func(licenses ...string) string {
		text := format
		for _, l := range licenses {
			text += "\nFiles: *\nCopyright: 2024 A\nLicense: " + l + "\n Text of it.\n .\n More.\n"
		}
		return text + "\nLicense: GPL-9\n Not one of files.\n"
	}
	l := newLicenses()
	for _, tt := range []struct{ name, text, names, want string }{
		{"one", files("GPL-3+"), "GPL-3+", "GPL-3.0-or-later"},
		{"two, one of them twice", files("LGPL-2.1", "Expat", "LGPL-2.1"), "Expat; LGPL-2.1", "MIT AND LGPL-2.1-only"},
		{"alternatives", files("GPL-2+ or Artistic-2.0", "ISC"), "GPL-2+ or Artistic-2.0; ISC", "(GPL-2.0-or-later OR Artistic-2.0) AND ISC"},
		{"both", files("BSD-3-clause and Apache-2"), "BSD-3-clause and Apache-2", "BSD-3-Clause AND Apache-2.0"},
		{"documentation", files("GFDL-NIV-1.3+", "CC0"), "CC0; GFDL-NIV-1.3+", "CC0-1.0 AND GFDL-1.3-no-invariants-or-later"},
		{"public domain", files("public-domain", "Expat"), "Expat; public-domain", ""},
		{"an exception", files("GPL-2+ with OpenSSL exception"), "GPL-2+ with OpenSSL exception", ""},
		{"a comma", files("GPL-2, or MIT"), "GPL-2, or MIT", ""},
		{"or later", files("MPL-1.1+"), "MPL-1.1+", "MPL-1.1+"},
		{"free text", "This package was debianized by A.\n\nFiles: *\nLicense: MIT\n", "", ""},
		{"nothing", "", "", ""},
	} {
		names, expressions := debianLicenses(tt.text)
		got := l.reading(strings.Join(names, "; "), strings.Join(expressions, " AND "))
		if strings.Join(names, "; ") != tt.names || got.Expression != tt.want {
			t.Errorf("%s: %q, %q, want %q, %q", tt.name, names, got.Expression, tt.names, tt.want)
		}
	}
	if names, expressions := debianLicenses(files(strings.Split(strings.Repeat("a b c d e f g ", 100), " ")...)); len(names) > maxDebianLicenses || len(names) > 8 && expressions != nil {
		t.Errorf("%d names, %d expressions", len(names), len(expressions))
	}
}

// TestDebianLicenseOfPackage: a package's folder may be a symlink to that of
// another one of the same source.
func TestDebianLicenseOfPackage(t *testing.T) {
	const status = "Package: liba1\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-1\n\n" +
		"Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-1\n\n" +
		"Package: b\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-1\n"
	b := collect(t, docker(t, [][]fixtures.File{{
		{Name: "var/lib/dpkg/status", Body: status},
		{Name: "usr/share/doc/liba1/copyright", Body: "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Expat\n"},
		{Name: "usr/share/doc/a", Link: "liba1"},
		{Name: "usr/share/doc/b", Link: "../../../etc"},
	}}), Options{})
	want := map[string]License{"liba1": {"MIT", "Expat"}, "a": {"MIT", "Expat"}, "b": {}}
	if len(b.Parts) != len(want) {
		t.Errorf("%d packages", len(b.Parts))
	}
	for _, p := range b.Parts {
		if p.License != want[p.Name] {
			t.Errorf("%s: %+v", p.Name, p.License)
		}
	}
}
