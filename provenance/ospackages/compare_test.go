package ospackages

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
)

func md5Of(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }

func apkOf(text string) string {
	sum := sha1.Sum([]byte(text))
	return "Q1" + base64.StdEncoding.EncodeToString(sum[:])
}

// standings lists the entries of which a digest is recorded, each with its layer,
// how it stands and the package.
func standings(in *Installed) string {
	words := [...]string{Unrecorded: "", OwnRecord: "own-record", Unread: "unread", Config: "config", Made: "made", Diverted: "diverted", Changed: "changed"}
	var all []string
	for _, l := range in.img.Layers {
		for i := range l.Entries {
			if c := in.Compare(l.Index, i); c.Standing != Unrecorded {
				all = append(all, fmt.Sprintf("%d %s %s %s", l.Index, l.Entries[i].Path, words[c.Standing], c.Package))
			}
		}
	}
	return strings.Join(all, "\n")
}

// ssl are the files of a database of dpkg with one package, openssl, whose program
// has this content.
func ssl(content string) []fixtures.File {
	return []fixtures.File{
		{Name: "var/lib/dpkg/status", Body: "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3\nConffiles:\n /etc/ssl/openssl.cnf " + md5Of("conf") + "\n"},
		{Name: "var/lib/dpkg/info/openssl.list", Body: "/.\n/usr\n/usr/bin\n/usr/bin/openssl\n/etc/ssl/openssl.cnf\n"},
		{Name: "var/lib/dpkg/info/openssl.md5sums", Body: md5Of(content) + "  usr/bin/openssl\n"},
	}
}

func with(files []fixtures.File, more ...fixtures.File) []fixtures.File {
	return append(files, more...)
}

