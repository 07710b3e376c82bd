package vouch

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/fixtures/rpm"
	"audit/inspect"
	"audit/provenance/ospackages"
)

// A link has the word of a database that records where it leads, and of no other: dpkg's
// lists have names alone, and a folder in one can have been replaced by a link.
func TestPackagedLinks(t *testing.T) {
	sum := sha1.Sum([]byte("busybox"))
	files := []fixtures.File{
		{Name: "bin/sh", Link: "busybox"}, {Name: "bin/ls", Link: "/opt/evil"},
		{Name: "usr/lib/liba.so", Link: "liba.so.1"}, {Name: "usr/lib/libb.so", Link: "/opt/evil"},
		{Name: "usr/share/doc/dash", Link: "/opt/evil"},
		{Name: "lib/apk/db/installed", Body: "P:busybox\nV:1\nF:bin\nR:sh\nZ:Q1" + base64.StdEncoding.EncodeToString(sum[:]) + "\nR:ls\nZ:Q1" + base64.StdEncoding.EncodeToString(sum[:]) + "\n"},
		{Name: "var/lib/dpkg/status", Body: "Package: dash\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"},
		{Name: "var/lib/dpkg/info/dash.list", Body: "/.\n/usr/share/doc/dash\n"},
		{Name: "var/lib/rpm/Packages.db", Body: string(rpm.Ndb(rpm.Package{Name: "lib", Version: "1", Release: "1", Files: []rpm.File{
			{Path: "/usr/lib/liba.so", Link: "liba.so.1", Mode: 0o120777}, {Path: "/usr/lib/libb.so", Link: "libb.so.1", Mode: 0o120777},
		}}.Header()))},
	}
	table := packaged(t, files)
	for path, want := range map[string]Kind{
		"bin/sh": Packaged, "bin/ls": Nobody, "usr/lib/liba.so": Packaged, "usr/lib/libb.so": Nobody, "usr/share/doc/dash": Nobody,
	} {
		if w, ok := table.Word(path); !ok || w.Kind != want {
			t.Errorf("%s: %+v, want %s", path, w, want)
		}
	}
}

// TestRecordOfAPackage: dpkg keeps digests in two places, of which one has the version: the
// files of a package have one name all the same.
func TestRecordOfAPackage(t *testing.T) {
	body, config := md5.Sum([]byte("program")), md5.Sum([]byte("settings"))
	files := []fixtures.File{
		{Name: "bin/dash", Body: "program"}, {Name: "etc/dash.conf", Body: "settings"},
		{Name: "var/lib/dpkg/status", Body: fmt.Sprintf("Package: dash\nStatus: install ok installed\nVersion: 1-2\nArchitecture: amd64\nConffiles:\n /etc/dash.conf %x\n", config)},
		{Name: "var/lib/dpkg/info/dash.list", Body: "/.\n/bin\n/bin/dash\n/etc\n/etc/dash.conf\n"},
		{Name: "var/lib/dpkg/info/dash.md5sums", Body: fmt.Sprintf("%x  bin/dash\n", body)},
	}
	table := packaged(t, files)
	for _, path := range []string{"bin/dash", "etc/dash.conf"} {
		if w, ok := table.Word(path); !ok || w.Kind != Packaged || w.By != "dash 1-2" {
			t.Errorf("%s: %+v", path, w)
		}
	}
}

// packaged is the table of an image of files, with what its package databases say.
func packaged(t *testing.T, files []fixtures.File) *Table {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(name, fixtures.Docker{Layers: [][]fixtures.File{files}}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(t.Context(), name, inspect.Options{Stores: fixtures.Stores(), Keep: ospackages.Keep, Weak: ospackages.Weak})
	if err != nil {
		t.Fatal(err)
	}
	table := New(img)
	table.Packages(ospackages.Read(img))
	return table
}
