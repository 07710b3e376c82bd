package ospackages

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages/deb822"
)

// open reads an image of these layers.
func open(t testing.TB, layers ...[]fixtures.File) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), write(t, layers...), inspect.Options{Stores: fixtures.Stores(), Keep: Keep, Weak: Weak})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// write writes an image of these layers and returns its name.
func write(t testing.TB, layers ...[]fixtures.File) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, fixtures.Docker{Layers: layers}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// owners says of each file whose it is.
func owners(in *Installed, files ...string) []string {
	var all []string
	for _, f := range files {
		p, _ := in.Owner(f)
		if p == nil {
			all = append(all, f+": nobody's")
			continue
		}
		all = append(all, f+": "+p.Name+" "+p.Version)
	}
	return all
}

const status = `Package: tiny
Status: install ok installed
Maintainer: Somebody <somebody@example.org>
Architecture: amd64
Source: tiny-src (1.2)
Version: 1.2-3
Conffiles:
 /etc/tiny.conf 0123456789abcdef0123456789abcdef
Description: a package
 with more: lines

Package: libtiny
Status: install ok unpacked
Architecture: amd64
Version: 1:2.0

Package: gone
Status: deinstall ok config-files
Version: 1
`

func TestDpkg(t *testing.T) {
	in := Read(open(t,
		[]fixtures.File{
			{Name: "bin", Link: "usr/bin"}, {Name: "usr/bin/"}, {Name: "usr/bin/tiny", Body: "x"},
			{Name: "usr/lib/os-release", Body: "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian 12'\n"}, {Name: "etc/os-release", Link: "../usr/lib/os-release"},
			{Name: "var/lib/dpkg/status", Body: "Package: old\nStatus: install ok installed\nVersion: 0\n"},
		},
		[]fixtures.File{
			{Name: "var/lib/dpkg/status", Body: status},
			{Name: "var/lib/dpkg/info/tiny.list", Body: "/.\n/bin\n/bin/tiny\n/etc\n/etc/tiny.conf\n"},
			{Name: "var/lib/dpkg/info/libtiny:amd64.list", Body: "/usr/lib/libtiny.so\n"},
			{Name: "var/lib/dpkg/info/gone.list", Body: "/etc/gone.conf\n"},
		}))
	if diff := cmp.Diff(Release{ID: "debian", Version: "12", Name: "Debian 12", Layer: 0, Path: "usr/lib/os-release"}, in.Release); diff != "" {
		t.Error(diff)
	}
	want := []Package{
		{Manager: Dpkg, Name: "libtiny", Version: "1:2.0", Arch: "amd64", Layer: 1, Path: "var/lib/dpkg/status", Files: []File{{Path: "usr/lib/libtiny.so"}}},
		{Manager: Dpkg, Name: "tiny", Version: "1.2-3", Arch: "amd64", Source: "tiny-src", Layer: 1, Path: "var/lib/dpkg/status",
			Files: []File{{Path: "bin"}, {Path: "bin/tiny"}, {Path: "etc"}, {Path: "etc/tiny.conf", Config: true}}},
	}
	if diff := cmp.Diff(want, in.Packages); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Database{{Dpkg, "var/lib/dpkg/status", 1, 2}}, in.Databases); diff != "" {
		t.Error(diff)
	}
	wantOwners := []string{"usr/bin/tiny: tiny 1.2-3", "bin/tiny: tiny 1.2-3", "etc/gone.conf: nobody's", "usr/bin/other: nobody's"}
	if diff := cmp.Diff(wantOwners, owners(in, "usr/bin/tiny", "bin/tiny", "etc/gone.conf", "usr/bin/other")); diff != "" {
		t.Error(diff)
	}
	if _, f := in.Owner("etc/tiny.conf"); !f.Config {
		t.Error("the configuration file is none")
	}
}

