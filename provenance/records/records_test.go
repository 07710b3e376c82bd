package records

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/provenance/vouch"
)

// read reads the records of an image that has these files in one layer, as audit
// opens it.
func read(t testing.TB, layers ...[]fixtures.File) *All {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(name, fixtures.Docker{Layers: layers}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(t.Context(), name, inspect.Options{
		Stores: fixtures.Stores(), Keep: Keep, Watch: Watch, Weak: func() func(string) digest.Kinds { return Weak },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := inspect.Complete(t.Context(), img, Wanted(img), inspect.Options{}); err != nil {
		t.Fatal(err)
	}
	return Read(img)
}

// files are those of an image, from pairs of name and content.
func files(pairs ...string) (list []fixtures.File) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, fixtures.File{Name: pairs[i], Body: pairs[i+1]})
	}
	return list
}

// outcome is what vouching leads to: a line for each file that a record has, each
// finding and each problem.
func outcome(all *All, packaged ...string) (lines []string) {
	table := vouch.New(all.img)
	for _, p := range packaged {
		table.Vouch(p, vouch.Word{Kind: vouch.Packaged})
	}
	findings := all.Vouch(table)
	for file, word := range table.Rows() {
		if word.Kind == vouch.Recorded {
			lines = append(lines, file.Path+": "+word.By)
		}
	}
	for _, f := range append(findings, all.Problems...) {
		lines = append(lines, fmt.Sprintf("%s %s %s", map[check.Level]string{check.Note: "note", check.Undecided: "undecided"}[f.Level], f.Path, f.Message))
	}
	slices.Sort(lines)
	return lines
}

// components says of each component what it is.
func components(all *All) (lines []string) {
	for i := range all.Components {
		c := &all.Components[i]
		line := c.Title()
		if c.In >= 0 {
			line += " in " + all.Components[c.In].Title()
		}
		for _, d := range c.Digests {
			line += " " + d.Algorithm + ":" + d.Hex[:4]
		}
		lines = append(lines, strings.TrimSpace(line+" "+c.URL))
	}
	return lines
}

