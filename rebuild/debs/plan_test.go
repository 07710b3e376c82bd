package debs

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"

	made "audit/fixtures/deb"
	"audit/inspect"
	"audit/provenance"
	"audit/provenance/ospackages"
	"audit/rebuild"
)

// A given archive is a folder of packages and the keyring that signed its index.
type given struct {
	folder, keyring string
	settings        rebuild.Settings
}

func archive(t *testing.T, all ...made.Package) given {
	t.Helper()
	key, err := pgp.NewEntity("An Archive", "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(text []byte) []byte {
		var b bytes.Buffer
		w, err := clearsign.Encode(&b, key.PrivateKey, nil)
		if err == nil {
			_, err = w.Write(text)
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	g := given{folder: t.TempDir(), keyring: filepath.Join(t.TempDir(), "keyring.gpg")}
	for name, content := range made.Flat(made.Mirror{Suite: "bookworm", Packages: all, Sign: sign}.Write()) {
		write(t, filepath.Join(g.folder, name), content)
	}
	var ring bytes.Buffer
	if err := key.Serialize(&ring); err != nil {
		t.Fatal(err)
	}
	write(t, g.keyring, ring.Bytes())
	g.settings = rebuild.Settings{packagesFlag: {g.folder}, keyringFlag: {g.keyring}}
	return g
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func image(t *testing.T, files []made.File) *inspect.Image {
	t.Helper()
	name := filepath.Join(t.TempDir(), "root.tar")
	write(t, name, made.Tar(files))
	img, err := inspect.Open(t.Context(), name, inspect.Options{Keep: func(p string) bool { return ospackages.Keep(p) || System{}.Keep(p) }})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func two() []made.Package {
	return []made.Package{{Name: "dpkg", Arch: architecture()}, {Name: "tool", Version: "2:1.0-1+b1", Arch: "all"}, {Name: "needed", Arch: architecture()}}
}

func TestPlan(t *testing.T) {
	g := archive(t, two()...)
	root := append(made.Root(two()...),
		made.File{Path: "bin", Link: "usr/bin"}, made.File{Path: "etc/apt/sources.list", Body: "deb http://example.org bookworm main\n"},
		made.File{Path: "var/lib/apt/extended_states", Body: "Package: needed\nArchitecture: amd64\nAuto-Installed: 1\n"},
		made.File{Path: "etc/dpkg/dpkg.cfg.d/docker", Body: "path-exclude /usr/share/doc/*\npre-invoke=\"sh evil\"\n"},
		made.File{Path: "usr/lib/python3/__pycache__/abc.cpython-311.pyc", Body: "\xa7\x0d\r\n\x03\x00\x00\x00hashhash", Time: 1700000000})
	plan, err := System{}.Plan(image(t, root), provenance.Recipe{}, g.settings)
	if err != nil || len(plan.Reasons) > 0 {
		t.Fatalf("%v, %v", plan.Reasons, err)
	}
	want := []string{"unshare", "--net", "mmdebstrap", "--mode=root", "--variant=essential", "--format=tar", "--architectures=" + architecture(), "--hook-dir=" + mergedHooks,
		"--dpkgopt=path-exclude /usr/share/doc/*", "--customize-hook=upload sources.list /etc/apt/sources.list", "--include=dpkg=1.0,tool=2:1.0-1+b1", "bookworm", "rebuilt.tar", "deb [trusted=yes] copy:repository ./"}
	if !slices.Equal(plan.Command, want) {
		t.Errorf("%q\nwant\n%q", plan.Command, want)
	}
	if d := plan.Details.(Details); d.Epoch != 1700000000 || len(plan.Trust) != 3 {
		t.Errorf("%d, %v", d.Epoch, plan.Trust)
	}
	if text := string(System{}.Script(plan)); !strings.Contains(text, "SOURCE_DATE_EPOCH=1700000000") || !strings.Contains(text, ` --include=dpkg=1.0,tool=2:1.0-1+b1 bookworm rebuilt.tar "deb [trusted=yes] copy:$PWD/repository ./"`) {
		t.Errorf("%s", text)
	}
}

// What an image has in an option is a word for the shell that runs the script, and no part
// of it.
func TestScriptQuotes(t *testing.T) {
	g := archive(t, two()...)
	root := append(made.Root(two()...), made.File{Path: "etc/dpkg/dpkg.cfg.d/docker", Body: "path-exclude=/x$(echo>ran)`echo>ran`*\n"})
	plan, err := System{}.Plan(image(t, root), provenance.Recipe{}, g.settings)
	if err != nil || len(plan.Reasons) > 0 {
		t.Fatalf("%v, %v", plan.Reasons, err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rebuild.sh"), System{}.Script(plan))
	write(t, filepath.Join(dir, "unshare"), []byte("#!/bin/sh\nprintf '%s\\n' \"$@\"\n"))
	if err := os.Chmod(filepath.Join(dir, "unshare"), 0o755); err != nil {
		t.Fatal(err)
	}
	sh := exec.Command("sh", "rebuild.sh")
	sh.Dir, sh.Env = dir, append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := sh.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\n--dpkgopt=path-exclude=/x$(echo>ran)`echo>ran`*\n") || !strings.Contains(string(out), " copy:"+dir+"/repository ./\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("the script runs what the image says")
	}
}

// A package that no signed index has is not installed.
func TestPlanRefuses(t *testing.T) {
	g := archive(t, two()...)
	foreign := archive(t, made.Package{Name: "dpkg", Arch: "m68k"})
	for name, test := range map[string]struct {
		root []made.File
		in   rebuild.Settings
		code string
	}{
		"another version": {made.Root(made.Package{Name: "dpkg", Version: "9", Arch: architecture()}), g.settings, "plan/packages-unlisted"},
		"no package":      {[]made.File{{Path: "etc/passwd"}}, g.settings, "plan/packages-none"},
		"another machine": {made.Root(made.Package{Name: "dpkg", Arch: "m68k"}), foreign.settings, "plan/packages-foreign"},
		"an option in it": {made.Root(made.Package{Name: "--evil", Version: "$(id)", Arch: architecture()}), g.settings, "plan/packages-folder"},
	} {
		plan, err := System{}.Plan(image(t, test.root), provenance.Recipe{}, test.in)
		if err != nil || len(plan.Reasons) == 0 || plan.Reasons[0].Code != test.code {
			t.Errorf("%s: %v, %v, want %s", name, plan.Reasons, err, test.code)
		}
		result, err := builder{}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir()})
		if !errors.Is(err, rebuild.ErrRefused) || result.Image != "" {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(string(System{}.Script(plan)), "exit 1") {
			t.Errorf("%s: the script does something", name)
		}
	}
}

// A stored plan is a stranger's: it runs nothing unless the packages are given again.
func TestVet(t *testing.T) {
	g := archive(t, two()...)
	plan, err := System{}.Plan(image(t, made.Root(two()...)), provenance.Recipe{}, g.settings)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var stored rebuild.Plan
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	if vetted, err := (System{}).Vet(stored, nil); err != nil || len(vetted.Reasons) != 1 || vetted.Reasons[0].Code != "plan/packages-not-given" {
		t.Errorf("%v, %v", vetted.Reasons, err)
	}
	if vetted, err := (System{}).Vet(stored, g.settings); err != nil || len(vetted.Reasons) > 0 || !slices.Equal(vetted.Command, plan.Command) {
		t.Errorf("%v, %v", vetted.Reasons, err)
	}
	for old, now := range map[string]string{`"tool"`: `"tool,evil"`, `"2:1.0-1+b1"`: `"1 --x"`, `"bookworm"`: `"-x"`, `"dpkgOptions":null`: `"dpkgOptions":["pre-invoke=sh"]`} {
		changed := stored
		changed.Details = json.RawMessage(strings.ReplaceAll(string(stored.Details.(json.RawMessage)), old, now))
		if bytes.Equal(changed.Details.(json.RawMessage), stored.Details.(json.RawMessage)) {
			t.Fatalf("the plan has no %s", old)
		}
		if _, err := (System{}).Vet(changed, g.settings); err == nil {
			t.Errorf("%s: no error", now)
		}
	}
}

func TestRepository(t *testing.T) {
	g := archive(t, two()...)
	plan, err := System{}.Plan(image(t, made.Root(two()...)), provenance.Recipe{}, g.settings)
	if err != nil {
		t.Fatal(err)
	}
	d, dir := plan.Details.(Details), filepath.Join(t.TempDir(), "repository")
	if err := d.repository(dir); err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(dir, "Packages"))
	if err != nil || strings.Count(string(index), "\nFilename: ./") != 3 || !strings.Contains(string(index), "Version: 2:1.0-1+b1\n") {
		t.Errorf("%s, %v", index, err)
	}
	if err := d.verify(t.Context(), g.settings); err != nil {
		t.Error(err)
	}
	for i := range d.Packages {
		d.Packages[i].SHA256 = []string{strings.Repeat("0", 64)}
	}
	if err := d.verify(t.Context(), g.settings); !errors.Is(err, rebuild.ErrRefused) {
		t.Errorf("digests that nobody signed: %v", err)
	}
	if err := d.repository(filepath.Join(t.TempDir(), "other")); !errors.Is(err, rebuild.ErrRefused) {
		t.Errorf("%v", err)
	}
}

func TestGiven(t *testing.T) {
	for _, test := range []struct {
		in    rebuild.Settings
		given bool
		fails bool
	}{{nil, false, false}, {rebuild.Settings{packagesFlag: {"x"}}, false, true}, {rebuild.Settings{keyringFlag: {"x"}}, false, true}, {rebuild.Settings{packagesFlag: {"x"}, keyringFlag: {"y"}}, true, false}} {
		if ok, err := (System{}).Given(test.in); ok != test.given || (err != nil) != test.fails {
			t.Errorf("%v: %v, %v", test.in, ok, err)
		}
	}
	if _, err := (System{}).Plan(nil, provenance.Recipe{}, rebuild.Settings{packagesFlag: {"x"}}); err == nil {
		t.Error("a plan without a keyring")
	}
}
