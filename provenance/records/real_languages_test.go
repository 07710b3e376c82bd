package records

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/provenance/vouch"
)

// TestRealLanguages installs packages with the real pip, npm, R, zip and Go, and archives
// that Maven made, and demands that every file has the digest of its record; then it
// changes and adds files, and demands that each is found and nothing else.
func TestRealLanguages(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "languages" {
		t.Skip("needs pip, npm with its registry, R, zip, archives of Java and Go: AUDIT_TEST_REAL=languages says that they are there")
	}
	l := &languages{T: t, root: t.TempDir(), work: t.TempDir()}
	l.pip()
	l.npm()
	l.r()
	l.java()
	l.run("../..", "go", "build", "-o", filepath.Join(l.root, "usr/local/bin/audit"), "./cmd/audit")

	all, findings := l.read()
	for _, f := range append(findings, all.Problems...) {
		if f.Level != check.Note {
			t.Errorf("as installed: %s %s", f.Path, f.Message)
		}
	}
	l.table(all)
	l.besideSyft(all)
	planted := l.plant()
	_, findings = l.read()
	var got []string
	for _, f := range findings {
		if f.Code == "closure/record-differs" || f.Code == "records/unlisted-file" && strings.Contains(f.Path, "planted") {
			got = append(got, f.Path)
		}
	}
	slices.Sort(got)
	expect(t, got, planted)
	if !t.Failed() {
		fmt.Printf("real suite: languages %d packages, %d planted differences\n", len(all.Components), len(planted))
	}
}

type languages struct {
	*testing.T
	root, work string
}

func (l *languages) run(dir, name string, args ...string) {
	l.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		l.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

func (l *languages) write(dir, name, text string) {
	l.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		l.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		l.Fatal(err)
	}
}

func (l *languages) pip() {
	for _, name := range []string{"demo", "other"} {
		dir := filepath.Join(l.work, name)
		l.write(dir, "pyproject.toml", "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = \""+name+
			"\"\nversion = \"1.2\"\nlicense = {text = \"MIT\"}\n[project.scripts]\n"+name+" = \""+name+":main\"\n[tool.setuptools]\npackages = [\""+name+"\"]\n")
		l.write(dir, name+"/__init__.py", "def main(): print(1)\n")
		l.run(dir, "/usr/bin/python3", "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "--no-index", "-w", l.work, ".")
		l.run(l.work, "/usr/bin/python3", "-m", "pip", "install", "-q", "--break-system-packages", "--no-index", "--ignore-installed",
			"--root", l.root, "--prefix", "/usr", name+"-1.2-py3-none-any.whl")
	}
}

func (l *languages) npm() {
	l.write(l.root, "app/package.json", `{"name": "app", "version": "1.0.0", "private": true}`)
	l.run(filepath.Join(l.root, "app"), "npm", "install", "--silent", "--no-audit", "--no-fund", "--cache", filepath.Join(l.root, "root/.npm"), "express@4.21.2")
}

func (l *languages) r() {
	l.write(l.work, "rdemo/DESCRIPTION", "Package: rdemo\nTitle: A Demo\nVersion: 0.1\nAuthor: A\nMaintainer: A <a@example.org>\nDescription: A demo.\nLicense: GPL (>= 2)\n")
	l.write(l.work, "rdemo/NAMESPACE", "export(f)\n")
	l.write(l.work, "rdemo/R/f.R", "f <- function() 1\n")
	library := filepath.Join(l.root, "usr/local/lib/R/site-library")
	if err := os.MkdirAll(library, 0o755); err != nil {
		l.Fatal(err)
	}
	l.run(l.work, "R", "CMD", "INSTALL", "-l", library, "rdemo")
	l.run(l.work, "Rscript", "-e", fmt.Sprintf("tools:::.installMD5sums(%q)", filepath.Join(library, "rdemo")))
}

func (l *languages) java() {
	for _, name := range []string{"commons-lang3.jar", "guava.jar"} {
		body, err := os.ReadFile(filepath.Join("/usr/share/java", name))
		if err != nil {
			l.Fatal(err)
		}
		l.write(l.work, "war/WEB-INF/lib/"+name, string(body))
		l.write(l.root, "opt/lib/"+name, string(body))
	}
	l.write(l.work, "war/META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Version: 3\n")
	l.run(filepath.Join(l.work, "war"), "zip", "-qr", filepath.Join(l.root, "opt/lib/shop.war"), ".")
}

// read packs the folder as an image and reads it as audit does.
func (l *languages) read() (*All, []check.Finding) {
	l.Helper()
	var out bytes.Buffer
	if err := fixtures.TarFolder(&out, l.root); err != nil {
		l.Fatal(err)
	}
	name := filepath.Join(l.work, "root.tar")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		l.Fatal(err)
	}
	img, err := inspect.Open(l.Context(), name, inspect.Options{
		Stores: fixtures.Stores(), Keep: Keep, Watch: Watch, Weak: func() func(string) digest.Kinds { return Weak },
	})
	if err != nil {
		l.Fatal(err)
	}
	if err := inspect.Complete(l.Context(), img, Wanted(img), inspect.Options{}); err != nil {
		l.Fatal(err)
	}
	all := Read(img)
	return all, all.Vouch(vouch.New(img))
}

