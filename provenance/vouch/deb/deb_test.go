package deb

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	made "audit/fixtures/deb"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/openpgp"
	"audit/provenance/vouch"
	"audit/provenance/vouch/packages"
)

var born = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// A signer is a key that signs at its own time.
type signer struct {
	t   testing.TB
	key *pgp.Entity
	at  time.Time
}

func newSigner(t testing.TB, life time.Duration) signer {
	t.Helper()
	c := &packet.Config{Time: func() time.Time { return born }, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256, KeyLifetimeSecs: uint32(life / time.Second)}
	e, err := pgp.NewEntity("An Archive", "", "", c)
	if err != nil {
		t.Fatal(err)
	}
	return signer{t, e, born.AddDate(0, 1, 0)}
}

func (s signer) config() *packet.Config {
	return &packet.Config{Time: func() time.Time { return s.at }, DefaultHash: crypto.SHA256}
}

func (s signer) clear(text []byte) []byte {
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, s.key.PrivateKey, s.config())
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return b.Bytes()
}

func (s signer) detached(text []byte) []byte {
	var b bytes.Buffer
	if err := pgp.DetachSign(&b, s.key, bytes.NewReader(text), s.config()); err != nil {
		s.t.Fatal(err)
	}
	return b.Bytes()
}

func (s signer) ring() openpgp.Keyring {
	var b bytes.Buffer
	if err := s.key.Serialize(&b); err != nil {
		s.t.Fatal(err)
	}
	r, err := openpgp.ReadKeyring(s.t.Context(), b.Bytes())
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// tool is a package with something of everything.
func tool() made.Package {
	return made.Package{Name: "tool", Version: "1:2.0-1", Packing: "xz", Control: map[string]string{
		"conffiles": "/etc/tool.conf\n", "postinst": "#!/bin/sh\nchmod 0750 /usr/bin/by-script\n", "md5sums": "none\n", "triggers": "interest-noawait /usr/share/tool\n",
	}, Files: []made.File{
		{Path: "bin/"}, {Path: "bin/tool", Body: "program", Mode: 0o755}, {Path: "bin/plain", Body: "plain", Mode: 0o755}, {Path: "bin/alias", Hard: "bin/tool", Mode: 0o755}, {Path: "usr/"}, {Path: "usr/bin/"},
		{Path: "usr/bin/link", Link: "../../bin/tool"}, {Path: "usr/bin/by-script", Body: "script", Mode: 0o755}, {Path: "etc/"}, {Path: "etc/tool.conf", Body: "setting=1\n"},
		{Path: "usr/share/"}, {Path: "usr/share/doc/"}, {Path: "usr/share/doc/tool/"}, {Path: "usr/share/doc/tool/README", Body: "read"},
		{Path: "usr/sbin/"}, {Path: "usr/sbin/setuid", Body: "su", Mode: 0o4755}, {Path: "var/"}, {Path: "var/owned", Body: "owned", UID: 5, GID: 6},
	}}
}

// write puts files into a folder and opens it.
func write(t testing.TB, files map[string][]byte) *packages.Source {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := packages.Open(dir, packages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, files []made.File) *inspect.Image {
	t.Helper()
	name := filepath.Join(t.TempDir(), "root.tar")
	if err := os.WriteFile(name, made.Tar(files), 0o644); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(context.Background(), name, inspect.Options{Keep: Keep})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// An outcome is what was found of an image.
type outcome struct {
	vouch.Result
	table *vouch.Table
}

func run(t testing.TB, root []made.File, f Family) outcome {
	t.Helper()
	table := vouch.New(open(t, root))
	r, err := f.Vouch(context.Background(), table)
	if err != nil {
		t.Fatal(err)
	}
	return outcome{r, table}
}

func (o outcome) kind(t testing.TB, at string) vouch.Kind {
	t.Helper()
	w, ok := o.table.Word(at)
	if !ok {
		t.Fatalf("the image has no %s", at)
	}
	return w.Kind
}

func (o outcome) finding(at, code string) (check.Finding, bool) {
	i := slices.IndexFunc(o.Findings, func(f check.Finding) bool { return f.Path == at && f.Code == code })
	if i < 0 {
		return check.Finding{}, false
	}
	return o.Findings[i], true
}

// edit changes the file at a path, which has to be there.
func edit(t testing.TB, files []made.File, at string, change func(f *made.File)) []made.File {
	t.Helper()
	files = slices.Clone(files)
	i := slices.IndexFunc(files, func(f made.File) bool { return f.Path == at })
	if i < 0 {
		t.Fatalf("no file %s", at)
	}
	change(&files[i])
	return files
}

// A word says of which architecture a package is where several are installed.
func TestArchitectures(t *testing.T) {
	var status strings.Builder
	for _, p := range []string{"libm:amd64", "libm:i386", "tool:amd64"} {
		name, arch, _ := strings.Cut(p, ":")
		fmt.Fprintf(&status, "Package: %s\nStatus: install ok installed\nVersion: 1-2\nArchitecture: %s\n\n", name, arch)
	}
	s := newSession(Family{}, open(t, []made.File{{Path: "var/lib/dpkg/status", Body: status.String()}}))
	s.readInstalled()
	var by []string
	for _, p := range s.installed {
		by = append(by, p.by())
	}
	if got, want := strings.Join(by, ", "), "deb libm:amd64 1-2, deb libm:i386 1-2, deb tool 1-2"; got != want {
		t.Errorf("packages are called %s, want %s", got, want)
	}
}

func TestEveryFormOfAnArchive(t *testing.T) {
	s := newSigner(t, 0)
	mirror := func(m made.Mirror) map[string][]byte { m.Packages = []made.Package{tool()}; return m.Write() }
	for name, files := range map[string]map[string][]byte{
		"a mirror":                     mirror(made.Mirror{Sign: s.clear, Packing: "xz"}),
		"a detached signature":         mirror(made.Mirror{Detached: s.detached, Packing: "gz"}),
		"a plain list":                 mirror(made.Mirror{Sign: s.clear}),
		"a folder as apt keeps it":     made.Flat(mirror(made.Mirror{Sign: s.clear})),
		"valid until long ago":         mirror(made.Mirror{Sign: s.clear, More: "Valid-Until: Sat, 08 Jan 2022 00:00:00 UTC\n"}),
		"apt's name of a file":         renamed(mirror(made.Mirror{Sign: s.clear}), "tool_2.0-1_amd64.deb", "tool_1%3a2.0-1_amd64.deb"),
		"beside packages of no matter": more(mirror(made.Mirror{Sign: s.clear}), map[string][]byte{"tool_9_amd64.deb": []byte("none"), "pool/tool_2.0-1_amd64.deb": []byte("no package")}),
	} {
		t.Run(name, func(t *testing.T) {
			o := run(t, made.Root(tool()), Family{Keys: s.ring(), Sources: []*packages.Source{write(t, files)}})
			if o.Packages != 1 || o.Verified != 1 || check.Worst(o.Findings) != check.Pass {
				t.Errorf("%d of %d verified, %v, %v", o.Verified, o.Packages, o.Reason, o.Findings)
			}
			for f, w := range o.table.Rows() {
				if w.Kind != vouch.Signed && w.Kind != vouch.Made {
					t.Errorf("%s: %v", f.Path, w)
				}
			}
		})
	}
}

func renamed(files map[string][]byte, old, now string) map[string][]byte {
	out := make(map[string][]byte)
	for name, content := range files {
		out[strings.Replace(name, old, now, 1)] = content
	}
	return out
}

func more(a, b map[string][]byte) map[string][]byte {
	for name, content := range b {
		a[name] = content
	}
	return a
}

func TestPackings(t *testing.T) {
	s := newSigner(t, 0)
	for _, packing := range []string{"", "gz", "xz", "zst", "lzma"} {
		p := tool()
		p.Packing = packing
		o := run(t, made.Root(p), Family{Keys: s.ring(), Sources: []*packages.Source{write(t, made.Mirror{Packages: []made.Package{p}, Sign: s.clear}.Write())}})
		if o.Verified != 1 {
			t.Errorf("%q: %v %v", packing, o.Reason, o.Findings)
		}
	}
}

// What cannot be verified is no word on any file.
func TestNothingIsVerified(t *testing.T) {
	s, other := newSigner(t, 0), newSigner(t, 0)
	short := newSigner(t, time.Hour) // signs a month after its birth
	p := []made.Package{tool()}
	whole := made.Mirror{Packages: p, Sign: s.clear}.Write()
	changed := func(name string, change func([]byte) []byte) map[string][]byte {
		out := make(map[string][]byte)
		for n, content := range whole {
			if strings.HasSuffix(n, name) {
				content = change(bytes.Clone(content))
			}
			out[n] = content
		}
		return out
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	for name, test := range map[string]struct {
		files map[string][]byte
		keys  openpgp.Keyring
		code  string
	}{
		"another key":         {whole, other.ring(), "signatures/deb-no-release"},
		"no key":              {whole, openpgp.Keyring{}, "signatures/deb-no-key"},
		"nothing beside":      {nil, s.ring(), "signatures/deb-no-release"},
		"a changed Release":   {changed("InRelease", flip), s.ring(), "signatures/deb-no-release"},
		"text before it":      {changed("InRelease", func(b []byte) []byte { return append([]byte("SHA256:\n"), b...) }), s.ring(), "signatures/deb-no-release"},
		"a changed list":      {changed("Packages", flip), s.ring(), "signatures/deb-none-listed"},
		"a changed package":   {changed(".deb", flip), s.ring(), "signatures/deb-names-only"},
		"no package":          {changed(".deb", func([]byte) []byte { return nil }), s.ring(), "signatures/deb-names-only"},
		"an unsigned Release": {made.Mirror{Packages: p, Sign: func(text []byte) []byte { return text }}.Write(), s.ring(), "signatures/deb-no-release"},
		"signed when expired": {made.Mirror{Packages: p, Sign: short.clear}.Write(), short.ring(), "signatures/deb-no-release"},
	} {
		t.Run(name, func(t *testing.T) {
			o := run(t, made.Root(tool()), Family{Keys: test.keys, Sources: []*packages.Source{write(t, test.files)}})
			if o.Verified != 0 || o.Reason.Code != test.code {
				t.Errorf("%d verified, %v, want %s", o.Verified, o.Reason, test.code)
			}
			for f, w := range o.table.Rows() {
				if w.Kind == vouch.Signed || w.Kind == vouch.Made {
					t.Errorf("%s: %v", f.Path, w)
				}
			}
		})
	}
}

// A key that has expired since signed at its time.
func TestExpiredSince(t *testing.T) {
	s := newSigner(t, 365*24*time.Hour)
	o := run(t, made.Root(tool()), Family{Keys: s.ring(), Sources: []*packages.Source{write(t, made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write())}})
	if o.Verified != 1 {
		t.Errorf("%v %v", o.Reason, o.Findings)
	}
}

func TestEveryChangeIsFound(t *testing.T) {
	s := newSigner(t, 0)
	source := write(t, made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write())
	set := func(mode int64) func(*made.File) { return func(f *made.File) { f.Mode = mode } }
	body := func(text string) func(*made.File) { return func(f *made.File) { f.Body = text } }
	for _, test := range []struct {
		name, at string
		change   func(*made.File)
		code     string
		level    check.Level
		kind     vouch.Kind
	}{
		{"content", "bin/tool", body("progrem"), "signatures/deb-file-differs", check.Problem, vouch.Differs},
		{"mode", "bin/plain", set(0o777), "signatures/deb-mode-differs", check.Problem, vouch.Differs},
		{"setuid", "bin/plain", set(0o4755), "signatures/deb-mode-differs", check.Problem, vouch.Differs},
		{"setuid that was signed and is gone", "usr/sbin/setuid", set(0o755), "signatures/deb-mode-differs", check.Undecided, vouch.Signed},
		{"rights that are gone, and one more", "usr/sbin/setuid", set(0o775), "signatures/deb-mode-differs", check.Problem, vouch.Differs},
		{"another content with fewer rights", "bin/plain", func(f *made.File) { f.Body, f.Mode = "plane", 0o555 }, "signatures/deb-file-differs", check.Problem, vouch.Differs},
		{"fewer rights of another configuration", "etc/tool.conf", func(f *made.File) { f.Body, f.Mode = "setting=2\n", 0o600 }, "signatures/deb-mode-differs", check.Undecided, vouch.Nobody},
		{"mode by a script", "usr/bin/by-script", set(0o750), "signatures/deb-mode-by-script", check.Note, vouch.Signed},
		{"setuid that no script gives", "usr/bin/by-script", set(0o4750), "signatures/deb-mode-differs", check.Problem, vouch.Differs},
		{"owner", "var/owned", func(f *made.File) { f.UID = 7 }, "signatures/deb-owner-differs", check.Problem, vouch.Differs},
		{"an attribute of a file system", "bin/plain", func(f *made.File) { f.Xattrs = map[string]string{"user.overlay.origin": "x"} }, "signatures/deb-attribute-added", check.Undecided, vouch.Nobody},
		{"a capability", "bin/plain", func(f *made.File) { f.Xattrs = map[string]string{"security.capability": "x"} }, "signatures/deb-attribute-added", check.Problem, vouch.Differs},
		{"a link", "usr/bin/link", func(f *made.File) { f.Link = "/tmp/tool" }, "signatures/deb-link-differs", check.Problem, vouch.Differs},
		{"a link in place of a file", "bin/tool", func(f *made.File) { *f = made.File{Path: f.Path, Link: "other"} }, "signatures/deb-kind-differs", check.Problem, vouch.Differs},
		{"a hard link that is another file", "bin/alias", func(f *made.File) { *f = made.File{Path: f.Path, Body: "other", Mode: 0o755} }, "signatures/deb-file-differs", check.Problem, vouch.Differs},
		{"configuration", "etc/tool.conf", body("setting=2\n"), "signatures/deb-config-changed", check.Note, vouch.Nobody},
		{"rights of configuration", "etc/tool.conf", set(0o666), "signatures/deb-mode-differs", check.Problem, vouch.Differs},
		{"a script of dpkg", "var/lib/dpkg/info/tool.postinst", body("id\n"), "signatures/deb-info-differs", check.Problem, vouch.Differs},
		{"a folder", "usr/bin/", set(0o777), "signatures/deb-folder-differs", check.Undecided, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := run(t, edit(t, made.Root(tool()), test.at, test.change), Family{Keys: s.ring(), Sources: []*packages.Source{source}})
			at := strings.TrimSuffix(test.at, "/")
			f, ok := o.finding(at, test.code)
			if !ok || f.Level != test.level {
				t.Errorf("no %s of level %s: %v", test.code, test.level, o.Findings)
			}
			if test.kind != "" && o.kind(t, at) != test.kind {
				t.Errorf("%s is %s, want %s", at, o.kind(t, at), test.kind)
			}
		})
	}
}

// What makes no difference: files that are left out, merged folders, diverted files, one
// owner for all.
func TestHonestImages(t *testing.T) {
	s := newSigner(t, 0)
	other := made.Package{Name: "other", Control: map[string]string{"preinst": "dpkg-divert --package other --divert /bin/tool.real /bin/tool\n"}, Files: []made.File{{Path: "bin/"}, {Path: "bin/tool", Body: "in its place", Mode: 0o755}}}
	source := write(t, made.Mirror{Packages: []made.Package{tool(), other}, Sign: s.clear}.Write())
	excludes := made.File{Path: "etc/dpkg/dpkg.cfg.d/docker", Body: "path-exclude /usr/*\npath-include=/usr/bin/by-script\n"}
	without := func(files []made.File, at string) []made.File {
		return slices.DeleteFunc(slices.Clone(files), func(f made.File) bool { return f.Path == at })
	}
	merged := []made.File{{Path: "usr/"}, {Path: "usr/bin/"}, {Path: "bin", Link: "usr/bin"}}
	for _, f := range made.Root(tool()) {
		if f.Path != "bin/" && f.Path != "usr/" && f.Path != "usr/bin/" {
			merged = append(merged, f)
		}
	}
	diverted := append(edit(t, made.Root(tool(), other), "bin/tool", func(f *made.File) { f.Path = "bin/tool.real" }), made.File{Path: "var/lib/dpkg/diversions", Body: "/bin/tool\n/bin/tool.real\nother\n"})
	diverted = edit(t, diverted, "bin/alias", func(f *made.File) { f.Hard = "bin/tool.real" })
	flat := made.Root(tool())
	for i := range flat {
		flat[i].UID, flat[i].GID = 1000, 1000
	}
	for name, test := range map[string]struct {
		root  []made.File
		notes []string
	}{
		"documentation left out":                 {without(made.Root(tool()), "usr/share/doc/tool/README"), []string{"signatures/deb-documentation"}},
		"a file that dpkg was told to leave out": {append(without(made.Root(tool()), "usr/bin/link"), excludes), []string{"signatures/deb-left-out"}},
		"merged folders":                         {merged, nil},
		"a diversion":                            {diverted, nil},
		"one owner":                              {flat, []string{"signatures/deb-owners-flat"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := run(t, test.root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
			if o.Verified != o.Packages || check.Worst(o.Findings) != check.Pass {
				t.Errorf("%d of %d, %v", o.Verified, o.Packages, o.Findings)
			}
			for _, code := range test.notes {
				if !slices.ContainsFunc(o.Findings, func(f check.Finding) bool { return f.Code == code }) {
					t.Errorf("no %s: %v", code, o.Findings)
				}
			}
			for f, w := range o.table.Rows() {
				if w.Kind == vouch.Differs || w.Kind == vouch.Nobody && f.Path != "bin" && f.Path != excludes.Path {
					t.Errorf("%s: %v", f.Path, w)
				}
			}
		})
	}
}

// A file that a package of the image says to have which is not verified is undecided.
func TestReplacedByAnother(t *testing.T) {
	s := newSigner(t, 0)
	source := write(t, made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write())
	theirs := made.Package{Name: "theirs", Files: []made.File{{Path: "bin/tool", Body: "theirs", Mode: 0o755}}}
	root := made.Root(tool(), theirs)
	root = slices.DeleteFunc(root, func(f made.File) bool { return f.Path == "bin/tool" && f.Body == "program" })
	root = edit(t, root, "bin/alias", func(f *made.File) { *f = made.File{Path: f.Path, Body: "program", Mode: 0o755} })
	o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
	if f, ok := o.finding("bin/tool", "signatures/deb-file-replaced"); !ok || f.Level != check.Undecided || o.kind(t, "bin/tool") != vouch.Nobody {
		t.Errorf("%v", o.Findings)
	}
	if _, ok := o.finding("var/lib/dpkg/status", "signatures/deb-not-listed"); !ok {
		t.Errorf("%v", o.Findings)
	}
}

// Images without dpkg have a paragraph a package in a folder, and checksums beside it.
func TestStatusFolder(t *testing.T) {
	s := newSigner(t, 0)
	source := write(t, made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write())
	root := append(slices.Clone(tool().Files), made.File{Path: "var/lib/dpkg/status.d/tool", Body: tool().ControlFile()}, made.File{Path: "var/lib/dpkg/status.d/tool.md5sums", Body: "none\n"})
	o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
	if o.Verified != 1 || o.kind(t, "bin/tool") != vouch.Signed || o.kind(t, "var/lib/dpkg/status.d/tool") != vouch.Made || o.kind(t, "var/lib/dpkg/status.d/tool.md5sums") != vouch.Signed {
		t.Errorf("%d verified, %v", o.Verified, o.Findings)
	}
}

// What the image itself has is enough: its lists and its packages.
func TestFromTheImage(t *testing.T) {
	s := newSigner(t, 0)
	root := made.Root(tool())
	for name, content := range made.Flat(made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write()) {
		folder := "var/lib/apt/lists/"
		if isPackage(name) {
			folder = "var/cache/apt/archives/"
		}
		root = append(root, made.File{Path: folder + name, Body: string(content)})
	}
	o := run(t, root, Family{Keys: s.ring()})
	if o.Verified != 1 {
		t.Errorf("%v %v", o.Reason, o.Findings)
	}
	for f, w := range o.table.Rows() {
		if w.Kind != vouch.Signed && w.Kind != vouch.Made {
			t.Errorf("%s: %v", f.Path, w)
		}
	}
}

// A server is asked for what the image has, and for nothing else.
func TestServer(t *testing.T) {
	s := newSigner(t, 0)
	files := made.Mirror{Packages: []made.Package{tool(), {Name: "unused"}}, Sign: s.clear, Packing: "xz", More: "Acquire-By-Hash: no\n"}.Write()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/debian/")
		asked = append(asked, name)
		content, ok := files[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(content)
	}))
	defer server.Close()
	cache := t.TempDir()
	root := append(made.Root(tool()), made.File{Path: "usr/lib/os-release", Body: "VERSION_CODENAME=stable\n"}, made.File{Path: "etc/apt/sources.list", Body: "deb http://evil.example.org/x ../../etc main\n"})
	for range 2 {
		source, err := packages.Open(server.URL+"/debian", packages.Options{CacheDir: cache})
		if err != nil {
			t.Fatal(err)
		}
		if o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}}); o.Verified != 1 {
			t.Errorf("%v %v", o.Reason, o.Findings)
		}
	}
	want := "dists/stable/InRelease"
	rest := slices.DeleteFunc(slices.Clone(asked), func(name string) bool { return strings.HasSuffix(name, "Release") })
	if !slices.Contains(asked, want) || !slices.Equal(rest, []string{"dists/stable/main/binary-amd64/Packages.xz", "pool/main/t/tool/tool_2.0-1_amd64.deb"}) {
		t.Errorf("it was asked for %q", asked)
	}
}

