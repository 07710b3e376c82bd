package sbom

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/spdx/tools-golang/spdxlib"
	"github.com/spdx/tools-golang/tagvalue"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/paths"
)

const (
	metadata = "Metadata-Version: 2.1\nName: NumPy\nVersion: 1.26.4\nLicense: BSD\n  and more\nClassifier: Programming Language :: Python\n\nLicense: not a field\n"
	inStore  = "gnu/store/1234567890abcdfghijklmnpqrsvwxyz-python-numpy-1.26.4/"
	numpy    = inStore + "lib/python3.10/site-packages/numpy-1.26.4.dist-info/METADATA"
	ggplot   = "Package: ggplot2\nVersion: 3.5.1\nLicense: MIT + file LICENSE\nRepository: CRAN\nBuilt: R 4.4.0; ; 2024; unix\n"
	dpkg     = `Package: libr
Status: install ok installed
Architecture: amd64
Source: r-src
Version: 1:4.4.0-2
`
)

// mixed are the layers of an image with packages of every kind.
func mixed() [][]fixtures.File {
	return [][]fixtures.File{
		{
			{Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=\"12\"\n"},
			{Name: "var/lib/dpkg/status", Body: dpkg},
			{Name: "var/lib/dpkg/info/libr:amd64.list", Body: "/.\n/usr/lib/R/library/ggplot2/DESCRIPTION\n"},
			{Name: "usr/lib/R/library/ggplot2/DESCRIPTION", Body: ggplot},
			{Name: "usr/lib/R/library/base/DESCRIPTION", Body: "Package: base\nVersion: 4.4.0\nPriority: base\nLicense: Part of R 4.4.0\n"},
			{Name: "app/node_modules/@scope/thing/package.json", Body: `{"name": "@scope/thing", "version": "1.0.0", "license": "(mit OR Apache-2.0)"}`},
			{Name: "app/node_modules/@scope/thing/test/package.json", Body: `{"name": "no package", "version": "1"}`},
			{Name: "app/node_modules/broken/package.json", Body: `{`},
			{Name: "srv/gone.egg-info/PKG-INFO", Body: "Name: gone\nVersion: 1\n"},
		},
		{
			{Name: numpy, Body: metadata},
			{Name: "srv/.wh.gone.egg-info", Body: ""},
			{Name: "lib/apk/db/installed", Body: "P:busybox\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\nF:bin\nR:busybox\n"},
		},
	}
}

