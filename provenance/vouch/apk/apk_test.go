package apk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	made "audit/fixtures/apk"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
	"audit/provenance/vouch/packages"
)

func newKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func publicPEM(t testing.TB, k *rsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func public(t testing.TB, k *rsa.PrivateKey) Key {
	t.Helper()
	key, err := ReadKey("lab.rsa.pub", publicPEM(t, k))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func tiny() made.Package {
	return made.Package{Name: "tiny", Version: "1.2-r3", Arch: "x86_64", Files: []made.File{
		{Name: "bin/"},
		{Name: "bin/busybox", Body: "busybox", Mode: 0o755},
		{Name: "etc/"},
		{Name: "etc/busybox-paths.d/"},
		{Name: "etc/busybox-paths.d/busybox", Body: "bin/ls\nbin/cat\n"},
		{Name: "etc/tiny.conf", Body: "config"},
		{Name: "usr/bin/"},
		{Name: "usr/bin/ping", Body: "ping", Mode: 0o755, Capability: "caps"},
		{Name: "usr/bin/su", Body: "su", Mode: 0o4755},
		{Name: "usr/bin/su2", Hard: "usr/bin/su", Mode: 0o4755},
		{Name: "usr/bin/su3", Hard: "usr/bin/su2", Mode: 0o4755},
		{Name: "usr/bin/tiny", Body: "program", Mode: 0o755},
		{Name: "usr/lib/libtiny.so", Link: "libtiny.so.1"},
		{Name: "usr/share/owned", Body: "mail", User: "mail"},
	}}
}

func tinyFiles(p made.Package) []fixtures.File {
	return []fixtures.File{
		{Name: "bin/busybox", Body: "busybox", Mode: 0o755},
		{Name: "bin/cat", Link: "/bin/busybox"},
		{Name: "bin/ls", Link: "/bin/busybox"},
		{Name: "bin/other", Link: "/bin/busybox"},
		{Name: "etc/busybox-paths.d/busybox", Body: "bin/ls\nbin/cat\n"},
		{Name: "etc/group", Body: "mail:x:12:\n"},
		{Name: "etc/passwd", Body: "mail:x:8:12::/:\n"},
		{Name: "etc/tiny.conf", Body: "config"},
		{Name: "lib/apk/db/installed", Body: made.Installed(p)},
		{Name: "usr/bin/ping", Body: "ping", Mode: 0o755, Attributes: map[string]string{"security.capability": "caps"}},
		{Name: "usr/bin/su", Body: "su", Mode: 0o4755},
		{Name: "usr/bin/su2", Hard: "usr/bin/su", Mode: 0o4755},
		{Name: "usr/bin/su3", Body: "su", Mode: 0o4755},
		{Name: "usr/bin/tiny", Body: "program", Mode: 0o755},
		{Name: "usr/lib/libtiny.so", Link: "libtiny.so.1"},
		{Name: "usr/share/owned", Body: "mail", UID: 8, GID: 12},
	}
}

// Of a hard link to what the package does not have before it, no content is signed.
func TestHardLinkToNothing(t *testing.T) {
	key, p := newKey(t), tiny()
	p.Files = append(p.Files, made.File{Name: "usr/bin/zz", Hard: "usr/bin/none", Mode: 0o755})
	family := Family{Keys: []Key{public(t, key)}, Sources: []*packages.Source{folder(t, map[string][]byte{"tiny-1.2-r3.apk": p.Write(made.Signer{Name: "k", Key: key})})}}
	_, table, found := run(t, open(t, append(tinyFiles(p), fixtures.File{Name: "usr/bin/zz", Body: "any", Mode: 0o755})), family)
	if w, _ := table.Word("usr/bin/zz"); w.Kind != vouch.Nobody || found != "undecided no-content usr/bin/zz" {
		t.Errorf("%+v\n%s", w, found)
	}
}

// with returns the files with one that is changed; nil removes it.
func with(files []fixtures.File, name string, change func(*fixtures.File)) []fixtures.File {
	var all []fixtures.File
	for _, f := range files {
		if f.Name == name {
			if change == nil {
				continue
			}
			change(&f)
		}
		all = append(all, f)
	}
	return all
}

func open(t testing.TB, files []fixtures.File) *inspect.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, fixtures.Docker{Layers: [][]fixtures.File{files}}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores(), Keep: ospackages.Keep, Weak: ospackages.Weak})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// folder writes files into a folder and opens it as a source.
func folder(t testing.TB, files map[string][]byte) *packages.Source {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s, err := packages.Open(dir, packages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t testing.TB, img *inspect.Image, f Family) (vouch.Result, *vouch.Table, string) {
	t.Helper()
	table := vouch.New(img)
	f.Installed = ospackages.Read(img)
	r, err := f.Vouch(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	return r, table, findings(r.Findings)
}

func findings(list []check.Finding) string {
	var lines []string
	for _, f := range list {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Level, strings.TrimPrefix(f.Code, "signatures/apk-"), f.Path)))
	}
	return strings.Join(lines, "\n")
}