// A package that the index names is never believed for what it says of itself.
func TestPackageOfAnotherName(t *testing.T) {
	s := newSigner(t, 0)
	files := made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write()
	list := "dists/stable/main/binary-amd64/Packages"
	other := made.Package{Name: "tool", Version: "1:2.0-1", Arch: "all"}.Write()
	files["pool/tool_2.0-1_amd64.deb"] = other
	text := made.Package{Name: "tool", Version: "1:2.0-1"}.ControlFile() + fmt.Sprintf("Filename: x\nSize: 1\nSHA256: %x\n", sha256.Sum256(other))
	files[list] = []byte(text)
	files["dists/stable/InRelease"] = s.clear(fmt.Appendf(nil, "Codename: stable\nSHA256:\n %x %d main/binary-amd64/Packages\n", sha256.Sum256([]byte(text)), len(text)))
	table := vouch.New(open(t, made.Root(tool())))
	r, err := Family{Keys: s.ring(), Sources: []*packages.Source{write(t, files)}}.Vouch(context.Background(), table)
	if err != nil || r.Verified != 0 || !slices.ContainsFunc(r.Findings, func(f check.Finding) bool { return strings.Contains(f.Args.String("error"), "the index says") }) {
		t.Errorf("%v, %v", r.Findings, err)
	}
}