// docker writes an image of layers and returns its name.
func docker(t testing.TB, layers [][]fixtures.File) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(name, fixtures.Docker{Layers: layers}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// described says of each part what the bill says of it.
func described(b *Bill) []string {
	var list []string
	for _, p := range b.Parts {
		in := strings.ReplaceAll(p.In, "\x00", " ")
		list = append(list, fmt.Sprintf("%s %s %s | %s | %s | %s | in %q | %v", p.Ecosystem, p.Name, p.Version, p.PURL, p.License.Expression, p.CPE, in, p.Evidence))
	}
	return list
}

func TestParts(t *testing.T) {
	b := collect(t, docker(t, mixed()), Options{})
	want := []string{
		"apk busybox 1.36.1-r29 | pkg:apk/debian/busybox@1.36.1-r29?arch=x86_64&distro=debian-12 | GPL-2.0-only | cpe:2.3:a:busybox:busybox:1.36.1:*:*:*:*:*:*:* | in \"\" | [{1 lib/apk/db/installed}]",
		"dpkg libr 1:4.4.0-2 | pkg:deb/debian/libr@1:4.4.0-2?arch=amd64&distro=debian-12&upstream=r-src |  | cpe:2.3:a:libr:libr:4.4.0:*:*:*:*:*:*:* | in \"\" | [{0 var/lib/dpkg/status}]",
		"npm @scope/thing 1.0.0 | pkg:npm/%40scope/thing@1.0.0 | (MIT OR Apache-2.0) |  | in \"\" | [{0 app/node_modules/@scope/thing/package.json}]",
		"python NumPy 1.26.4 | pkg:pypi/numpy@1.26.4 |  |  | in \"/gnu/store/1234567890abcdfghijklmnpqrsvwxyz-python-numpy-1.26.4\" | [{1 " + numpy + "}]",
		"r base 4.4.0 |  |  |  | in \"\" | [{0 usr/lib/R/library/base/DESCRIPTION}]",
		"r ggplot2 3.5.1 | pkg:cran/ggplot2@3.5.1 | MIT |  | in \"dpkg libr 1:4.4.0-2 amd64 \" | [{0 usr/lib/R/library/ggplot2/DESCRIPTION}]",
	}
	if diff := cmp.Diff(want, described(b)); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if len(b.Gaps) != 1 || b.Gaps[0].Path != "app/node_modules/broken/package.json" {
		t.Errorf("gaps %v, want that of the broken package.json", b.Gaps)
	}
	if text := string(writeSPDX(t, b)); !strings.Contains(text, `The image declares \"BSD and more\", which is no SPDX license expression.`) {
		t.Error("what the image declares as a licence is lost")
	}
}

// What contains what is told in both formats.
func TestContainment(t *testing.T) {
	b := collect(t, docker(t, mixed()), Options{})
	doc := newSPDX(b)
	var holders []string
	for _, r := range doc.Relationships {
		if r.Relationship == "CONTAINS" && strings.HasPrefix(string(r.RefB.ElementRefID), "Package-") {
			holders = append(holders, fmt.Sprintf("%s > %s", r.RefA.ElementRefID, r.RefB.ElementRefID))
		}
	}
	want := []string{
		"Layer-1 > Package-apk-busybox", "Layer-0 > Package-dpkg-libr", "Layer-0 > Package-npm--scope-thing",
		"Item-1234567890abcdfghijklmnpqrsvwxyz-python-numpy-1.26.4 > Package-python-NumPy",
		"Layer-0 > Package-r-base", "Package-dpkg-libr > Package-r-ggplot2",
	}
	if diff := cmp.Diff(want, holders); diff != "" {
		t.Errorf("SPDX (-want +got):\n%s", diff)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(writeCycloneDX(t, b)), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	inside := make(map[string]string)
	for _, c := range *bom.Components {
		for _, part := range all(c.Components) {
			inside[part.Name] = c.Name
		}
	}
	if diff := cmp.Diff(map[string]string{"NumPy": "python-numpy", "ggplot2": "libr"}, inside); diff != "" {
		t.Errorf("CycloneDX (-want +got):\n%s", diff)
	}
}

// The modules of a program are listed without asking, when it was watched while the
// image was read; where it was not, that is said.
func TestPrograms(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	name := docker(t, [][]fixtures.File{{
		{Name: "usr/bin/tool", Body: string(body), Mode: 0o755}, {Name: "usr/bin/data", Body: string(body)},
		{Name: "usr/bin/text", Body: strings.Repeat("#!/bin/sh\n", 10_000), Mode: 0o755},
	}})
	img, err := inspect.Open(t.Context(), name, inspect.Options{Stores: fixtures.Stores(), Keep: Keep})
	if err != nil {
		t.Fatal(err)
	}
	if b := Collect(img, nil, Options{}); len(b.Gaps) != 2 || len(b.Parts) > 0 {
		t.Errorf("gaps %v, want two programs that were not read", b.Gaps)
	}
	b := collect(t, name, Options{})
	want := strings.TrimPrefix(runtime.Version(), "go")
	if i := slices.IndexFunc(b.Parts, func(p Part) bool { return p.Name == "stdlib" }); i < 0 || !strings.HasPrefix(want, b.Parts[i].Version) ||
		b.Parts[i].PURL != "pkg:golang/stdlib@"+b.Parts[i].Version || b.Parts[i].Evidence[0].Path != "usr/bin/tool" {
		t.Errorf("parts %v, want Go's library %s in usr/bin/tool", described(b), want)
	}
	if len(b.Gaps) != 0 || len(b.Files) != 0 {
		t.Errorf("gaps %v and %d files, want none", b.Gaps, len(b.Files))
	}
	if b := collect(t, name, Options{Files: true}); len(b.Files) != 3 {
		t.Errorf("%d files, want 3", len(b.Files))
	}
	checkSPDX(t, b, writeSPDX(t, b))
	checkCycloneDX(t, b, writeCycloneDX(t, b))
}

// Files that are one file are read where their content is.
func TestHardLinks(t *testing.T) {
	link := func(name, target string) *inspect.Entry {
		return &inspect.Entry{Path: name, Type: '1', Linkname: target}
	}
	lower := &inspect.Layer{Entries: []*inspect.Entry{
		{Path: "a/one", Type: '0', Size: 3, Digest: inspect.Sum{1}}, link("a/two", "./a/one"),
		{Path: "b/one", Type: '0', Size: 3, Digest: inspect.Sum{2}}, link("b/two", "/b/one"), link("c", "nowhere"),
	}}
	upper := &inspect.Layer{Index: 1, Entries: []*inspect.Entry{{Path: "b/one", Type: '0', Size: 4, Digest: inspect.Sum{3}}}}
	b := Collect(&inspect.Image{Layers: []*inspect.Layer{lower, upper}}, nil, Options{Files: true})
	want := []FileEntry{
		{Place{0, "a/one"}, inspect.Sum{1}, 3, ""}, {Place{0, "a/two"}, inspect.Sum{1}, 3, ""}, {Place{1, "b/one"}, inspect.Sum{3}, 4, ""},
		{Place{0, "b/two"}, inspect.Sum{2}, 3, ""}, // the inode stays when the name of its target is replaced
	}
	if diff := cmp.Diff(want, b.Files); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(b.Gaps) != 1 || b.Gaps[0].Path != "c" {
		t.Errorf("gaps %v, want that of c", b.Gaps)
	}
}

// With its files the bill has the digest of every one, that sha256sum confirms.
func TestFiles(t *testing.T) {
	b := collect(t, docker(t, mixed()), Options{Files: true})
	var list []string
	for _, f := range b.Files {
		list = append(list, f.Path)
		if f.Digest.IsZero() {
			t.Errorf("%s has no digest", f.Path)
		}
	}
	if !slices.Contains(list, numpy) || slices.Contains(list, "srv/gone.egg-info/PKG-INFO") || !slices.IsSortedFunc(list, paths.Compare) {
		t.Errorf("files %q", list)
	}
	if other := collect(t, docker(t, mixed()), Options{}); other.ID == b.ID {
		t.Error("two documents have one id")
	}
}

func TestKeep(t *testing.T) {
	for path, want := range map[string]bool{
		"usr/lib/python3/dist-packages/a-1.dist-info/METADATA":    true,
		"usr/lib/python3/dist-packages/a-1.dist-info/RECORD":      true,
		"usr/lib/python3/dist-packages/a.egg-info":                true,
		"usr/lib/python3/dist-packages/a.egg-info/PKG-INFO":       true,
		"usr/lib/python3/dist-packages/a-1.egg/EGG-INFO/PKG-INFO": true,
		"usr/lib/python3/dist-packages/a.egg-info/SOURCES.txt":    false,
		"home/x/METADATA":                              true,
		"usr/lib/R/library/base/DESCRIPTION":           true,
		"usr/local/lib/R/site-library/x/DESCRIPTION":   true,
		"usr/lib/R/library/base/help/DESCRIPTION":      true,
		"usr/share/doc/DESCRIPTION":                    true,
		"usr/share/doc/bash/copyright":                 true,
		"usr/share/doc/bash/old/copyright":             false,
		"usr/share/doc/copyright":                      false,
		"opt/usr/share/doc/bash/copyright":             false,
		"DESCRIPTION":                                  true,
		"a/node_modules/b/package.json":                true,
		"a/node_modules/@b/c/package.json":             true,
		"a/node_modules/b/lib/package.json":            false,
		"a/node_modules/b/node_modules/c/package.json": true,
		"package.json":                                 false,
		"var/lib/dpkg/status":                          true,
		"lib/apk/db/installed":                         true,
		"var/lib/rpm/Packages":                         true,
		"usr/bin/program":                              false,
	} {
		if got := Keep(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

func TestLicenseExpressions(t *testing.T) {
	l := newLicenses()
	for text, want := range map[string]string{
		"MIT": "MIT", "mit": "MIT", " Apache-2.0 ": "Apache-2.0",
		"GPL-2.0-or-later WITH Classpath-exception-2.0": "GPL-2.0-or-later WITH Classpath-exception-2.0",
		"(MIT OR apache-2.0) AND BSD-3-Clause":          "(MIT OR Apache-2.0) AND BSD-3-Clause",
		"((MIT))":                                       "((MIT))",
		"MPL-1.1+":                                      "MPL-1.1+",
		"GPL-2.0+":                                      "GPL-2.0+",
		"MIT or Apache-2.0":                             "",
		"MIT WITH GPL-2.0-only":                         "",
		"MIT AND":                                       "",
		"AND MIT":                                       "",
		"(MIT":                                          "",
		"MIT)":                                          "",
		"()":                                            "",
		"":                                              "",
		"LicenseRef-mine":                               "",
		"SEE LICENSE IN x":                              "",
		"Classpath-exception-2.0":                       "",
		"GPL (>= 2)":                                    "",
		strings.Repeat("(", 1000) + "MIT" + strings.Repeat(")", 1000): "",
	} {
		if got, ok := l.expression(text); got != want || ok != (want != "") {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}
}

// licensed returns the licence in the bill of an image with one file.
func licensed(t *testing.T, name, body string) License {
	t.Helper()
	b := Collect(bodies(map[string]string{name: body}), nil, Options{})
	if len(b.Parts) != 1 {
		t.Fatalf("%d packages, want one; gaps %v", len(b.Parts), b.Gaps)
	}
	return b.Parts[0].License
}

// bodies is an image with the contents of these files.
func bodies(files map[string]string) *inspect.Image {
	l := new(inspect.Layer)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		e := &inspect.Entry{Path: name, Type: '0', Size: int64(len(files[name])), Digest: sha256.Sum256([]byte(files[name]))}
		l.Entries = append(l.Entries, e)
		l.KeepBody(e, []byte(files[name]), false)
	}
	return &inspect.Image{Layers: []*inspect.Layer{l}}
}

func TestLicensesOfLanguages(t *testing.T) {
	python := func(text string) License { return licensed(t, "x.dist-info/METADATA", "Name: x\n"+text) }
	r := func(text string) License {
		return licensed(t, "library/x/DESCRIPTION", "Package: x\nLicense: "+text)
	}
	npm := func(text string) License {
		return licensed(t, "node_modules/x/package.json", `{"name": "x", `+text+`}`)
	}
	for _, tt := range []struct {
		name string
		got  License
		want License
	}{
		{"expression", python("License-Expression: MIT AND PSF-2.0\nLicense: other\n"), License{Expression: "MIT AND PSF-2.0"}},
		{"field", python("License: ISC\n"), License{Expression: "ISC"}},
		{"classifier", python("License: GPL\nClassifier: License :: OSI Approved :: MIT License\n"), License{"MIT", "License :: OSI Approved :: MIT License"}},
		{"ambiguous", python("Classifier: License :: OSI Approved :: BSD License\n"), License{"", "License :: OSI Approved :: BSD License"}},
		{"none", python("License: UNKNOWN\n"), License{}},
		{"R", r("GPL-2 | GPL-3"), License{"GPL-2.0-only OR GPL-3.0-only", "GPL-2 | GPL-3"}},
		{"R with a range", r("GPL (>= 2)"), License{"GPL-2.0-or-later", "GPL (>= 2)"}},
		{"R with a file", r("GPL-3 + file LICENSE"), License{"", "GPL-3 + file LICENSE"}},
		{"R with the file of BSD", r("BSD_3_clause + file LICENSE"), License{"BSD-3-Clause", "BSD_3_clause + file LICENSE"}},
		{"R of SPDX", r("Artistic-2.0"), License{"Artistic-2.0", "Artistic-2.0"}},
		{"npm", npm(`"license": "MIT"`), License{Expression: "MIT"}},
		{"npm object", npm(`"license": {"type": "MIT", "url": "x"}`), License{Expression: "MIT"}},
		{"npm list", npm(`"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]`), License{Expression: "MIT OR Apache-2.0"}},
		{"npm file", npm(`"license": "SEE LICENSE IN x"`), License{"", "SEE LICENSE IN x"}},
		{"npm nonsense", npm(`"license": [1, {}], "version": 7`), License{}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestCPE(t *testing.T) {
	for _, tt := range []struct{ name, version, want string }{
		{"hello", "2.12.1", "cpe:2.3:a:hello:hello:2.12.1:*:*:*:*:*:*:*"},
		{"GTK+", "3.0~rc1", `cpe:2.3:a:gtk\+:gtk\+:3.0\~rc1:*:*:*:*:*:*:*`},
		{"hello", "", ""},
		{"", "1", ""},
		{"a b", "1", ""},
		{"é", "1", ""},
		{"a", "-", ""},
	} {
		if got := cpe(tt.name, tt.version); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.name, tt.version, got, tt.want)
		}
	}
}

// The other two forms say what the JSON documents say.
func TestOtherForms(t *testing.T) {
	for name, b := range bills(t) {
		t.Run(name, func(t *testing.T) {
			var text, markup bytes.Buffer
			if err := b.WriteSPDXTagValue(&text); err != nil {
				t.Fatal(err)
			}
			doc, err := tagvalue.Read(bytes.NewReader(text.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if err := spdxlib.ValidateDocument(doc); err != nil {
				t.Error(err)
			}
			want := newSPDX(b)
			if len(doc.Packages) != len(want.Packages) || len(doc.Relationships) != len(want.Relationships) {
				t.Errorf("%d packages and %d relationships, want %d and %d", len(doc.Packages), len(doc.Relationships), len(want.Packages), len(want.Relationships))
			}
			if err := b.WriteCycloneDXXML(&markup); err != nil {
				t.Fatal(err)
			}
			checkXML(t, b, markup.Bytes())
			if bytes.Contains(markup.Bytes(), []byte("additionalContext=")) {
				t.Error("the context of an occurrence is an attribute, which the XML schema does not have")
			}
		})
	}
}

func checkXML(t *testing.T, b *Bill, markup []byte) {
	t.Helper()
	var fromXML, fromJSON cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(markup), cdx.BOMFileFormatXML).Decode(&fromXML); err != nil {
		t.Fatal(err)
	}
	if err := cdx.NewBOMDecoder(bytes.NewReader(writeCycloneDX(t, b)), cdx.BOMFileFormatJSON).Decode(&fromJSON); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(refs(fromJSON), refs(fromXML)); diff != "" {
		t.Errorf("components (-JSON +XML):\n%s", diff)
	}
	if len(all(fromXML.Formulation)) != len(all(fromJSON.Formulation)) || len(all(fromXML.Dependencies)) != len(all(fromJSON.Dependencies)) {
		t.Error("the XML has other recipes or dependencies than the JSON")
	}
}

func refs(bom cdx.BOM) []string {
	var list []string
	for _, c := range flat(all(bom.Components)) {
		list = append(list, c.BOMRef+" "+c.Version+" "+c.PackageURL)
	}
	return list
}

// A Guix image tells all five packages of its profile, with what they need.
func TestFiveOfFive(t *testing.T) {
	b := collect(t, sample("eras/era-v1.5.0-single-gzip.tar.gz"), Options{})
	var named []string
	for _, it := range b.Items {
		if it.Named {
			named = append(named, it.Name+" "+it.Version)
		}
	}
	slices.Sort(named)
	manifest, err := os.ReadFile(sample("eras/era-v1.5.0-single-gzip.profile-manifest"))
	if err != nil {
		t.Fatal(err)
	}
	if len(named) != 5 {
		t.Errorf("packages %q, want the five of\n%s", named, manifest)
	}
	for _, n := range named {
		name, version, _ := strings.Cut(n, " ")
		if !bytes.Contains(manifest, []byte(`"`+name+`"`)) || !bytes.Contains(manifest, []byte(`"`+version+`"`)) {
			t.Errorf("%s is not in the profile manifest", n)
		}
	}
	if edges(b) == 0 || len(b.Roots) != 1 {
		t.Errorf("%d references and roots %q, want a graph below the profile", edges(b), b.Roots)
	}
}

// Whatever lies in the metadata, what is made of it is a document.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(metadata))
	f.Add([]byte(ggplot))
	f.Add([]byte(`{"name": "@a/b", "version": "1", "licenses": [{"type": "MIT"}]}`))
	f.Add([]byte("Name: </text>\nVersion: \x00<text>\nLicense: \x1b[31m\n"))
	known := newLicenses()
	f.Fuzz(func(t *testing.T, body []byte) {
		text := string(body)
		b := Collect(bodies(map[string]string{
			"x.dist-info/METADATA": text, "x.dist-info/RECORD": text, "library/x/DESCRIPTION": text, "node_modules/x/package.json": text,
		}), nil, Options{})
		for _, p := range b.Parts {
			if p.Name == "" {
				t.Fatal("a package without name")
			}
			if e := p.License.Expression; e != "" {
				if again, ok := known.expression(e); !ok || again != e {
					t.Fatalf("%q is no expression, or %q", e, again)
				}
			}
		}
		checkSPDX(t, b, writeSPDX(t, b))
		checkCycloneDX(t, b, writeCycloneDX(t, b))
		var tagged bytes.Buffer
		if err := b.WriteSPDXTagValue(&tagged); err != nil {
			t.Fatal(err)
		}
		doc, err := tagvalue.Read(&tagged)
		if err != nil {
			t.Fatal(err)
		}
		if want := len(newSPDX(b).Packages); len(doc.Packages) != want {
			t.Fatalf("%d packages, want %d", len(doc.Packages), want)
		}
	})
}

// Two archives of one name and version that differ are two parts, and so are a package of an
// index and one that somebody installed from a folder.
func TestPartsThatDiffer(t *testing.T) {
	info := func(folder, origin string) []fixtures.File {
		list := []fixtures.File{{Name: folder + "x-1.dist-info/METADATA", Body: "Name: x\nVersion: 1\n"}}
		if origin != "" {
			list = append(list, fixtures.File{Name: folder + "x-1.dist-info/direct_url.json", Body: origin})
		}
		return list
	}
	empty := "PK\x05\x06" + strings.Repeat("\x00", 18)
	layer := []fixtures.File{{Name: "a/lib-1.jar", Body: empty}, {Name: "b/lib-1.jar", Body: "#!/bin/sh\n" + empty}, {Name: "c/lib-1.jar", Body: empty}}
	layer = slices.Concat(layer, info("p/", ""), info("q/", `{"url":"file:///src/x","dir_info":{}}`), info("r/", ""),
		info("s/", `{"url":"https://git.example/x","vcs_info":{"vcs":"git","commit_id":"0123abcd"}}`))
	b := collect(t, docker(t, [][]fixtures.File{layer}), Options{})
	var got []string
	for _, p := range b.Parts {
		got = append(got, fmt.Sprintf("%s %d %s", p.Name, len(p.Evidence), p.Origin))
	}
	want := []string{"lib 2 ", "lib 1 ", "x 2 ", "x 1 git+https://git.example/x@0123abcd", "x 1 local"}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, text := range []string{string(writeSPDX(t, b)), string(writeCycloneDX(t, b))} {
		if !strings.Contains(text, "git+https://git.example/x@0123abcd") {
			t.Error("where it was installed from is lost")
		}
	}
}
