package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/openpgp"
	"audit/provenance/vouch"
	"audit/provenance/vouch/deb"
	"audit/provenance/vouch/packages"
)

// archiveKeys is where Debian puts the keys of its archive.
const archiveKeys = "/usr/share/keyrings/debian-archive-keyring.gpg"

// mostUnexplained is how many files of a debootstrap image nobody may vouch for: what a
// person reads through.
const mostUnexplained = 100

// TestRealArchive traces the files of real root file systems of Debian to the archive
// that signed their packages: as debootstrap makes one, from what the image itself still
// has, with changes of twenty kinds planted, without documentation, after apt-get
// install, and without a network. It prints who vouches for how many bytes, the files of
// nobody, and what it cost; a part that did not run fails.
//
// It needs root, debootstrap and a network for packages.
func TestRealArchive(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "archive" {
		t.Skip("needs root and Debian's packages: AUDIT_TEST_REAL=archive says that they can be had")
	}
	a := newArchive(t)
	parts := []struct {
		name string
		run  func(*testing.T)
	}{
		{"debootstrap", a.whole}, {"from the image alone", a.alone}, {"names only", a.names}, {"no key", a.untrusted}, {"planted", a.planted},
		{"offline", a.offline}, {"slim", a.slim}, {"apt-get install", a.installed}, {"compressed lists", a.compressed},
	}
	ran := 0
	for _, p := range parts {
		if t.Run(p.name, p.run) {
			ran++
		}
	}
	if ran == len(parts) {
		fmt.Printf("real suite: archive %d tests\n", ran)
	}
}

// realArchive is a root file system of Debian and what it was made from.
type realArchive struct {
	dir, root string
	mirror    string
	debs      string // folder of packages, lists and what signs them
	image     string // the root without packages
	keys      openpgp.Keyring
}