func TestStopped(t *testing.T) {
	s := newSigner(t, 0)
	source := write(t, made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write())
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := (Family{Keys: s.ring(), Sources: []*packages.Source{source}}).Vouch(ctx, vouch.New(open(t, made.Root(tool())))); err == nil {
		t.Error("no error")
	}
}

// Scripts change modes and owners in many forms. What one makes is a note, what one may
// have made is undecided, and to be named in a script alone is no excuse.
func TestChangesByScripts(t *testing.T) {
	s := newSigner(t, 0)
	raw, ok := capability("cap_net_raw+ep")
	if want := "\x01\x00\x00\x02\x00\x20" + strings.Repeat("\x00", 14); !ok || raw != want {
		t.Errorf("%q, want %q", raw, want)
	}
	ping := "PROGRAM=$(dpkg-divert --truename /bin/plain)\nif command -v setcap > /dev/null; then\n\tif setcap cap_net_raw+ep $PROGRAM; then chmod u-s $PROGRAM; else\n\tchmod u+s $PROGRAM\nfi; else chmod u+s $PROGRAM; fi\n"
	for _, test := range []struct {
		name, script string
		change       func(*made.File)
		level        check.Level
		kind         vouch.Kind
	}{
		{"a symbolic mode", "chmod u+s /bin/plain", func(f *made.File) { f.Mode = 0o4755 }, check.Note, vouch.Made},
		{"by a variable", ping, func(f *made.File) { f.Mode = 0o4755 }, check.Note, vouch.Made},
		{"capabilities by a variable", ping, func(f *made.File) { f.Xattrs = map[string]string{capabilityAttribute: raw} }, check.Note, vouch.Made},
		{"other capabilities", ping, func(f *made.File) { f.Xattrs = map[string]string{capabilityAttribute: "x"} }, check.Undecided, vouch.Nobody},
		{"in the merged folder", "chmod u+s /usr/bin/plain", func(f *made.File) { f.Mode = 0o4755 }, check.Note, vouch.Made},
		{"by an argument", "fix() {\n chmod $2 \"$1\"\n}\nfix /bin/plain 4755", func(f *made.File) { f.Mode = 0o4755 }, check.Undecided, vouch.Nobody},
		{"in a loop", "for x in plain other; do\n chmod 4755 \"/bin/$x\"\ndone", func(f *made.File) { f.Mode = 0o4755 }, check.Note, vouch.Made},
		{"by an override", "dpkg-statoverride --update --add root tool 4754 /bin/plain", func(f *made.File) { f.Mode, f.GID = 0o4754, 7 }, check.Undecided, vouch.Nobody},
		{"a setuid that no command gives", "chmod 0700 /bin/plain", func(f *made.File) { f.Mode = 0o4755 }, check.Problem, vouch.Differs},
		{"writable, and only named", "update-alternatives --install /usr/bin/x x /bin/plain 1", func(f *made.File) { f.Mode = 0o777 }, check.Problem, vouch.Differs},
		{"owner, and only named", "test -e /bin/plain\nchown x /bin/else", func(f *made.File) { f.UID = 1000 }, check.Problem, vouch.Differs},
		{"writable by a script", "chmod 0777 /bin/plain", func(f *made.File) { f.Mode = 0o777 }, check.Undecided, vouch.Nobody},
		{"owner by a script", "chown 1000 /bin/plain", func(f *made.File) { f.UID = 1000 }, check.Undecided, vouch.Nobody},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := tool()
			p.Control["postinst"] = "#!/bin/sh\n" + test.script + "\n"
			source := write(t, made.Mirror{Packages: []made.Package{p}, Sign: s.clear}.Write())
			o := run(t, edit(t, made.Root(p), "bin/plain", test.change), Family{Keys: s.ring(), Sources: []*packages.Source{source}})
			worst := check.Note
			for _, f := range o.Findings {
				worst = max(worst, f.Level)
			}
			if worst != test.level || o.kind(t, "bin/plain") != test.kind {
				t.Errorf("%s, %s: %v", worst, o.kind(t, "bin/plain"), o.Findings)
			}
		})
	}
}