// Users and groups have the numbers of the first file that names them, and who is not
// named is root.
func TestOwners(t *testing.T) {
	img := open(t, []fixtures.File{
		{Name: "etc/passwd", Body: "root:x:9:0::/:\nmail:x:8:12::/:\nnone\nodd:x:-1:0::/:\n"}, {Name: "usr/lib/passwd", Body: "mail:x:1:1::/:\nchrony:x:990:985::/:\n"},
		{Name: "etc/group", Body: "mail:x:12:\n"},
	})
	o := ReadOwners(img.Root())
	for name, want := range map[string]int{"root": 0, "": 0, "mail": 8, "chrony": 990, "odd": 0, "nobody": 0} {
		if got, ok := o.User(name); got != want || !ok {
			t.Errorf("user %q is %d, %v; want %d", name, got, ok, want)
		}
	}
	if gid, ok := o.Group("mail"); gid != 12 || !ok || !o.IsFlat() {
		t.Errorf("group mail is %d, %v", gid, ok)
	}
}

// A log of SQLite that was not merged is reported.
func TestUnmergedLog(t *testing.T) {
	db := fixtures.File{Name: "var/lib/rpm/rpmdb.sqlite", Body: "none"}
	for log, want := range map[string]bool{"": false, "frames": true} {
		in := Read(open(t, []fixtures.File{db, {Name: "var/lib/rpm/rpmdb.sqlite-wal", Body: log}}))
		found := false
		for _, p := range in.Problems {
			found = found || p.Code == "packages/unmerged-log"
		}
		if found != want {
			t.Errorf("a log %q: %v", log, in.Problems)
		}
	}
}

// A paragraph that readers take for different packages is one package here, and a problem.
func TestFieldTwice(t *testing.T) {
	const installed = "Status: install ok installed\nArchitecture: all\n"
	in := Read(open(t, []fixtures.File{
		{Name: "var/lib/dpkg/status", Body: "Package: dash\n" + installed + "Version: 1\nversion: 99\n \nPackage: hidden\nVersion: 2\n" + installed},
		{Name: "var/lib/dpkg/status.d/tzdata", Body: "Package: tzdata\nVersion: 3\nPackage: other\n"},
	}))
	var got []string
	for _, p := range in.Packages {
		got = append(got, p.Name+" "+p.Version)
	}
	for _, p := range in.Problems {
		got = append(got, p.Code+" "+p.Args.String("package")+" "+p.Args.String("field"))
	}
	want := "dash 1, hidden 2, tzdata 3, packages/field-twice dash version, packages/field-twice tzdata Package"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
}

func TestDistroless(t *testing.T) {
	in := Read(open(t, []fixtures.File{
		{Name: "var/lib/dpkg/status.d/tzdata", Body: "Package: tzdata\nVersion: 2024a\nArchitecture: all\n"},
		{Name: "var/lib/dpkg/status.d/tzdata.md5sums", Body: "0123456789abcdef0123456789abcdef  usr/share/zoneinfo/UTC\nno sum\n"},
		{Name: "var/lib/dpkg/status.d/odd", Body: "nothing"},
	}))
	if got := owners(in, "usr/share/zoneinfo/UTC"); got[0] != "usr/share/zoneinfo/UTC: tzdata 2024a" {
		t.Error(got)
	}
	if diff := cmp.Diff([]check.Finding{check.Find(check.Undecided, 0, "var/lib/dpkg/status.d/odd", "packages/no-package")}, in.Problems); diff != "" {
		t.Error(diff)
	}
}