// table prints what was found, and demands what there must be at least.
func (l *languages) table(all *All) {
	want := []struct {
		ecosystem       Ecosystem
		packages, agree int
	}{{Python, 2, 16}, {R, 1, 15}, {Npm, 60, 400}, {Java, 5, 0}, {Go, 20, 0}}
	fmt.Printf("| %-10s | %8s | %8s | %8s | %8s |\n", "ecosystem", "packages", "agree", "differ", "missing")
	for _, w := range want {
		packages, agree, differ, missing := 0, 0, 0, 0
		for i := range all.Components {
			if c := &all.Components[i]; c.Ecosystem == w.ecosystem {
				packages, agree, differ, missing = packages+1, agree+c.Agree, differ+c.Differ, missing+c.Missing
			}
		}
		fmt.Printf("| %-10s | %8d | %8d | %8d | %8d |\n", w.ecosystem, packages, agree, differ, missing)
		if packages < w.packages || agree < w.agree {
			l.Errorf("%s: %d packages and %d files that agree, want at least %d and %d", w.ecosystem, packages, agree, w.packages, w.agree)
		}
	}
	version := strings.TrimPrefix(runtime.Version(), "go")
	for _, name := range []string{"python demo 1.2", "npm express 4.21.2", "r rdemo 0.1", "java shop 3", "go stdlib " + version} {
		if !slices.ContainsFunc(all.Components, func(c Component) bool { return strings.HasPrefix(c.Title(), name) }) {
			l.Errorf("%s is not among the packages", name)
		}
	}
}

// besideSyft compares the packages with those that syft finds in the same folder, by name
// and version, where AUDIT_TEST_SYFT names the program: it must not find more.
func (l *languages) besideSyft(all *All) {
	l.Helper()
	syft := os.Getenv("AUDIT_TEST_SYFT")
	if syft == "" {
		l.Fatal("AUDIT_TEST_SYFT does not name the program")
	}
	c := exec.Command(syft, "scan", "-q", "-o", "cyclonedx-json", "dir:"+l.root)
	c.Env = append(os.Environ(), "SYFT_CHECK_FOR_APP_UPDATE=false")
	out, err := c.Output()
	if err != nil {
		l.Fatal(err)
	}
	var bill struct {
		Components []struct{ Type, Name, Version string }
	}
	if err := json.Unmarshal(out, &bill); err != nil {
		l.Fatal(err)
	}
	own, theirs := make(map[string]bool), make(map[string]bool)
	for i := range all.Components {
		own[path.Base(all.Components[i].Name)+" "+all.Components[i].Version] = true
	}
	for _, c := range bill.Components {
		if c.Type != "file" {
			theirs[path.Base(c.Name)+" "+strings.TrimPrefix(strings.TrimSuffix(c.Version, "UNKNOWN"), "go")] = true
		}
	}
	both := 0
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		if own[name] {
			both++
		} else if name != "app 1.0.0" { // the project itself, which was not installed
			l.Errorf("syft alone finds %q", name)
		}
	}
	fmt.Printf("| %-10s | %8s | %8s | %8s |\n| %-10s | %8d | %8d | %8d |\n", "beside", "both", "audit", "syft", "syft", both, len(own)-both, len(theirs)-both)
}

// plant changes and adds files, and returns their paths in order.
func (l *languages) plant() []string {
	l.Helper()
	var planted []string
	for _, pattern := range []string{"usr/local/lib/python3*/dist-packages/demo/__init__.py", "usr/local/bin/other", "app/node_modules/express/lib/router/index.js", "usr/local/lib/R/site-library/rdemo/NAMESPACE"} {
		found, err := filepath.Glob(filepath.Join(l.root, pattern))
		if err != nil || len(found) != 1 {
			l.Fatalf("%s: %q, %v", pattern, found, err)
		}
		body, err := os.ReadFile(found[0])
		if err != nil {
			l.Fatal(err)
		}
		name, _ := filepath.Rel(l.root, found[0])
		l.write(l.root, name, string(body)+"\n")
		planted = append(planted, name)
	}
	packages := filepath.Dir(filepath.Dir(planted[0]))
	for _, name := range []string{packages + "/planted.py", "app/node_modules/express/planted.js", "usr/local/lib/R/site-library/planted/x"} {
		l.write(l.root, name, "")
		planted = append(planted, name)
	}
	slices.Sort(planted)
	return planted
}