// Nothing that is not signed outweighs what is: a list of an unverified package, and a
// diversion that no signed script makes, excuse no more than a content.
func TestUnsignedExcuses(t *testing.T) {
	s := newSigner(t, 0)
	other := made.Package{Name: "other", Files: []made.File{{Path: "bin/"}, {Path: "bin/shell", Body: "a shell", Mode: 0o755}}}
	source := write(t, made.Mirror{Packages: []made.Package{tool(), other}, Sign: s.clear}.Write())
	theirs := made.Package{Name: "theirs", Files: []made.File{{Path: "bin/plain", Body: "theirs", Mode: 0o755}}}
	claimed := func(change func(*made.File)) []made.File {
		root := slices.DeleteFunc(made.Root(tool(), other, theirs), func(f made.File) bool { return f.Path == "bin/plain" && f.Body == "theirs" })
		return edit(t, root, "bin/plain", change)
	}
	diverted := func(body, lines string) []made.File {
		root := edit(t, made.Root(tool(), other), "bin/plain", func(f *made.File) { f.Body = body })
		return append(root, made.File{Path: "var/lib/dpkg/diversions", Body: lines})
	}
	for _, test := range []struct {
		name  string
		root  []made.File
		level check.Level
		kind  vouch.Kind
	}{
		{"a content that another claims", claimed(func(f *made.File) { f.Body = "theirs" }), check.Undecided, vouch.Nobody},
		{"setuid, which another claims", claimed(func(f *made.File) { f.Mode = 0o4755 }), check.Problem, vouch.Differs},
		{"setuid and content, which another claims", claimed(func(f *made.File) { f.Mode, f.Body = 0o4755, "theirs" }), check.Problem, vouch.Differs},
		{"a capability, which another claims", claimed(func(f *made.File) { f.Xattrs = map[string]string{"security.capability": "x"} }), check.Problem, vouch.Differs},
		{"a diversion to it by nobody", diverted("a shell", "/bin/shell\n/bin/plain\n:\n"), check.Problem, vouch.Differs},
		{"a diversion to it by a package that does not", diverted("a shell", "/bin/shell\n/bin/plain\ntool\n"), check.Problem, vouch.Differs},
		{"a diversion from it by the administrator", diverted("mine", "/bin/plain\n/bin/plain.distrib\n:\n"), check.Undecided, vouch.Nobody},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := run(t, test.root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
			worst := check.Note
			for _, f := range o.Findings {
				if f.Path == "bin/plain" {
					worst = max(worst, f.Level)
				}
			}
			if worst != test.level || o.kind(t, "bin/plain") != test.kind {
				t.Errorf("%s, %s: %v", worst, o.kind(t, "bin/plain"), o.Findings)
			}
		})
	}
}