func TestApk(t *testing.T) {
	in := Read(open(t, []fixtures.File{{Name: "lib/apk/db/installed", Body: `C:Q1abc=
P:busybox
V:1.36.1-r29
A:x86_64
o:busybox-src
L:GPL-2.0-only
F:bin
R:busybox
a:0:0:755
Z:Q1pcfTfDNEbNKQc2s1tia7da05M8Q=
F:
R:init

P:libc
V:1
F:lib
R:ld.so
`}}))
	want := []Package{
		{Manager: Apk, Name: "busybox", Version: "1.36.1-r29", Arch: "x86_64", Source: "busybox-src", License: "GPL-2.0-only", Path: "lib/apk/db/installed",
			Files: []File{{Path: "bin"}, {Path: "bin/busybox", Mode: 0o755, Digest: newDigest("sha1", "a5c7d37c33446cd290736b35b626bb75ad3933c4")}, {Path: "init", Mode: 0o644}}},
		{Manager: Apk, Name: "libc", Version: "1", Path: "lib/apk/db/installed", Files: []File{{Path: "lib"}, {Path: "lib/ld.so", Mode: 0o644}}},
	}
	if diff := cmp.Diff(want, in.Packages); diff != "" {
		t.Error(diff)
	}
}

// unzip reads a database that was made by the real tool.
func unzip(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ndbOf returns the database in rpm's own format that holds these headers.
func ndbOf(headers [][]byte) []byte {
	const page = 4096
	head := make([]byte, page)
	copy(head, "RpmP")
	binary.LittleEndian.PutUint32(head[12:], 1)
	blobs := []byte{}
	for i, h := range headers {
		slot := head[32+32*i:] // every second one is free
		copy(slot, "Slot")
		binary.LittleEndian.PutUint32(slot[4:], uint32(i+1))
		binary.LittleEndian.PutUint32(slot[8:], uint32((page+len(blobs))/16))
		b := append([]byte("BlbS"), make([]byte, 12)...)
		binary.LittleEndian.PutUint32(b[4:], uint32(i+1))
		binary.LittleEndian.PutUint32(b[12:], uint32(len(h)))
		b = append(b, h...)
		blobs = append(blobs, append(b, make([]byte, 16-len(b)%16)...)...)
	}
	return append(head, blobs...)
}

// The packages tiny and other of testdata/tiny.spec, as rpm's own query prints
// them, from each form of its database.
func TestRpm(t *testing.T) {
	sqlite := unzip(t, "rpmdb.sqlite.gz")
	headers, err := sqliteHeaders(sqlite)
	if err != nil {
		t.Fatal(err)
	}
	const readme = "00d75b5176b48ccc71d91bcc1d7b90fc2820429b1629b77fd1d5f4c5dcee4f6d"
	for _, db := range []struct {
		path string
		data []byte
	}{
		{"var/lib/rpm/rpmdb.sqlite", sqlite},
		{"usr/lib/sysimage/rpm/Packages.db", ndbOf(headers)},
		{"var/lib/rpm/Packages", unzip(t, "Packages.gz")},
		{"usr/share/rpm/Packages", unzip(t, "Packages-bigendian.gz")},
	} {
		t.Run(db.path, func(t *testing.T) {
			in := Read(open(t, []fixtures.File{{Name: db.path, Body: string(db.data)}}))
			if len(in.Problems) > 0 {
				t.Fatal(in.Problems)
			}
			if len(in.Packages) != 2 {
				t.Fatalf("%d packages, want 2", len(in.Packages))
			}
			p := in.Packages[1]
			config := newDigest("sha256", "8d0d4c8a1e6ab75ae2f81abf1e1e66ce1ab7be53c7b8f245a41907fc45b3a801")
			want := Package{Manager: Rpm, Name: "tiny", Version: "1:2.0-3", Arch: "noarch", Source: "tiny-2.0-3.src.rpm", License: "Apache-2.0", Path: db.path, Files: []File{
				{Path: "bin/tiny", Mode: 0o644, Digest: newDigest("sha256", "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf")},
				{Path: "etc/tiny.conf", Mode: 0o644, Digest: config, Config: true},
				{Path: "usr/share/tiny", Mode: 0o755}, {Path: "usr/share/tiny/empty", Mode: 0o755}, {Path: "usr/share/tiny/link", Link: "readme", Mode: 0o777},
				{Path: "usr/share/tiny/readme", Mode: 0o644, Digest: newDigest("sha256", readme)},
			}}
			if diff := cmp.Diff(want, p); diff != "" {
				t.Error(diff)
			}
			if name := in.Packages[0].Name; name != "other" {
				t.Errorf("the other package is %q", name)
			}
		})
	}
}

// A database that cannot be read is a problem, and no error.
func TestBrokenRpm(t *testing.T) {
	sqlite := unzip(t, "rpmdb.sqlite.gz")
	for name, tc := range map[string]struct{ path, data, want string }{
		"no sqlite":   {"var/lib/rpm/rpmdb.sqlite", "nothing", "packages/database-unread"},
		"cut sqlite":  {"var/lib/rpm/rpmdb.sqlite", string(sqlite[:5000]), "packages/database-unread"},
		"no ndb":      {"var/lib/rpm/Packages.db", strings.Repeat("x", 5000), "no database of rpm's format ndb"},
		"no berkeley": {"var/lib/rpm/Packages", strings.Repeat("x", 5000), "no hash database"},
		"empty":       {"var/lib/rpm/Packages", "", "too short"},
	} {
		t.Run(name, func(t *testing.T) {
			in := Read(open(t, []fixtures.File{{Name: tc.path, Body: tc.data}}))
			if len(in.Problems) != 1 || !strings.Contains(in.Problems[0].String(), tc.want) {
				t.Errorf("problems %v, want one with %q", in.Problems, tc.want)
			}
		})
	}
}

func FuzzStores(f *testing.F) {
	sqlite := unzip(f, "rpmdb.sqlite.gz")
	headers, err := sqliteHeaders(sqlite)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(unzip(f, "Packages.gz"))
	f.Add(unzip(f, "Packages-bigendian.gz"))
	f.Add(ndbOf(headers))
	f.Add(headers[0])
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func([]byte) ([][]byte, error){ndbHeaders, berkeleyHeaders} {
			headers, _ := read(data)
			total := 0
			for _, h := range headers {
				total += len(h)
				rpmPackage(h)
			}
			if total > len(data) {
				t.Fatalf("%d bytes of headers from a database of %d", total, len(data))
			}
		}
		rpmPackage(data)
	})
}