func expect(t *testing.T, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func sha(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// recordLine is one of RECORD, as pip writes it.
func recordLine(name, body string) string {
	return fmt.Sprintf("%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sha(body)), len(body))
}

const site = "usr/local/lib/python3.12/site-packages/"

// A wheel as pip installs it: with a script, compiled files without digests, and a
// direct_url.json.
func TestPython(t *testing.T) {
	const meta, code, script = "Metadata-Version: 2.1\nName: demo\nVersion: 1.2\nLicense: MIT\n", "x = 1\n", "#!/usr/local/bin/python3\n"
	const url = `{"archive_info": {"hash": "sha256=` + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + `"}, "url": "https://example.org/demo-1.2.whl"}`
	record := recordLine("../../../bin/demo", script) + recordLine("demo/__init__.py", code) + recordLine("demo/changed.py", code) +
		recordLine(`"demo/with,comma.py"`, code) + recordLine("demo/gone.py", code) + recordLine("demo-1.2.dist-info/METADATA", meta) +
		recordLine("demo-1.2.dist-info/direct_url.json", url) +
		"demo/__pycache__/__init__.cpython-312.pyc,,\ndemo-1.2.dist-info/RECORD,,\n"
	all := read(t, files(
		"usr/local/bin/demo", script, site+"demo/__init__.py", code, site+"demo/changed.py", "x = 2\n", site+"demo/with,comma.py", code,
		site+"demo/__pycache__/__init__.cpython-312.pyc", "compiled", site+"demo/__pycache__/changed.cpython-312.pyc", "compiled",
		site+"demo-1.2.dist-info/METADATA", meta, site+"demo-1.2.dist-info/RECORD", record, site+"demo-1.2.dist-info/direct_url.json", url,
		site+"intruder.py", "import os\n", "srv/own.py", "",
	))
	expect(t, components(all), []string{"python demo 1.2 sha256:aaaa https://example.org/demo-1.2.whl"})
	if c := all.Components[0]; c.Agree != 5 || c.Differ != 1 || c.Missing != 1 {
		t.Errorf("%d agree, %d differ, %d are missing", c.Agree, c.Differ, c.Missing)
	}
	differs := fmt.Sprintf(`undecided %sdemo/changed.py closure/record-differs digest="sha256:%x" package="python demo 1.2"`, site, sha(code))
	expect(t, outcome(all), []string{
		`note ` + site + `demo-1.2.dist-info/METADATA records/file-missing files="1" listed="7" package="python demo 1.2"`,
		`note ` + site + `intruder.py records/unlisted-file ecosystem="python" folder="` + strings.TrimSuffix(site, "/") + `"`,
		differs, "usr/local/bin/demo: python demo 1.2", site + "demo-1.2.dist-info/METADATA: python demo 1.2",
		site + "demo-1.2.dist-info/direct_url.json: python demo 1.2", site + "demo/__init__.py: python demo 1.2", site + "demo/with,comma.py: python demo 1.2",
	})
	if lines := outcome(all, site+"demo/changed.py", site+"intruder.py"); slices.Contains(lines, differs) || len(lines) != 6 {
		t.Errorf("%q: what a package of the distribution has as it is, is not accused", lines)
	}
}

// Two records of one file: one that agrees is enough.
func TestOneRecordThatAgreesIsEnough(t *testing.T) {
	info := func(name, body string) []fixtures.File {
		return files(site+name+".dist-info/METADATA", "Name: "+name+"\n", site+name+".dist-info/RECORD", recordLine("shared.py", body))
	}
	for _, order := range [][2]string{{"right", "wrong"}, {"wrong", "right"}} {
		all := read(t, append(append(info("a", order[0]), info("b", order[1])...), fixtures.File{Name: site + "shared.py", Body: "right"}))
		by := map[string]string{"right": "python a", "wrong": "python b"}[order[0]]
		expect(t, outcome(all), []string{site + "shared.py: " + by})
	}
}

// Packages without lists of their files accuse none of having none.
func TestPackagesWithoutLists(t *testing.T) {
	const dist = "usr/lib/python3/dist-packages/"
	all := read(t, files(dist+"a.egg-info", "Name: a\nVersion: 1\n", dist+"a.py", "", dist+"b.egg-info/PKG-INFO", "Name: b\nVersion: 2\n",
		dist+"b.egg-info/installed-files.txt", "../b.py\nPKG-INFO\n", dist+"b.py", ""))
	expect(t, components(all), []string{"python a 1", "python b 2"})
	expect(t, outcome(all), []string{`note ` + strings.TrimSuffix(dist, "/") + ` records/no-file-list ecosystem="python" files="1"`})
}

// A record that names more than in proportion to itself is not read to its end.
func TestPathsAreInProportion(t *testing.T) {
	deep := strings.Repeat("d/", 2000)
	all := read(t, files(deep+"x.dist-info/METADATA", "Name: x\n", deep+"x.dist-info/RECORD", strings.Repeat("a,,\n", 10_000)))
	expect(t, outcome(all), []string{"undecided " + deep + `x.dist-info/RECORD records/too-many-paths limit="32"`})
}

// Records that were too many to be kept in the pass are read again.
func TestDroppedRecords(t *testing.T) {
	name := filepath.Join(t.TempDir(), "image.tar")
	body := recordLine("a.py", "a")
	layer := files(site+"x.dist-info/METADATA", "Name: x\n", site+"x.dist-info/RECORD", body, site+"a.py", "a")
	if err := os.WriteFile(name, fixtures.Docker{Layers: [][]fixtures.File{layer}}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	limits := limit.DefaultLimits()
	limits.OptionalBytes = 10
	img, err := inspect.Open(t.Context(), name, inspect.Options{Keep: Keep, Optional: func(string) bool { return true }, Watch: Watch, Limits: &limits})
	if err != nil {
		t.Fatal(err)
	}
	if all := Read(img); len(all.Components) > 0 || len(all.Problems) != 1 {
		t.Errorf("%v, %v: nothing was kept", components(all), all.Problems)
	}
	if err := inspect.Complete(t.Context(), img, Wanted(img), inspect.Options{}); err != nil {
		t.Fatal(err)
	}
	expect(t, outcome(Read(img)), []string{site + "a.py: python x"})
}

// Files are read again within their room, and with what other layers have at their paths.
func TestAffordable(t *testing.T) {
	entry := func(name string, size int64) *inspect.Entry { return &inspect.Entry{Path: name, Type: '0', Size: size} }
	img := &inspect.Image{Layers: []*inspect.Layer{
		{Entries: []*inspect.Entry{entry("b", 5)}}, {Index: 1, Entries: []*inspect.Entry{entry("a", 3), entry("b", 3), entry("c", 4), entry("d", 9)}},
	}}
	chosen, left := affordable(img, img.Files(), 8, 10)
	names := func(files []inspect.File) (list []string) {
		for _, f := range files {
			list = append(list, f.Path)
		}
		return list
	}
	expect(t, names(chosen), []string{"a", "c"})
	expect(t, names(left), []string{"b", "d"})
}

// Records that have many names are read within a limit on all together.
func TestRecordsInAll(t *testing.T) {
	all := &All{img: bodies(map[string]string{"a": "1"})}
	r := &reader{All: all, root: all.img.Root(), room: 5}
	file := all.img.Root().File(0)
	got := []bool{r.charge(file, 3), r.charge(file, 2), r.charge(file, 1), r.charge(file, 0)}
	if want := []bool{true, true, false, false}; !slices.Equal(got, want) || len(all.Problems) != 1 {
		t.Errorf("%v, %v, want %v and one problem", got, all.Problems, want)
	}
}

func TestDecode(t *testing.T) {
	var v struct{ Name any }
	for body, want := range map[string]string{
		`{"name": "x", "other": {"name": 1, "name": 2}}`: "", "\ufeff{}": "", `{"name": "a", "Name": "b"}`: "a key stands in it more than once: Name",
		strings.Repeat("[", 65) + strings.Repeat("]", 65): "its values are nested deeper than 64", "{": "it is no JSON of its form",
		`{"name": "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}`: "",
	} {
		err := decode([]byte(body), &v)
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

// FuzzRecords: whatever lies where records are, reading it ends, names nothing twice as
// strong, and vouches for nothing that has other bytes.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{"Name: x\nVersion: 1\n", recordLine("a", "a"), "\"a\n", `{"name": "x", "name": "y"}`, "../../../../a,sha256=,\n",
		"name = 'x'\nversion = \"1\"\n", "0cc175b9c0f1b6a831c399e269772661 *a\n", `{"packages": {"node_modules/x": {"version": "1", "integrity": "sha512-"}}}`,
		`{"name": "x", "paths_data": {"paths": [{"_path": "../a", "sha256": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4ee1b9807785afee48bb"}]}}`,
		`{"spec": {"nodes": [{"name": "x", "arch": {"target": {"name": "zen"}}}]}}`, `{"/a": {"type": "file", "hash": "QIZ7ZQEPRBCEAQTMPQMFBJHCGSYQP5LN"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		all := Read(bodies(map[string]string{
			"x.dist-info/METADATA": "Name: x\n", "x.dist-info/RECORD": string(body), "y.dist-info/METADATA": string(body), "y.egg-info/PKG-INFO": string(body),
			"conda-meta/x.json": string(body), ".spack/spec.json": string(body), "z/.spack/install_manifest.json": string(body),
			"z/.spack/spec.json": `{"spec":{"nodes":[{"name":"z"}]}}`, "easybuild/x.eb": string(body), "library/x/MD5": string(body),
			"node_modules/.package-lock.json": string(body), "y.egg-info/installed-files.txt": string(body), "x.dist-info/direct_url.json": string(body), "library/x/DESCRIPTION": string(body),
			"node_modules/x/package.json": string(body), "a": "a", "packages/X/abcde/Project.toml": string(body), ".meta/X-1/install.json": string(body),
		}))
		for i := range all.Components {
			if c := &all.Components[i]; c.Name == "" || c.In >= len(all.Components) {
				t.Fatalf("%+v", c)
			}
		}
		outcome(all)
	})
}

// bodies is an image with the contents of these files.
func bodies(files map[string]string) *inspect.Image {
	l := &inspect.Layer{Watched: true}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		e := &inspect.Entry{Path: name, Type: '0', Size: int64(len(files[name])), Digest: sha256.Sum256([]byte(files[name]))}
		l.Entries = append(l.Entries, e)
		l.KeepBody(e, []byte(files[name]), false)
	}
	return &inspect.Image{Layers: []*inspect.Layer{l}}
}

// What of a record could not be taken is a note of the check closure, too.
func TestUnread(t *testing.T) {
	all := read(t, files(site+"x-1.dist-info/METADATA", "Name: x\nVersion: 1\n", site+"x-1.dist-info/RECORD", "../../../../../../etc/x,,\n", "opt/conda-meta/y.json", "{"))
	var got []string
	for _, f := range all.Unread() {
		got = append(got, fmt.Sprintf("%s %s %s", f.Level, f.Path, f.Code))
	}
	expect(t, got, []string{"note opt/conda-meta/y.json records/unread", "note " + site + "x-1.dist-info/RECORD records/outside"})
}

// A digest that was not compared, of whatever kind, is said: it may be that of other bytes.
func TestUncomparedDigests(t *testing.T) {
	sum := sha512.Sum512([]byte("x"))
	record := "a.py,sha512=" + base64.RawURLEncoding.EncodeToString(sum[:]) + ",1\nb.py,SHA256=AAAA,1\nc.py,blake3=AAAA,1\n" + recordLine("d.py", "x") + "e.py,,\n" + fmt.Sprintf("f.py,sha256=%x,1\n", sha("x"))
	all := read(t, files(site+"x-1.dist-info/METADATA", "Name: x\nVersion: 1\n", site+"x-1.dist-info/RECORD", record,
		site+"a.py", "y", site+"b.py", "y", site+"c.py", "y", site+"d.py", "x", site+"e.py", "y", site+"f.py", "x"))
	expect(t, outcome(all), []string{`note ` + site + `x-1.dist-info/METADATA records/digest-uncompared files="3" package="python x 1"`, site + "d.py: python x 1", site + "f.py: python x 1"})
}

// What pip install --target leaves: scripts beside the packages, and in RECORD where they
// were before. No other path out of the folder is followed.
func TestPythonTarget(t *testing.T) {
	record := recordLine("../../bin/x", "script") + recordLine("x.py", "x") + recordLine("../../bin/../../y", "y") + recordLine("../../bin/gone", "y")
	all := read(t, files("var/task/x-1.dist-info/METADATA", "Name: x\nVersion: 1\n", "var/task/x-1.dist-info/RECORD", record,
		"var/task/x.py", "x", "var/task/bin/x", "script", "y", "y", "bin/gone", "y"))
	expect(t, outcome(all), []string{`undecided var/task/x-1.dist-info/RECORD records/outside`, "var/task/bin/x: python x 1", "var/task/x.py: python x 1"})
}

// A folder of metadata whose name is that of another package.
func TestPythonNames(t *testing.T) {
	for folder, differs := range map[string]bool{"numpy-1.26": true, "Zope.Interface-5": false, "zope_interface-5.0": false, "zope-interface-5": false, "zope": true} {
		all := read(t, files(site+folder+".dist-info/METADATA", "Name: zope.interface\nVersion: 5\n"))
		if got := len(all.Problems) == 1 && all.Problems[0].Code == "records/name-differs"; got != differs {
			t.Errorf("%s: %v", folder, all.Problems)
		}
	}
}

// Eggs as setup.py install leaves them, zipped and as a folder, are in the library that they
// lie in.
func TestEggs(t *testing.T) {
	const metadata = "Metadata-Version: 2.1\nName: legacy-pkg\nVersion: 1.0\nLicense: MIT\n"
	all := read(t, files(site+"legacy_pkg-1.0-py3.12.egg", jar(t, "EGG-INFO/PKG-INFO", metadata, "legacy/__init__.py", ""),
		site+"other-2-py3.12.egg/EGG-INFO/PKG-INFO", "Name: other\nVersion: 2\n", site+"alone-3.egg-info", "Name: alone\nVersion: 3\n", site+"bad.egg", "no archive"))
	expect(t, components(all), []string{"python alone 3", "python other 2", "python legacy-pkg 1.0"})
	for _, c := range all.Components {
		if c.Library+"/" != site {
			t.Errorf("%s is in %q", c.Title(), c.Library)
		}
	}
	if len(all.Problems) != 1 || all.Problems[0].Path != site+"bad.egg" {
		t.Errorf("%v", all.Problems)
	}
}

// Which packages of R have a URL of CRAN.
func TestOfCRAN(t *testing.T) {
	for text, want := range map[string]bool{
		"Repository: CRAN": true, "Repository: RSPM": true, "Repository: CRAN\nRemoteType: standard": true, "": false,
		"Repository: CRAN\nRemoteType: github\nRemoteUsername: me": false, "Repository: https://me.r-universe.dev": false, "Repository: CRAN\nPriority: base": false, "Repository: CRAN\nbiocViews: Software": false,
	} {
		if got := ofCRAN(headers([]byte("Package: x\n" + text))); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// A name that no package has is in no bill, and said: a small archive can have a name of
// megabytes.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("x", maxIdentity)
	all := read(t, files(site+"a.dist-info/METADATA", "Name: a"+long+"\nVersion: 1\n", site+"a.dist-info/RECORD", "a.py,,\n", "n/node_modules/b/package.json", `{"name":"b","version":"1`+long+`"}`,
		"c/conda-meta/c.json", `{"name":"c","version":"1","url":"https://example.org/`+long+`.conda"}`, "d/specifications/d.gemspec", "# stub: d 1 "+long+" lib\n"))
	expect(t, components(all), []string{"conda c 1"})
	if len(all.Problems) != 3 || all.Problems[0].Code != "records/name-too-long" {
		t.Errorf("%v", all.Problems)
	}
}

// A file that is named like a record, and lies beside no package, is one that none has.
func TestRecordsOfNoPackage(t *testing.T) {
	all := read(t, files(site+"x-1.dist-info/METADATA", "Name: x\nVersion: 1\n", site+"x-1.dist-info/RECORD", "x.py,,\n", site+"x.py", "", site+"evil.dist-info/RECORD", "payload"))
	expect(t, outcome(all), []string{`note ` + site + `evil.dist-info/RECORD records/unlisted-file ecosystem="python" folder="` + strings.TrimSuffix(site, "/") + `"`})
}