// The forms of the diversions of dash, vim-runtime and linux-perf.
func TestDiverts(t *testing.T) {
	const script = "diverted() { dpkg-divert --package p --divert \"$1.tiny\" \"$1\"; }\nbase=/usr/share/vim\ndiverted $base/tags\nsh() { dpkg-divert --divert ${3:-$1.distrib} $1; }\nsh /bin/sh dash\nsh /usr/share/man/sh.1.gz x\n"
	p := &installed{archive: &Archive{Info: map[string][]byte{"preinst": []byte(script)}}}
	for _, test := range []struct {
		from, to string
		want     bool
	}{
		{"usr/share/vim/tags", "usr/share/vim/tags.tiny", true}, {"bin/sh", "bin/sh.distrib", true}, {"usr/bin/sh", "usr/bin/sh.distrib", true},
		{"usr/share/man/sh.1.gz", "usr/share/man/sh.distrib.1.gz", true},
		{"bin/sh", "usr/sbin/nologin", false}, {"bin/sh", "bin/sh.evil", false}, {"bin/dash", "bin/dash.distrib", false},
	} {
		if got := p.diverts(test.from, test.to); got != test.want {
			t.Errorf("%s to %s: %v", test.from, test.to, got)
		}
	}
}

// A hard link to a hard link is followed to its file, and no other than a file counts.
func TestHardLinks(t *testing.T) {
	s := newSigner(t, 0)
	p := made.Package{Name: "links", Files: []made.File{{Path: "bin/"}, {Path: "bin/h1", Body: "one", Mode: 0o755}, {Path: "bin/h2", Hard: "bin/h1", Mode: 0o755},
		{Path: "bin/h3", Hard: "bin/h2", Mode: 0o755}, {Path: "bin/self", Hard: "bin/self", Mode: 0o755}, {Path: "bin/link", Link: "h1"}, {Path: "bin/hl", Hard: "bin/link"}}}
	source := write(t, made.Mirror{Packages: []made.Package{p}, Sign: s.clear}.Write())
	root := edit(t, made.Root(p), "bin/h3", func(f *made.File) { *f = made.File{Path: f.Path, Body: "evil", Mode: 0o755} })
	root = edit(t, root, "bin/self", func(f *made.File) { *f = made.File{Path: f.Path, Body: "evil", Mode: 0o755} })
	root = edit(t, root, "bin/hl", func(f *made.File) { *f = made.File{Path: f.Path, Body: "evil", Mode: 0o755} })
	o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
	for at, want := range map[string]vouch.Kind{"bin/h1": vouch.Signed, "bin/h2": vouch.Signed, "bin/h3": vouch.Differs, "bin/self": vouch.Nobody, "bin/hl": vouch.Differs} {
		if o.kind(t, at) != want {
			t.Errorf("%s is %s, want %s: %v", at, o.kind(t, at), want, o.Findings)
		}
	}
	if f, ok := o.finding("bin/self", "signatures/deb-hard-link"); !ok || f.Level != check.Undecided {
		t.Errorf("%v", o.Findings)
	}
}