// What a text database says does not depend on how its lines end.
func FuzzTexts(f *testing.F) {
	f.Add([]byte(status))
	f.Add([]byte("P:a\nV:1\nF:bin\nR:x\n\nP:b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.ContainsAny(text, "\r") {
			return
		}
		other := bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		if diff := cmp.Diff(slices.Collect(deb822.Paragraphs(text)), slices.Collect(deb822.Paragraphs(other))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(apkPackages(text), apkPackages(other)); diff != "" {
			t.Error(diff)
		}
	})
}

// What a package manager keeps for itself is known; what lies among it is not.
func TestState(t *testing.T) {
	in := Read(open(t, []fixtures.File{
		{Name: "var/lib/dpkg/status", Body: status}, {Name: "lib/apk/db/installed", Body: "P:a\nV:1\n"}, {Name: "var/lib/rpm/rpmdb.sqlite", Body: "x"},
	}))
	for path, want := range map[string]bool{
		"var/lib/dpkg": true, "var/lib/dpkg/status": true, "var/lib/dpkg/status-old": true, "var/lib/dpkg/info/tiny.postinst": true, "var/lib/dpkg/info/libtiny:amd64.list": true,
		"var/lib/dpkg/info/libtiny:arm64.list": false, "var/lib/dpkg/info/evil.postinst": false, "var/lib/dpkg/info/tiny": false, "var/lib/dpkg/alternatives/awk": true,
		"var/lib/dpkg/status/deep": false, "var/lib/dpkg/tool": false,
		"lib/apk/db/scripts.tar": true, "lib/apk/db/deep/x": false, "etc/apk/world": true, "etc/apk/other": false,
		"var/lib/rpm/.rpm.lock": true, "var/lib/rpm/x/y": false, "opt/x": false,
	} {
		if got := in.State(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