func words(table *vouch.Table) map[vouch.Kind][]string {
	all := make(map[vouch.Kind][]string)
	for f, w := range table.Rows() {
		all[w.Kind] = append(all[w.Kind], f.Path)
	}
	return all
}

// Every file is traced to the key, by the signature of its package or of an index, in a
// folder or at a mirror.
func TestWhole(t *testing.T) {
	key, p := newKey(t), tiny()
	signer := made.Signer{Name: "lab.rsa.pub", Key: key}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v3/main/x86_64/tiny-1.2-r3.apk":
			w.Write(p.Write(signer))
		case "/v3/main/x86_64/APKINDEX.tar.gz":
			w.Write(made.Index(signer, p))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	mirror, err := packages.Open(server.URL+"/v3/main", packages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]*packages.Source{
		"signed":             folder(t, map[string][]byte{"tiny-1.2-r3.apk": p.Write(signer)}),
		"in a folder below":  folder(t, map[string][]byte{"x86_64/tiny-1.2-r3.apk": p.Write(signer)}),
		"signed with SHA256": folder(t, map[string][]byte{"tiny-1.2-r3.apk": p.Write(made.Signer{Name: "x", Key: key, Hash: crypto.SHA256})}),
		"by an index":        folder(t, map[string][]byte{"tiny-1.2-r3.apk": p.Write(made.Signer{}), "APKINDEX.tar.gz": made.Index(signer, p)}),
		"by index over key":  folder(t, map[string][]byte{"tiny-1.2-r3.apk": p.Write(made.Signer{Name: "x", Key: newKey(t)}), "APKINDEX.0.tar.gz": made.Index(signer, p)}),
		"at a mirror":        mirror,
	} {
		t.Run(name, func(t *testing.T) {
			r, table, found := run(t, open(t, tinyFiles(p)), Family{Keys: []Key{public(t, key)}, Sources: []*packages.Source{source}})
			if r.Verified != 1 || found != "" || len(r.Keys) != 1 || !r.Keys[0].Trusted {
				t.Errorf("%+v\n%s", r, found)
			}
			want := map[vouch.Kind][]string{
				vouch.Signed: {"bin/busybox", "etc/busybox-paths.d/busybox", "etc/tiny.conf", "usr/bin/ping", "usr/bin/su", "usr/bin/su2", "usr/bin/su3", "usr/bin/tiny", "usr/lib/libtiny.so", "usr/share/owned"},
				vouch.Made:   {"bin/cat", "bin/ls"},
				vouch.Nobody: {"bin/other", "etc/group", "etc/passwd", "lib/apk/db/installed"},
			}
			if diff := cmp.Diff(want, words(table)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChangedFiles(t *testing.T) {
	key, p := newKey(t), tiny()
	family := Family{Keys: []Key{public(t, key)}, Sources: []*packages.Source{folder(t, map[string][]byte{"tiny-1.2-r3.apk": p.Write(made.Signer{Name: "k", Key: key})})}}
	for name, test := range map[string]struct {
		file   string
		change func(*fixtures.File)
		want   string
		kind   vouch.Kind
	}{
		"a program":                    {"usr/bin/tiny", func(f *fixtures.File) { f.Body = "Program" }, "problem changed usr/bin/tiny", vouch.Differs},
		"a link for a configuration":   {"etc/tiny.conf", func(f *fixtures.File) { f.Link = "/tmp/x" }, "undecided type etc/tiny.conf", vouch.Nobody},
		"a device for a configuration": {"etc/tiny.conf", func(f *fixtures.File) { f.Device, f.Mode = [2]int64{8, 0}, 0o644 }, "problem type etc/tiny.conf", vouch.Differs},
		"all write a configuration":    {"etc/tiny.conf", func(f *fixtures.File) { f.Mode = 0o666 }, "problem mode etc/tiny.conf", vouch.Signed},
		"a configuration":              {"etc/tiny.conf", func(f *fixtures.File) { f.Body = "mine" }, "note config etc/tiny.conf", vouch.Nobody},
		"a mode":                       {"usr/bin/tiny", func(f *fixtures.File) { f.Mode = 0o777 }, "problem mode usr/bin/tiny", vouch.Signed},
		"fewer permissions":            {"usr/bin/tiny", func(f *fixtures.File) { f.Mode = 0o700 }, "undecided mode usr/bin/tiny", vouch.Signed},
		"setuid":                       {"usr/bin/tiny", func(f *fixtures.File) { f.Mode = 0o4755 }, "problem setuid usr/bin/tiny", vouch.Signed},
		"a capability": {"usr/bin/tiny", func(f *fixtures.File) { f.Attributes = map[string]string{"security.capability": "x"} },
			"problem capability usr/bin/tiny", vouch.Signed},
		"an owner":         {"usr/share/owned", func(f *fixtures.File) { f.UID = 0 }, "problem owner usr/share/owned", vouch.Signed},
		"a link":           {"usr/lib/libtiny.so", func(f *fixtures.File) { f.Link = "/tmp/x" }, "problem link usr/lib/libtiny.so", vouch.Differs},
		"a link to a file": {"usr/lib/libtiny.so", func(f *fixtures.File) { f.Link, f.Body = "", "x" }, "problem type usr/lib/libtiny.so", vouch.Differs},
		"gone":             {"usr/bin/tiny", nil, "note files-absent", ""},
		"an applet":        {"bin/ls", func(f *fixtures.File) { f.Link = "/tmp/ls" }, "", vouch.Nobody},
		"applets' program": {"bin/busybox", func(f *fixtures.File) { f.Body = "other" }, "problem changed bin/busybox", vouch.Differs},
		"a relative link":  {"bin/ls", func(f *fixtures.File) { f.Link = "bin/busybox" }, "", vouch.Nobody},
	} {
		t.Run(name, func(t *testing.T) {
			_, table, found := run(t, open(t, with(tinyFiles(p), test.file, test.change)), family)
			if found != test.want {
				t.Errorf("findings:\n%s\nwant:\n%s", found, test.want)
			}
			if w, _ := table.Word(test.file); w.Kind != test.kind {
				t.Errorf("it is %q, want %q", w.Kind, test.kind)
			}
		})
	}
	t.Run("links to a program that was changed", func(t *testing.T) {
		_, table, _ := run(t, open(t, with(tinyFiles(p), "bin/busybox", func(f *fixtures.File) { f.Body = "other" })), family)
		if w, _ := table.Word("bin/ls"); w.Kind != vouch.Nobody {
			t.Errorf("%+v", w)
		}
	})
	t.Run("changed, with the new one beside", func(t *testing.T) {
		files := append(with(tinyFiles(p), "etc/tiny.conf", func(f *fixtures.File) { f.Body = "mine" }), fixtures.File{Name: "etc/tiny.conf.apk-new", Body: "config"})
		_, table, found := run(t, open(t, files), family)
		if w, _ := table.Word("etc/tiny.conf.apk-new"); w.Kind != vouch.Signed || found != "note config etc/tiny.conf" {
			t.Errorf("%+v\n%s", w, found)
		}
	})
}

// Another package, that is not verified, may have replaced a file.
func TestReplacedFile(t *testing.T) {
	key, p := newKey(t), tiny()
	own := made.Package{Name: "own", Version: "1-r0", Arch: "x86_64", Files: []made.File{{Name: "usr/bin/"}, {Name: "usr/bin/tiny", Body: "mine", Mode: 0o755}}}
	files := with(tinyFiles(p), "usr/bin/tiny", func(f *fixtures.File) { f.Body = "mine" })
	files = with(files, "lib/apk/db/installed", func(f *fixtures.File) { f.Body = made.Installed(p, own) })
	source := folder(t, map[string][]byte{"tiny-1.2-r3.apk": p.Write(made.Signer{Name: "k", Key: key})})
	_, table, found := run(t, open(t, files), Family{Keys: []Key{public(t, key)}, Sources: []*packages.Source{source}})
	if w, _ := table.Word("usr/bin/tiny"); w.Kind != vouch.Nobody || found != "undecided not-here\nundecided replaced usr/bin/tiny" {
		t.Errorf("%+v\n%s", w, found)
	}
}

// What does not lead from a trusted key to the data is not verified.
func TestNotVerified(t *testing.T) {
	key, p := newKey(t), tiny()
	other, bad := tiny(), tiny()
	other.Files[1].Body = "another build"
	bad.DataHash = strings.Repeat("00", 32)
	signer := made.Signer{Name: "k", Key: key}
	good := p.Write(signer)
	altered := bytes.Clone(good)
	altered[len(altered)-20] ^= 1
	for name, test := range map[string]struct {
		installed made.Package
		files     map[string][]byte
		keys      []Key
		want      string
		reason    string
	}{
		"another key":        {p, map[string][]byte{"tiny-1.2-r3.apk": p.Write(made.Signer{Name: "k", Key: newKey(t)})}, nil, "undecided untrusted", "none-verified"},
		"unsigned":           {p, map[string][]byte{"tiny-1.2-r3.apk": p.Write(made.Signer{})}, nil, "undecided untrusted", "none-verified"},
		"another build":      {p, map[string][]byte{"tiny-1.2-r3.apk": other.Write(signer)}, nil, "undecided other-package", "none-verified"},
		"data altered":       {p, map[string][]byte{"tiny-1.2-r3.apk": altered}, nil, "undecided unread", "none-verified"},
		"another datahash":   {bad, map[string][]byte{"tiny-1.2-r3.apk": bad.Write(signer)}, nil, "undecided unread", "none-verified"},
		"no package":         {p, map[string][]byte{"else": nil}, nil, "undecided not-here", "none-verified"},
		"no package, listed": {p, map[string][]byte{"APKINDEX.tar.gz": made.Index(signer, p)}, nil, "undecided not-here", "names-only"},
		"index by another":   {p, map[string][]byte{"APKINDEX.tar.gz": made.Index(made.Signer{Name: "k", Key: newKey(t)}, p)}, nil, "note index-unsigned\nundecided not-here", "none-verified"},
		"no gzip":            {p, map[string][]byte{"tiny-1.2-r3.apk": []byte("ADB.")}, nil, "undecided unread", "none-verified"},
		"cut":                {p, map[string][]byte{"tiny-1.2-r3.apk": good[:300]}, nil, "undecided unread", "none-verified"},
		"no keys":            {p, map[string][]byte{"tiny-1.2-r3.apk": good}, []Key{}, "", "no-key"},
	} {
		t.Run(name, func(t *testing.T) {
			keys := test.keys
			if keys == nil {
				keys = []Key{public(t, key)}
			}
			r, table, found := run(t, open(t, tinyFiles(test.installed)), Family{Keys: keys, Sources: []*packages.Source{folder(t, test.files)}})
			if r.Verified != 0 || found != test.want || r.Reason.Code != "signatures/apk-"+test.reason {
				t.Errorf("%+v\n%s\nwant:\n%s", r.Reason, found, test.want)
			}
			if n := len(words(table)[vouch.Signed]); n > 0 {
				t.Errorf("%d files are signed", n)
			}
		})
	}
	r, _, _ := run(t, open(t, tinyFiles(p)), Family{Keys: []Key{public(t, key)}})
	if r.Reason.Code != "signatures/apk-no-source" {
		t.Errorf("without a source: %+v", r.Reason)
	}
}

// The copy of a mirror has the packages of several architectures under the same names.
func TestSeveralArchitectures(t *testing.T) {
	key, p, other := newKey(t), tiny(), tiny()
	other.Arch, other.Files[1].Body = "aarch64", "another"
	signer := made.Signer{Name: "k", Key: key}
	for _, names := range [][2]string{{"aarch64", "x86_64"}, {"x86_64", "aarch64"}} {
		family := Family{Keys: []Key{public(t, key)}, Sources: []*packages.Source{folder(t, map[string][]byte{
			names[0] + "/tiny-1.2-r3.apk": p.Write(signer), names[1] + "/tiny-1.2-r3.apk": other.Write(signer)})}}
		if r, _, found := run(t, open(t, tinyFiles(p)), family); r.Verified != 1 || found != "" {
			t.Errorf("%v: %+v\n%s", names, r, found)
		}
	}
}

// A package that a database has many times is read once; one of its version that is
// another is not the one that was installed.
func TestStanzasAgain(t *testing.T) {
	key, p, other := newKey(t), tiny(), tiny()
	other.Files[1].Body = "another"
	files := tinyFiles(p)
	for i := range files {
		if files[i].Name == "lib/apk/db/installed" {
			files[i].Body = strings.Repeat(made.Installed(p), 1000) + made.Installed(other)
		}
	}
	family := Family{Keys: []Key{public(t, key)}, Sources: []*packages.Source{folder(t, map[string][]byte{"tiny-1.2-r3.apk": p.Write(made.Signer{Name: "k", Key: key})})}}
	if r, _, found := run(t, open(t, files), family); r.Packages != 1 || r.Verified != 1 || found != "undecided other-package" {
		t.Errorf("%+v\n%s", r, found)
	}
}

// Of a database, and a package, in the format of apk 3 nothing is known, which is no word
// of there being no packages.
func TestFormatOfApk3(t *testing.T) {
	for _, head := range []string{"ADB.", "ADBd", "ADBc"} {
		img := open(t, []fixtures.File{{Name: "lib/apk/db/installed", Body: head + "\x00installed"}, {Name: "bin/x", Body: "x"}})
		in := ospackages.Read(img)
		if len(in.Databases) != 0 || len(in.Problems) != 1 || in.Problems[0].Code != "packages/apk-adb" || in.Problems[0].Level != check.Undecided {
			t.Errorf("%s: %+v, %v", head, in.Databases, in.Problems)
		}
		table := vouch.New(img)
		r, err := Family{Installed: in}.Vouch(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		c := vouch.Conclude(check.Skip(check.Signatures, "signatures/none"), []vouch.Result{r}, table)
		if c.Status != check.Unknown || len(c.Reasons) != 1 || c.Reasons[0].Code != "signatures/apk-format" {
			t.Errorf("%s: %s, %v", head, c.Status, c.Reasons)
		}
		key, p := newKey(t), tiny()
		r, _, _ = run(t, open(t, tinyFiles(p)), Family{Keys: []Key{public(t, key)}, Sources: []*packages.Source{folder(t, map[string][]byte{"tiny-1.2-r3.apk": []byte(head)})}})
		if !slices.ContainsFunc(r.Findings, func(f check.Finding) bool { return strings.Contains(f.Args.String("error"), "ADB of apk 3") }) {
			t.Errorf("%s: %v", head, r.Findings)
		}
	}
}

// A server is asked for what a signed index has, and for nothing else that an image names.
func TestServerIsAskedForWhatIsListed(t *testing.T) {
	key, p := newKey(t), tiny()
	stranger := tiny()
	stranger.Name, stranger.Arch = "stranger", "../../etc"
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		if r.URL.Path == "/x86_64/APKINDEX.tar.gz" {
			w.Write(made.Index(made.Signer{Name: "k", Key: key}, p))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	mirror, err := packages.Open(server.URL, packages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := with(tinyFiles(p), "lib/apk/db/installed", func(f *fixtures.File) { f.Body = made.Installed(p, stranger) })
	r, _, found := run(t, open(t, files), Family{Keys: []Key{public(t, key)}, Sources: []*packages.Source{mirror}})
	if want := []string{"/x86_64/APKINDEX.tar.gz", "/x86_64/tiny-1.2-r3.apk"}; !slices.Equal(asked, want) || r.Verified != 0 {
		t.Errorf("asked for %v, want %v\n%s", asked, want, found)
	}
}

// Keys that the image carries are shown, and trusted by nobody.
func TestCarriedKeys(t *testing.T) {
	key, p := newKey(t), tiny()
	files := append(tinyFiles(p), fixtures.File{Name: "etc/apk/keys/lab.rsa.pub", Body: string(publicPEM(t, key))}, fixtures.File{Name: "etc/apk/keys/none.rsa.pub", Body: "none"})
	r, _, _ := run(t, open(t, files), Family{})
	want := []vouch.Key{{Fingerprint: public(t, key).Fingerprint, Name: "lab.rsa.pub", Path: "etc/apk/keys/lab.rsa.pub"}}
	if diff := cmp.Diff(want, r.Keys); diff != "" || r.Verified != 0 {
		t.Error(diff)
	}
}

func TestReadKey(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak.N.Rsh(weak.N, 600)
	for name, text := range map[string][]byte{
		"nothing": nil, "words": []byte("words"), "a weak key": publicPEM(t, weak), "two": slices.Concat(publicPEM(t, newKey(t)), publicPEM(t, newKey(t))),
		"another block": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}),
	} {
		if k, err := ReadKey("k", text); err == nil {
			t.Errorf("%s: %+v", name, k)
		}
	}
}

// FuzzPackage: whatever lies beside is read without a panic, and is verified only when
// the key signed it.
func FuzzPackage(f *testing.F) {
	key, p := newKey(f), tiny()
	signer := made.Signer{Name: "k", Key: key}
	f.Add(p.Write(signer))
	f.Add(p.Write(made.Signer{}))
	f.Add(made.Index(signer, p))
	keys := []Key{public(f, newKey(f))}
	f.Fuzz(func(t *testing.T, file []byte) {
		parts, err := part(file)
		if err != nil {
			return
		}
		if _, ok := verify(keys, parts.signatures, parts.rest); ok {
			t.Error("it is verified")
		}
		readIndex(parts.rest)
		if packed, data, err := member(parts.rest); err == nil {
			if c, err := readControl(packed); err == nil {
				readData(&pkg{}, data, c.datahash)
			}
		}
	})
}

// The scripts that apk keeps are those of the signed control parts; one that is another, or
// that the package does not have, is a problem, and of other packages nothing is known.
func TestKeptScripts(t *testing.T) {
	key, p := newKey(t), tiny()
	p.Scripts = map[string]string{"post-install": "#!/bin/sh\nadduser tiny\n", "pre-deinstall": "#!/bin/sh\ndeluser tiny\n"}
	signer := made.Signer{Name: "lab.rsa.pub", Key: key}
	source := folder(t, map[string][]byte{"tiny-1.2-r3.apk": p.Write(signer)})
	honest := made.InstalledScripts(p)
	other := made.InstalledScripts(p, made.Package{Name: "other", Version: "1", Scripts: map[string]string{"trigger": "x"}})
	var added bytes.Buffer
	w := tar.NewWriter(&added)
	if err := w.WriteHeader(&tar.Header{Name: "tiny-1.2-r3." + p.Checksum() + ".post-upgrade", Typeflag: tar.TypeReg, Mode: 0o755}); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(honest)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file    fixtures.File
		finding string // "" for none
		want    vouch.Kind
	}{
		"as they were signed":           {fixtures.File{Name: "lib/apk/db/scripts.tar", Body: honest}, "", vouch.Made},
		"packed":                        {fixtures.File{Name: "usr/lib/apk/db/scripts.tar.gz", Body: packed.String()}, "", vouch.Made},
		"for all to write":              {fixtures.File{Name: "lib/apk/db/scripts.tar", Body: honest, Mode: 0o666}, "", vouch.Nobody},
		"one that was changed":          {fixtures.File{Name: "lib/apk/db/scripts.tar", Body: strings.Replace(honest, "deluser", "adduser", 1)}, "problem script-changed", vouch.Differs},
		"one that was added":            {fixtures.File{Name: "lib/apk/db/scripts.tar", Body: added.String()}, "problem script-changed", vouch.Differs},
		"one of a package not verified": {fixtures.File{Name: "lib/apk/db/scripts.tar", Body: other}, "", vouch.Nobody},
		"one that ends early":           {fixtures.File{Name: "lib/apk/db/scripts.tar", Body: honest[:1100]}, "undecided unread", vouch.Nobody},
	} {
		t.Run(name, func(t *testing.T) {
			img := open(t, append(tinyFiles(p), test.file))
			_, table, found := run(t, img, Family{Keys: []Key{public(t, key)}, Sources: []*packages.Source{source}})
			if w, _ := table.Word(test.file.Name); w.Kind != test.want {
				t.Errorf("%s, want %s", w.Kind, test.want)
			}
			if wants := test.finding != ""; strings.Contains(found, map[bool]string{true: test.finding, false: "script"}[wants]) != wants {
				t.Errorf("%s", found)
			}
		})
	}
}