// Folders get a mode and an owner by commands for them alone.
func TestFoldersByScripts(t *testing.T) {
	s := newSigner(t, 0)
	for script, want := range map[string]bool{"chmod 2775 /opt/x\nchown root:staff /opt/x": false, "install -d -m 2775 -g staff /opt/x": false, "chmod 0755 /opt/x\nchown root:staff /opt/x": true, "test -d /opt/x": true} {
		p := made.Package{Name: "x", Control: map[string]string{"postinst": script + "\n"}, Files: []made.File{{Path: "opt/"}, {Path: "opt/x/"}}}
		source := write(t, made.Mirror{Packages: []made.Package{p}, Sign: s.clear}.Write())
		root := edit(t, made.Root(p), "opt/x/", func(f *made.File) { f.Mode, f.GID = 0o2775, 50 })
		o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
		if _, ok := o.finding("opt/x", "signatures/deb-folder-differs"); ok != want {
			t.Errorf("%q: %v", script, o.Findings)
		}
	}
}

// A link in place of a folder is one that a script makes.
func TestLinkedFolders(t *testing.T) {
	s := newSigner(t, 0)
	p := made.Package{Name: "base", Control: map[string]string{"postinst": "[ -L /var/run ] || ln -s /run /var/run\n"}, Files: []made.File{{Path: "run/"}, {Path: "var/"}, {Path: "var/run/"}, {Path: "var/lock/"}}}
	source := write(t, made.Mirror{Packages: []made.Package{p}, Sign: s.clear}.Write())
	for at, want := range map[string]bool{"var/run": false, "var/lock": true} {
		root := edit(t, made.Root(p), at+"/", func(f *made.File) { *f = made.File{Path: at, Link: "/run"} })
		o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
		if _, ok := o.finding(at, "signatures/deb-no-folder"); ok != want {
			t.Errorf("%s: %v", at, o.Findings)
		}
	}
}

// A configuration file may have another content, and be nothing but a file of its rights.
// A link in place of a folder may be one that a package has, or a merged folder.
func TestKindsOfPlaces(t *testing.T) {
	s := newSigner(t, 0)
	source := write(t, made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write())
	for _, test := range []struct {
		name, at string
		change   func(*made.File)
		finding  string // the path of it
		code     string
		level    check.Level
	}{
		{"a folder in place of configuration", "etc/tool.conf", func(f *made.File) { *f = made.File{Path: f.Path + "/"} }, "etc/tool.conf", "signatures/deb-kind-differs", check.Problem},
		{"a link in place of configuration", "etc/tool.conf", func(f *made.File) { *f = made.File{Path: f.Path, Link: "/tmp/x"} }, "etc/tool.conf", "signatures/deb-kind-differs", check.Undecided},
		{"the owner of configuration", "etc/tool.conf", func(f *made.File) { f.UID = 1000 }, "etc/tool.conf", "signatures/deb-owner-differs", check.Problem},
		{"a link in place of a folder", "usr/share/doc/tool/", func(f *made.File) { *f = made.File{Path: "usr/share/doc/tool", Link: "/opt/evil"} }, "usr/share/doc/tool", "signatures/deb-no-folder", check.Undecided},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := edit(t, made.Root(tool()), test.at, test.change)
			if strings.HasSuffix(test.at, "/") {
				root = slices.DeleteFunc(root, func(f made.File) bool { return strings.HasPrefix(f.Path, test.at) })
			}
			o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
			if f, ok := o.finding(test.finding, test.code); !ok || f.Level != test.level {
				t.Errorf("%v", o.Findings)
			}
		})
	}
}