// The bytes of each file in each layer are held against what its package's record
// says as of that layer.
func TestCompare(t *testing.T) {
	program := func(body string) fixtures.File {
		return fixtures.File{Name: "usr/bin/openssl", Body: body, Mode: 0o755}
	}
	for name, tc := range map[string]struct {
		layers [][]fixtures.File
		want   string
	}{
		"agrees": {[][]fixtures.File{with(ssl("good"), program("good"))}, "0 usr/bin/openssl own-record openssl"},
		"replaced by a later layer": {
			[][]fixtures.File{with(ssl("good"), program("good")), {{Name: "app/x", Body: "1"}, program("evil")}},
			"0 usr/bin/openssl own-record openssl\n1 usr/bin/openssl changed openssl",
		},
		"replaced, and replaced again": {
			[][]fixtures.File{with(ssl("good"), program("good")), {program("evil")}, {program("good")}},
			"0 usr/bin/openssl own-record openssl\n1 usr/bin/openssl changed openssl\n2 usr/bin/openssl own-record openssl",
		},
		"upgraded with its record": {
			[][]fixtures.File{with(ssl("good"), program("good")), with(ssl("better"), program("better"))},
			"0 usr/bin/openssl own-record openssl\n1 usr/bin/openssl own-record openssl",
		},
		"downgraded to what an old record had": {
			[][]fixtures.File{with(ssl("good"), program("good")), with(ssl("better"), program("better")), {program("good")}},
			"0 usr/bin/openssl own-record openssl\n1 usr/bin/openssl own-record openssl\n2 usr/bin/openssl changed openssl",
		},
		"below the layer that brings the database": {
			[][]fixtures.File{{program("evil")}, ssl("good")}, "0 usr/bin/openssl changed openssl",
		},
		"hidden below the layer that brings the database": {
			[][]fixtures.File{{program("mine")}, with(ssl("good"), program("good"))}, "1 usr/bin/openssl own-record openssl",
		},
		"after its package is gone": {
			[][]fixtures.File{with(ssl("good"), program("good")), {{Name: "var/lib/dpkg/info/.wh.openssl.md5sums"}, {Name: "usr/bin/.wh.openssl"}}, {program("mine")}},
			"0 usr/bin/openssl own-record openssl",
		},
		"after the folder info is gone": {
			[][]fixtures.File{with(ssl("good"), program("good")), {{Name: "var/lib/dpkg/.wh.info"}}, {program("mine")}},
			"0 usr/bin/openssl own-record openssl",
		},
		"usrmerge": {
			[][]fixtures.File{with(ssl("good"), fixtures.File{Name: "bin", Link: "usr/bin"}, fixtures.File{Name: "bin/openssl", Body: "evil"})},
			"0 bin/openssl changed openssl",
		},
		"a symlink in its place": {
			[][]fixtures.File{with(ssl("good"), fixtures.File{Name: "usr/bin/openssl", Link: "/app/x"})}, "0 usr/bin/openssl changed openssl",
		},
		"a hard link to the same bytes": {
			[][]fixtures.File{with(ssl("good"), fixtures.File{Name: "opt/x", Body: "good"}, fixtures.File{Name: "usr/bin/openssl", Hard: "opt/x"})},
			"0 usr/bin/openssl own-record openssl",
		},
		"a hard link to other bytes": {
			[][]fixtures.File{with(ssl("good"), fixtures.File{Name: "opt/x", Body: "evil"}, fixtures.File{Name: "usr/bin/openssl", Hard: "opt/x"})},
			"0 usr/bin/openssl changed openssl",
		},
		"a hard link to itself": {
			[][]fixtures.File{with(ssl("good"), fixtures.File{Name: "usr/bin/openssl", Hard: "usr/bin/openssl"})}, "0 usr/bin/openssl changed openssl",
		},
		"diverted": {
			[][]fixtures.File{with(ssl("good"),
				fixtures.File{Name: "var/lib/dpkg/diversions", Body: "/usr/bin/openssl\n/usr/bin/openssl.real\nwrapper\n"},
				fixtures.File{Name: "usr/bin/openssl.real", Body: "good"}, fixtures.File{Name: "usr/bin/openssl", Body: "of the wrapper"})},
			"0 usr/bin/openssl.real own-record openssl",
		},
		"diverted and changed": {
			[][]fixtures.File{with(ssl("good"),
				fixtures.File{Name: "var/lib/dpkg/diversions", Body: "/usr/bin/openssl\n/usr/bin/openssl.real\n:\n"},
				fixtures.File{Name: "usr/bin/openssl.real", Body: "other"})},
			"0 usr/bin/openssl.real diverted openssl",
		},
		"slim, without info": {
			[][]fixtures.File{{{Name: "var/lib/dpkg/status", Body: tinyStatus}, {Name: "usr/bin/tiny", Body: "x"}}}, "",
		},
		"made again by a trigger": {
			[][]fixtures.File{{{Name: "var/lib/dpkg/status", Body: tinyStatus}, {Name: "usr/share/mime/mime.cache", Body: "new"},
				{Name: "var/lib/dpkg/info/tiny.md5sums", Body: md5Of("old") + "  usr/share/mime/mime.cache\n"}}},
			"0 usr/share/mime/mime.cache made tiny",
		},
		"distroless": {
			[][]fixtures.File{{
				{Name: "var/lib/dpkg/status.d/libc6", Body: "Package: libc6\nVersion: 1\n"}, {Name: "var/lib/dpkg/status.d/libc6.md5sums", Body: md5Of("c") + "  lib/libc.so\n"},
				{Name: "lib/libc.so", Body: "c"}}, {{Name: "lib/libc.so", Body: "evil"}}},
			"0 lib/libc.so own-record libc6\n1 lib/libc.so changed libc6",
		},
		"apk": {
			[][]fixtures.File{{
				{Name: "lib/apk/db/installed", Body: "P:busybox\nV:1\nF:bin\nR:busybox\nZ:" + apkOf("b") + "\nR:sh\nF:etc\nR:profile\nZ:" + apkOf("p") + "\n"},
				{Name: "bin/busybox", Body: "b"}, {Name: "etc/profile", Body: "changed"}}, {{Name: "bin/busybox", Body: "evil"}}},
			"0 bin/busybox own-record busybox\n0 etc/profile config busybox\n1 bin/busybox changed busybox",
		},
		"apk, upgraded": {
			[][]fixtures.File{
				{{Name: "lib/apk/db/installed", Body: "P:a\nV:1\nF:bin\nR:a\nZ:" + apkOf("1") + "\n"}, {Name: "bin/a", Body: "1"}},
				{{Name: "lib/apk/db/installed", Body: "P:a\nV:2\nF:bin\nR:a\nZ:" + apkOf("2") + "\n"}, {Name: "bin/a", Body: "2"}}},
			"0 bin/a own-record a\n1 bin/a own-record a",
		},
		"rpm": {
			[][]fixtures.File{{{Name: "var/lib/rpm/rpmdb.sqlite", Body: string(unzip(t, "rpmdb.sqlite.gz"))}, {Name: "bin/tiny", Body: "evil"}, {Name: "etc/tiny.conf", Body: "mine"}}},
			"0 bin/tiny changed tiny\n0 etc/tiny.conf config tiny",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := standings(Read(open(t, tc.layers...))); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// A path that is recorded again and again costs no more than one that is not.
func TestRecordsAreBounded(t *testing.T) {
	text := strings.Repeat(md5Of("x")+"  usr/bin/tiny\n", 10_000)
	in := Read(open(t, []fixtures.File{{Name: "var/lib/dpkg/status", Body: tinyStatus}, {Name: "var/lib/dpkg/info/tiny.md5sums", Body: text}, {Name: "usr/bin/tiny", Body: "y"}}))
	if n := len(in.records["usr/bin/tiny"]); n != maxRecords {
		t.Errorf("%d records of one path, want %d", n, maxRecords)
	}
	if got := standings(in); got != "0 usr/bin/tiny changed tiny" {
		t.Error(got)
	}
}

// Rights that a package did not give its file are raised.
func TestRaised(t *testing.T) {
	sums := func(name string) string { return "R:" + name + "\na:0:0:755\nZ:" + apkOf(name) + "\n" }
	database := fixtures.File{Name: "lib/apk/db/installed", Body: "P:a\nV:1\nF:bin\nR:su\na:0:0:4755\nZ:" + apkOf("su") + "\n" + sums("sh") + "R:lock\nZ:" + apkOf("lock") + "\n"}
	file := func(name string, mode int64) fixtures.File {
		return fixtures.File{Name: "bin/" + name, Body: name, Mode: mode}
	}
	debian := []fixtures.File{{Name: "var/lib/dpkg/status", Body: tinyStatus}, {Name: "var/lib/dpkg/info/tiny.list", Body: "/bin/sh\n"}}
	for name, tc := range map[string]struct {
		layers [][]fixtures.File
		want   string
	}{
		"as recorded":                        {[][]fixtures.File{{database, file("su", 0o4755), file("sh", 0o755)}}, ""},
		"setuid beside apk's record":         {[][]fixtures.File{{database, file("sh", 0o4755)}}, "0 bin/sh"},
		"setgid beside apk's record":         {[][]fixtures.File{{database, file("sh", 0o2755)}}, "0 bin/sh"},
		"a mark for locking":                 {[][]fixtures.File{{database, file("lock", 0o2644)}}, ""},
		"by a later layer":                   {[][]fixtures.File{append(debian, file("sh", 0o755)), {file("sh", 0o4755)}}, "1 bin/sh"},
		"by the layer that has the database": {[][]fixtures.File{append(debian, file("sh", 0o4755))}, ""},
		"kept by a later layer":              {[][]fixtures.File{append(debian, file("sh", 0o4755)), {file("sh", 0o4755)}}, ""},
		"another bit":                        {[][]fixtures.File{append(debian, file("sh", 0o2755)), {file("sh", 0o6755)}}, "1 bin/sh"},
	} {
		t.Run(name, func(t *testing.T) {
			in := Read(open(t, tc.layers...))
			var all []string
			for _, l := range in.img.Layers {
				for i := range l.Entries {
					if in.Raised(l.Index, i) {
						all = append(all, fmt.Sprintf("%d %s", l.Index, l.Entries[i].Path))
					}
				}
			}
			if got := strings.Join(all, "\n"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Without the digests that records have nothing is said to agree.
func TestCompareWithoutDigests(t *testing.T) {
	img, err := inspect.Open(t.Context(), write(t, with(ssl("good"), fixtures.File{Name: "usr/bin/openssl", Body: "good"})), inspect.Options{Stores: fixtures.Stores(), Keep: Keep})
	if err != nil {
		t.Fatal(err)
	}
	if got := standings(Read(img)); got != "0 usr/bin/openssl unread openssl" {
		t.Error(got)
	}
}

// Which digests are taken depends on what a layer has shown.
func TestWeak(t *testing.T) {
	const both = inspect.MD5 | inspect.SHA1
	for _, tc := range []struct {
		paths string
		want  inspect.WeakKinds
	}{
		{"bin/sh", both}, {"bin etc etc/apt/sources.list usr/bin/x", inspect.MD5}, {"bin etc/alpine-release usr/bin/x", inspect.SHA1},
		{"etc/rpm/macros usr/bin/x", 0}, {"etc/rpm/macros etc/debian_version usr/bin/x", inspect.MD5}, {"etc/aptitude x", both},
		{"etc/apk/world var/lib/dpkg/status x", both}, {"usr/lib/x86_64-linux-gnu/libc.so.6 x", inspect.MD5},
		{"app/main.py", 0}, {"usr/local/bin/tool", 0}, {"home/x etc/apt/sources.list usr/local/x", 0}, {"usr/locale", both},
	} {
		wants := Weak()
		var got inspect.WeakKinds
		for p := range strings.FieldsSeq(tc.paths) {
			got = wants(p)
		}
		if got != tc.want {
			t.Errorf("after %s: %d, want %d", tc.paths, got, tc.want)
		}
	}
}