func newArchive(t *testing.T) *realArchive {
	t.Helper()
	text, err := os.ReadFile(archiveKeys)
	if err != nil {
		t.Fatal(err)
	}
	a := &realArchive{dir: t.TempDir()}
	if a.keys, err = openpgp.ReadKeyring(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	a.root, a.debs, a.image = filepath.Join(a.dir, "root"), filepath.Join(a.dir, "debs"), filepath.Join(a.dir, "whole.tar")
	a.mirror = mirrorOfDebian(t)
	ran(t, "debootstrap", "--variant=minbase", "--include=python3-minimal,curl,ca-certificates", "bookworm", a.root, a.mirror)
	a.collect(t)
	a.pack(t, a.image, nil)
	return a
}

// mirrorOfDebian is the one that this machine itself uses.
func mirrorOfDebian(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/etc/apt/sources.list.d/debian.sources")
	if err != nil {
		text, err = os.ReadFile("/etc/apt/sources.list")
	}
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^(?:URIs:\s*|deb\s+(?:\[[^]]*\]\s+)?)(\S+)`).FindSubmatch(text)
	if m == nil {
		t.Fatal("apt has no sources")
	}
	return string(m[1])
}

func ran(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out[max(0, len(out)-2000):])
	}
	return out
}

// collect puts the packages of the root and its lists into the folder beside it.
func (a *realArchive) collect(t *testing.T) {
	t.Helper()
	for _, from := range []string{"var/cache/apt/archives/*.deb", "var/lib/apt/lists/*InRelease", "var/lib/apt/lists/*Packages*"} {
		names, err := filepath.Glob(filepath.Join(a.root, from))
		if err != nil || len(names) == 0 {
			t.Fatalf("the root has no %s: %v", from, err)
		}
		for _, name := range names {
			ran(t, "cp", "-n", name, a.made(t, a.debs))
		}
	}
}

func (a *realArchive) made(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// pack writes the root as a tar, which an edit changes entry by entry: it returns what is
// to be written in place of each. Packages that apt left are left out unless they are
// asked for.
func (a *realArchive) pack(t *testing.T, to string, edit func(h *tar.Header, content []byte) []member) {
	t.Helper()
	var plain bytes.Buffer
	if err := fixtures.TarFolder(&plain, a.root); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := tar.NewWriter(out)
	in := tar.NewReader(&plain)
	for {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		entries := []member{{h, content}}
		switch {
		case edit != nil:
			entries = edit(h, content)
		case strings.HasSuffix(h.Name, ".deb"):
			entries = nil
		}
		for _, e := range entries {
			e.h.Size = int64(len(e.content))
			e.h.Format = tar.FormatPAX
			if err := errors.Join(w.WriteHeader(e.h), second(w.Write(e.content))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func second(_ int, err error) error { return err }

// A member is one of a tar.
type member struct {
	h       *tar.Header
	content []byte
}

// traced is what was found about an image.
type traced struct {
	*vouch.Table
	vouch.Result
	cost time.Duration // of verifying, in CPU time
}

func (a *realArchive) trace(t *testing.T, image string, keys openpgp.Keyring, folders ...string) traced {
	t.Helper()
	img, err := inspect.Open(t.Context(), image, inspect.Options{Keep: deb.Keep})
	if err != nil {
		t.Fatal(err)
	}
	f := deb.Family{Keys: keys}
	for _, folder := range folders {
		source, err := packages.Open(folder, packages.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f.Sources = append(f.Sources, source)
	}
	out := traced{Table: vouch.New(img)}
	began := cpuTime(t)
	if out.Result, err = f.Vouch(t.Context(), out.Table); err != nil {
		t.Fatal(err)
	}
	out.cost = cpuTime(t) - began
	return out
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// print prints who vouches for what, and the files of nobody.
func (r traced) print(name string) (nobodys []string) {
	fmt.Printf("%s: %d of %d packages verified, %.1f s of CPU time\n", name, r.Verified, r.Result.Packages, r.cost.Seconds())
	rules := make(map[string]int)
	for _, s := range r.ByWord() {
		if s.Word.Rule != "" {
			rules[s.Word.Rule] += s.Files
		}
	}
	for _, s := range r.Shares() {
		if s.Files > 0 {
			fmt.Printf("| %-12s %6d files %12d bytes\n", s.Word.Kind, s.Files, s.Bytes)
		}
	}
	fmt.Printf("| by rules: %v\n", rules)
	for f, w := range r.Rows() {
		if w.Kind == vouch.Nobody || w.Kind == vouch.Differs {
			nobodys = append(nobodys, f.Path)
			if len(nobodys) <= mostUnexplained {
				fmt.Printf("| %s's: %s\n", w.Kind, f.Path)
			}
		}
	}
	return nobodys
}

// clean demands that all packages are verified and that nothing is other than signed.
func (r traced) clean(t *testing.T, name string) {
	t.Helper()
	nobodys := r.print(name)
	if r.Verified != r.Result.Packages || r.Result.Packages < 100 {
		t.Errorf("%d of %d packages are verified, want all of more than 100", r.Verified, r.Result.Packages)
	}
	for _, f := range r.Findings {
		if f.Level != check.Note {
			t.Errorf("%s %s", f.Path, f.Message)
		}
	}
	if len(nobodys) >= mostUnexplained {
		t.Errorf("%d files are nobody's, want fewer than %d", len(nobodys), mostUnexplained)
	}
	if s := r.Shares(); s[1].Word.Kind != vouch.Signed || s[1].Files < 4000 {
		t.Errorf("%d files are signed, want more than 4000", s[1].Files)
	}
}

func (a *realArchive) whole(t *testing.T) {
	r := a.trace(t, a.image, a.keys, a.debs)
	r.clean(t, "debootstrap")
	began := cpuTime(t)
	if _, err := inspect.Open(t.Context(), a.image, inspect.Options{}); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(a.debs + "/*.deb")
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := deb.Read(f, nil, deb.DefaultLimits()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
	}
	fmt.Printf("reading the image and %d packages: %.1f s of CPU time\n", len(names), (cpuTime(t) - began).Seconds())
}

// alone verifies the image from the packages and lists that it still has.
func (a *realArchive) alone(t *testing.T) {
	image := filepath.Join(a.dir, "alone.tar")
	a.pack(t, image, func(h *tar.Header, content []byte) []member { return []member{{h, content}} })
	a.trace(t, image, a.keys).clean(t, "from the image alone")
}

// names shows that an image without packages is known by names alone: no file is traced.
func (a *realArchive) names(t *testing.T) {
	r := a.trace(t, a.image, a.keys)
	if r.Verified != 0 || r.Reason.Code != "signatures/deb-names-only" || r.Reason.Args.Int("listed") != int64(r.Result.Packages) {
		t.Errorf("%d packages are verified, %s", r.Verified, r.Reason)
	}
}

func (a *realArchive) untrusted(t *testing.T) {
	r := a.trace(t, a.image, openpgp.Keyring{}, a.debs)
	if r.Verified != 0 || r.Reason.Code != "signatures/deb-no-key" {
		t.Errorf("%d packages are verified, %s", r.Verified, r.Reason)
	}
	carried := slices.DeleteFunc(r.Keys, func(k vouch.Key) bool { return k.Path == "" })
	if len(carried) == 0 || slices.ContainsFunc(carried, func(k vouch.Key) bool { return k.Trusted }) {
		t.Errorf("the keys in the image: %v", carried)
	}
	for f, w := range r.Rows() {
		if w.Kind == vouch.Signed {
			t.Fatalf("%s is signed by nobody that is trusted", f.Path)
		}
	}
}

// offline runs the command without a network.
func (a *realArchive) offline(t *testing.T) {
	program, out := filepath.Join(a.dir, "audit"), filepath.Join(a.dir, "results")
	ran(t, "go", "build", "-o", program, ".")
	ran(t, "unshare", "--net", program, "--builder", "none", "--trusted-key", archiveKeys, "--packages", a.debs, "--output", out, a.image)
	text, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Checks []struct{ ID, Status string }
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		if c.ID == string(check.Signatures) && c.Status != "pass" {
			t.Errorf("signatures: %s", c.Status)
		}
	}
}

// slim leaves out documentation as slim images do, and installs a package while dpkg
// leaves it out.
func (a *realArchive) slim(t *testing.T) {
	config := filepath.Join(a.root, "etc/dpkg/dpkg.cfg.d/docker")
	excludes := "path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\npath-exclude /usr/share/locale/*\npath-include /usr/share/doc/*/copyright\n"
	if err := os.WriteFile(config, []byte(excludes), 0o644); err != nil {
		t.Fatal(err)
	}
	ran(t, "find", filepath.Join(a.root, "usr/share/doc"), "-type", "f", "!", "-name", "copyright", "-delete")
	for _, name := range []string{"usr/share/man", "usr/share/locale"} {
		ran(t, "find", filepath.Join(a.root, name), "-mindepth", "1", "-delete")
	}
	a.apt(t, "less")
	image := filepath.Join(a.dir, "slim.tar")
	a.pack(t, image, nil)
	r := a.trace(t, image, a.keys, a.debs)
	r.clean(t, "slim")
	if !slices.ContainsFunc(r.Findings, func(f check.Finding) bool { return f.Code == "signatures/deb-documentation" }) {
		t.Error("nothing says that documentation is left out")
	}
	if w, ok := r.Word("usr/bin/less"); !ok || w.Kind != vouch.Signed {
		t.Errorf("usr/bin/less: %v", w)
	}
}

// apt installs packages as an instruction of a Dockerfile does.
func (a *realArchive) apt(t *testing.T, args ...string) {
	t.Helper()
	command := []string{a.root, "apt-get", "-qq", "-y", "--no-install-recommends", "-o", "APT::Keep-Downloaded-Packages=true", "-o", "APT::Sandbox::User=root"}
	ran(t, "chroot", append(slices.Clone(command), "update")...)
	ran(t, "chroot", slices.Concat(command, []string{"install"}, args)...)
	a.collect(t)
}

func (a *realArchive) installed(t *testing.T) {
	a.apt(t, "nginx-light", "openssh-client", "sudo")
	image := filepath.Join(a.dir, "installed.tar")
	a.pack(t, image, nil)
	a.trace(t, image, a.keys, a.debs).clean(t, "after apt-get install")
}

// compressed lets apt keep its lists as images of Docker do, in LZ4.
func (a *realArchive) compressed(t *testing.T) {
	config := filepath.Join(a.root, "etc/apt/apt.conf.d/docker-gzip-indexes")
	if err := os.WriteFile(config, []byte("Acquire::GzipIndexes \"true\";\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ran(t, "sh", "-c", "rm -f "+a.root+"/var/lib/apt/lists/*_*")
	a.apt(t, "file")
	image := filepath.Join(a.dir, "compressed.tar")
	a.pack(t, image, func(h *tar.Header, content []byte) []member { return []member{{h, content}} })
	r := a.trace(t, image, a.keys)
	lists := 0
	for f, w := range r.Rows() {
		if strings.HasPrefix(f.Path, "var/lib/apt/lists/") && strings.HasSuffix(f.Path, ".lz4") {
			lists++
			if w.Kind != vouch.Made {
				t.Errorf("%s: %v", f.Path, w)
			}
		}
	}
	if lists == 0 {
		t.Error("apt has kept no list in LZ4")
	}
	r.clean(t, "compressed lists")
}