// Empty files are those of packages and logs with the rights of these alone.
func TestEmptyFiles(t *testing.T) {
	s := newSigner(t, 0)
	source := write(t, made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write())
	root := append(made.Root(tool()), made.File{Path: "etc/environment", Mode: 0o666}, made.File{Path: "etc/subuid", UID: 1000}, made.File{Path: "etc/subgid"},
		made.File{Path: "var/log/wtmp", Mode: 0o664, GID: utmpGroup}, made.File{Path: "var/log/term.log", Mode: 0o640, GID: admGroup}, made.File{Path: "var/log/evil", Mode: 0o666})
	o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
	for at, want := range map[string]vouch.Kind{"etc/environment": vouch.Nobody, "etc/subuid": vouch.Nobody, "etc/subgid": vouch.Made, "var/log/wtmp": vouch.Made, "var/log/term.log": vouch.Made, "var/log/evil": vouch.Nobody} {
		if o.kind(t, at) != want {
			t.Errorf("%s is %s, want %s", at, o.kind(t, at), want)
		}
	}
}

// Stanzas without number of one name, and as many files that are named like their
// packages, are gone through once.
func TestManyVersions(t *testing.T) {
	s := newSigner(t, 0)
	source := write(t, made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write())
	const n = 20_000
	root := made.Root(tool())
	var status strings.Builder
	for i := range n {
		fmt.Fprintf(&status, "Package: tool\nStatus: install ok installed\nVersion: %d\nArchitecture: amd64\n\n", i)
		root = append(root, made.File{Path: fmt.Sprintf("var/cache/apt/archives/tool_%d_amd64.deb", i)})
	}
	root = edit(t, root, "var/lib/dpkg/status", func(f *made.File) { f.Body = status.String() + f.Body })
	start := time.Now()
	if o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}}); o.Packages != n+1 || o.Verified != 1 {
		t.Errorf("%d of %d", o.Verified, o.Packages)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

// What is missing and was not to be left out is noted: nothing that is there is another.
func TestRemoved(t *testing.T) {
	s := newSigner(t, 0)
	source := write(t, made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write())
	for _, at := range []string{"usr/bin/link", "etc/tool.conf"} {
		root := slices.DeleteFunc(made.Root(tool()), func(f made.File) bool { return f.Path == at })
		root = append(root, made.File{Path: "etc/dpkg/dpkg.cfg", Body: "path-exclude=/usr/*\npath-include /usr/bin/li?k\n"})
		o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
		if f, ok := o.finding(at, "signatures/deb-removed"); !ok || f.Level != check.Note || f.Args.Int("count") != 1 {
			t.Errorf("%s: %v", at, o.Findings)
		}
	}
}

// An account is one that a command of a script makes, with a number of its own, a group
// that is made like it, and a shell that lets nobody in.
func TestAccounts(t *testing.T) {
	s := newSigner(t, 0)
	base := made.Package{Name: "base-passwd", Files: []made.File{
		{Path: "usr/share/base-passwd/passwd.master", Body: "root:*:0:0:root:/root:/bin/bash\nwww-data:*:33:33:www-data:/var/www:/usr/sbin/nologin\n"},
		{Path: "usr/share/base-passwd/group.master", Body: "root:*:0:\nadm:*:4:\nwww-data:*:33:\nnogroup:*:65534:\n"}}}
	maker := made.Package{Name: "maker", Control: map[string]string{"postinst": "if [ \"$1\" = configure ]; then\n USER=svc\n adduser --system --group --home /nonexistent \"$USER\"\n adduser --system _apt\nfi\n"}}
	maker.Files = []made.File{{Path: "usr/lib/sysusers.d/unit.conf", Body: "u unit - \"A unit\"\n"}}
	source := write(t, made.Mirror{Packages: []made.Package{base, maker}, Sign: s.clear}.Write())
	known := "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
	group := "root:x:0:\nadm:x:4:\nwww-data:x:33:\nnogroup:x:65534:\nsvc:x:101:\nunit:x:102:\n"
	for line, want := range map[string]vouch.Kind{
		"": vouch.Made,
		"svc:x:100:101::/nonexistent:/usr/sbin/nologin":               vouch.Made,
		"_apt:x:100:65534::/nonexistent:/bin/false":                   vouch.Made,
		"unit:x:998:102::/:/usr/sbin/nologin":                         vouch.Made,
		"configure:x:100:101::/tmp:/usr/sbin/nologin":                 vouch.Nobody,
		"svc:x:33:101::/nonexistent:/usr/sbin/nologin":                vouch.Nobody,
		"svc:x:033:101::/nonexistent:/usr/sbin/nologin":               vouch.Nobody,
		"svc:x:+5:101::/nonexistent:/usr/sbin/nologin":                vouch.Nobody,
		"svc:x:4294967329:101::/nonexistent:/usr/sbin/nologin":        vouch.Nobody, // 33 where 32 bits are kept
		"svc:x:0:101::/nonexistent:/usr/sbin/nologin":                 vouch.Nobody,
		"svc:x:100:0::/nonexistent:/usr/sbin/nologin":                 vouch.Nobody,
		"svc:x:100:4::/nonexistent:/usr/sbin/nologin":                 vouch.Nobody,
		"svc:x:100:101::/nonexistent:/tmp/evil/nologin":               vouch.Nobody,
		"svc:x:100:101::/nonexistent:/bin/sh":                         vouch.Nobody,
		"svc:x:100:101::/:/bin/false\n_apt:x:100:65534::/:/bin/false": vouch.Nobody,
	} {
		if line != "" {
			line += "\n"
		}
		root := append(made.Root(base, maker), made.File{Path: "etc/passwd", Body: known + line}, made.File{Path: "etc/group", Body: group})
		o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
		if o.kind(t, "etc/passwd") != want || o.kind(t, "etc/group") != vouch.Made {
			t.Errorf("%q is %s, want %s (%s)", line, o.kind(t, "etc/passwd"), want, o.kind(t, "etc/group"))
		}
	}
}

// A group that a script makes has no number of base-passwd's: its members would be in that
// one, such as the one that reads passwords.
func TestGroupsOfOthers(t *testing.T) {
	s := newSigner(t, 0)
	base := made.Package{Name: "base-passwd", Files: []made.File{
		{Path: "usr/share/base-passwd/passwd.master", Body: "root:*:0:0:root:/root:/bin/bash\n"},
		{Path: "usr/share/base-passwd/group.master", Body: "root:*:0:\nshadow:*:42:\n"}}}
	maker := made.Package{Name: "maker", Control: map[string]string{"postinst": "adduser --system --group svc\n"}}
	source := write(t, made.Mirror{Packages: []made.Package{base, maker}, Sign: s.clear}.Write())
	for group, want := range map[string]vouch.Kind{
		"root:x:0:\nshadow:x:42:\nsvc:x:101:\n": vouch.Made, "root:x:0:\nsvc:x:42:\n": vouch.Nobody, "root:x:0:\nshadow:x:42:\nsvc:x:42:\n": vouch.Nobody,
	} {
		id := strings.TrimSuffix(group[strings.LastIndex(group, "svc:x:")+len("svc:x:"):], ":\n")
		passwd := "root:x:0:0:root:/root:/bin/bash\nsvc:x:100:" + id + "::/nonexistent:/usr/sbin/nologin\n"
		root := append(made.Root(base, maker), made.File{Path: "etc/passwd", Body: passwd}, made.File{Path: "etc/group", Body: group})
		o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
		if o.kind(t, "etc/group") != want || o.kind(t, "etc/passwd") != want {
			t.Errorf("%q: %s, %s, want %s", group, o.kind(t, "etc/group"), o.kind(t, "etc/passwd"), want)
		}
	}
}

// A link to a signed unit is one by its whole target: one that is relative leads elsewhere.
func TestLinksToUnits(t *testing.T) {
	s := newSigner(t, 0)
	p := made.Package{Name: "tool", Files: []made.File{{Path: "lib/systemd/system/tool.service", Body: "[Install]\nWantedBy=multi-user.target\n"}}}
	source := write(t, made.Mirror{Packages: []made.Package{p}, Sign: s.clear}.Write())
	const at = "etc/systemd/system/multi-user.target.wants/tool.service"
	for target, want := range map[string]vouch.Kind{"/lib/systemd/system/tool.service": vouch.Made, "lib/systemd/system/tool.service": vouch.Nobody} {
		root := append(made.Root(p), made.File{Path: at, Link: target},
			made.File{Path: "etc/systemd/system/multi-user.target.wants/lib/systemd/system/tool.service", Body: "[Service]\nExecStart=/evil\n"})
		if o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}}); o.kind(t, at) != want {
			t.Errorf("%s: %s, want %s", target, o.kind(t, at), want)
		}
	}
}

// What cannot be read in a folder is a finding, and the rest is read.
func TestOddFilesInFolders(t *testing.T) {
	s := newSigner(t, 0)
	dir := t.TempDir()
	for name, content := range made.Flat(made.Mirror{Packages: []made.Package{tool()}, Sign: s.clear}.Write()) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a/Release", "a/Packages", "a/tool_2.0-1_amd64.deb", "b/tool_2.0-1_amd64.deb"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("nowhere", name); err != nil {
			t.Fatal(err)
		}
	}
	source, err := packages.Open(dir, packages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := run(t, made.Root(tool()), Family{Keys: s.ring(), Sources: []*packages.Source{source}})
	if o.Verified != 1 || check.Worst(o.Findings) != check.Pass {
		t.Errorf("%v %v", o.Reason, o.Findings)
	}
}

// The configuration of PAM is made of the profiles that are in use by default, in their
// order: of another choice, such as one that lets everybody in, nobody knows whose it is.
func TestPAM(t *testing.T) {
	s := newSigner(t, 0)
	const unix = "[success=end default=ignore]\tpam_unix.so"
	p := made.Package{Name: "libpam-runtime", Files: []made.File{
		{Path: "usr/share/pam/common-auth", Body: "$auth_primary\nauth\trequisite\tpam_deny.so\nauth\trequired\tpam_permit.so\n$auth_additional\n"},
		{Path: "usr/share/pam-configs/unix", Body: "Name: Unix\nDefault: yes\nPriority: 256\nAuth-Type: Primary\nAuth:\n\t" + unix + "\n"},
		{Path: "usr/share/pam-configs/first", Body: "Name: First\nDefault: no\nPriority: 500\nAuth-Type: Primary\nAuth:\n\tsufficient\tpam_first.so\n"},
		{Path: "usr/share/pam-configs/more", Body: "Name: More\nDefault: yes\nPriority: 0\nAuth-Type: Additional\nAuth:\n\toptional\tpam_more.so\n"}}}
	source := write(t, made.Mirror{Packages: []made.Package{p}, Sign: s.clear}.Write())
	const (
		state = "Module: unix\n" + unix + "\n"
		first = "Module: first\nsufficient\tpam_first.so\n"
		more  = "Module: more\noptional\tpam_more.so\n"
		null  = "Module: null\n" + nothing + "\n"
		end   = "auth\trequisite\tpam_deny.so\nauth\trequired\tpam_permit.so\n"
		also  = "auth\toptional\tpam_more.so \n"
	)
	line := func(n int) string { return fmt.Sprintf("auth\t[success=%d default=ignore]\tpam_unix.so \n", n) }
	for name, test := range map[string]struct {
		state, config string
		want          vouch.Kind
	}{
		"what is on by default":       {state + more, line(1) + end + also, vouch.Made},
		"one more, in its place":      {first + state + more, "auth\tsufficient\tpam_first.so \n" + line(1) + end + also, vouch.Made},
		"one more, in another place":  {state + first + more, line(2) + "auth\tsufficient\tpam_first.so \n" + end + also, vouch.Nobody},
		"everybody":                   {null + more, "auth\t" + nothing + "\n" + end + also, vouch.Nobody},
		"without one that is default": {state, line(1) + end, vouch.Nobody},
		"one that is not signed":      {state + more + "Module: evil\noptional\tpam_evil.so\n", line(1) + end + also, vouch.Nobody},
	} {
		root := append(made.Root(p), made.File{Path: "var/lib/pam/auth", Body: test.state}, made.File{Path: "etc/pam.d/common-auth", Body: test.config})
		o := run(t, root, Family{Keys: s.ring(), Sources: []*packages.Source{source}})
		if o.kind(t, "var/lib/pam/auth") != test.want || o.kind(t, "etc/pam.d/common-auth") != test.want {
			t.Errorf("%s: %s, %s, want %s", name, o.kind(t, "var/lib/pam/auth"), o.kind(t, "etc/pam.d/common-auth"), test.want)
		}
	}
}
