package ospackages

import (
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
)

const (
	tinyStatus = "Package: tiny\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
	apkOther   = "P:other\nV:2-r0\nA:x86_64\n"
)

// names lists the packages that were found.
func names(in *Installed) []string {
	var list []string
	for _, p := range in.Packages {
		list = append(list, p.Name)
	}
	return list
}

// A database is found through any kind of link; where its content is not there to
// be read, that is said.
func TestDatabasesBehindLinks(t *testing.T) {
	rpm := string(unzip(t, "rpmdb.sqlite.gz"))
	for name, tc := range map[string]struct {
		layers   [][]fixtures.File
		packages []string
		problems []string
	}{
		"a folder that is a link": {
			[][]fixtures.File{{{Name: "srv/dpkg/status", Body: tinyStatus}, {Name: "srv/dpkg/info/tiny.list", Body: "/usr/bin/tiny\n"}, {Name: "var/lib/dpkg", Link: "/srv/dpkg"}}},
			[]string{"tiny"}, nil,
		},
		"links above the folder": {
			[][]fixtures.File{{{Name: "data/lib/dpkg/status", Body: tinyStatus}, {Name: "var", Link: "data"}}},
			[]string{"tiny"}, nil,
		},
		"written through a link": {
			[][]fixtures.File{{{Name: "srv/dpkg/"}, {Name: "var/lib/dpkg", Link: "../../srv/dpkg"}, {Name: "var/lib/dpkg/status", Body: tinyStatus}}},
			[]string{"tiny"}, nil,
		},
		"written through a link of a lower layer": {
			[][]fixtures.File{{{Name: "srv/dpkg/"}, {Name: "var/lib/dpkg", Link: "../../srv/dpkg"}}, {{Name: "var/lib/dpkg/status", Body: tinyStatus}}},
			[]string{"tiny"}, nil,
		},
		"a symlink to a file of the same kind": {
			[][]fixtures.File{{{Name: "srv/dpkg/status", Body: tinyStatus}, {Name: "var/lib/dpkg/status", Link: "/srv/dpkg/status"}}},
			[]string{"tiny"}, nil,
		},
		"a hard link whose target is deleted": {
			[][]fixtures.File{{{Name: "srv/dpkg/status", Body: tinyStatus}, {Name: "var/lib/dpkg/status", Hard: "srv/dpkg/status"}}, {{Name: "srv/.wh.dpkg"}}},
			[]string{"tiny"}, nil,
		},
		"a hard link whose target is replaced": {
			[][]fixtures.File{{{Name: "srv/dpkg/status", Body: tinyStatus}, {Name: "var/lib/dpkg/status", Hard: "srv/dpkg/status"}}, {{Name: "srv/dpkg/status", Body: "Package: other\n"}}},
			[]string{"tiny"}, nil,
		},
		"a symlink to a file of another name": {
			[][]fixtures.File{{{Name: "srv/x", Body: tinyStatus}, {Name: "var/lib/dpkg/status", Link: "/srv/x"}}},
			[]string{"tiny"}, nil,
		},
		"a hard link to a file of another name": {
			[][]fixtures.File{{{Name: "srv/x", Body: tinyStatus}, {Name: "var/lib/dpkg/status", Hard: "srv/x"}}},
			[]string{"tiny"}, nil,
		},
		"a hard link whose target of another name is replaced": {
			[][]fixtures.File{{{Name: "opt/x", Body: tinyStatus}, {Name: "var/lib/dpkg/status", Hard: "opt/x"}}, {{Name: "opt/x", Body: "other"}}},
			[]string{"tiny"}, nil,
		},
		"a hard link to a file of a lower layer": {
			[][]fixtures.File{{{Name: "opt/x", Body: tinyStatus}}, {{Name: "var/lib/dpkg/status", Hard: "opt/x"}, {Name: "opt/.wh.y"}}, {{Name: "opt/.wh.x"}}},
			[]string{"tiny"}, nil,
		},
		"rpm's in the objects of OSTree": {
			[][]fixtures.File{{{Name: "sysroot/ostree/repo/objects/a2/bb.file", Body: rpm}, {Name: "usr/share/rpm/rpmdb.sqlite", Hard: "sysroot/ostree/repo/objects/a2/bb.file"}}},
			[]string{"other", "tiny"}, nil,
		},
		"a symlink that leads nowhere": {
			[][]fixtures.File{{{Name: "var/lib/dpkg/status", Link: "status"}}},
			nil, []string{`var/lib/dpkg/status packages/dangling-link target="status"`},
		},
		"a folder in its place": {
			[][]fixtures.File{{{Name: "var/lib/dpkg/status/"}}}, nil, []string{"var/lib/dpkg/status packages/no-file"},
		},
		"a lower layer's that is replaced": {
			[][]fixtures.File{{{Name: "var/lib/dpkg/status", Body: "Package: old\nStatus: install ok installed\nVersion: 1\n"}}, {{Name: "var/lib/dpkg/status", Body: tinyStatus}}},
			[]string{"tiny"}, nil,
		},
		"a lower layer's that is deleted": {
			[][]fixtures.File{{{Name: "var/lib/dpkg/status", Body: tinyStatus}}, {{Name: "var/lib/.wh.dpkg"}}}, nil, nil,
		},
		"apk's by both of its paths": {
			[][]fixtures.File{{{Name: "usr/lib/apk/db/installed", Body: apkOther}, {Name: "lib", Link: "usr/lib"}}},
			[]string{"other"}, nil,
		},
		"apk's by a hard link": {
			[][]fixtures.File{{{Name: "usr/lib/apk/db/installed", Body: apkOther}, {Name: "lib/apk/db/installed", Hard: "usr/lib/apk/db/installed"}}},
			[]string{"other"}, nil,
		},
		"rpm's by the link that distributions have": {
			[][]fixtures.File{{{Name: "usr/lib/sysimage/rpm/rpmdb.sqlite", Body: rpm}, {Name: "var/lib/rpm", Link: "../../usr/lib/sysimage/rpm"}}},
			[]string{"other", "tiny"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			img := open(t, tc.layers...)
			if err := inspect.Complete(t.Context(), img, Wanted(img), inspect.Options{}); err != nil {
				t.Fatal(err)
			}
			in := Read(img)
			if got := names(in); !slices.Equal(got, tc.packages) {
				t.Errorf("packages %q, want %q", got, tc.packages)
			}
			var problems []string
			for _, p := range in.Problems {
				problems = append(problems, p.Path+" "+p.Message.String())
			}
			if !slices.Equal(problems, tc.problems) {
				t.Errorf("problems %q, want %q", problems, tc.problems)
			}
		})
	}
}

// Without a second look what has another name is said not to have been read.
func TestDatabaseOfAnotherName(t *testing.T) {
	in := Read(open(t, []fixtures.File{{Name: "srv/x", Body: tinyStatus}, {Name: "var/lib/dpkg/status", Link: "/srv/x"}}))
	if len(in.Packages) > 0 || len(in.Problems) != 1 || in.Problems[0].Code != "packages/content-not-kept" {
		t.Errorf("packages %q, problems %v", names(in), in.Problems)
	}
}

// A package's files, too, are found where a link leads the database elsewhere.
func TestFilesBehindLinks(t *testing.T) {
	in := Read(open(t, []fixtures.File{
		{Name: "srv/dpkg/status", Body: tinyStatus}, {Name: "srv/dpkg/info/tiny.list", Body: "/usr/bin/tiny\n"}, {Name: "var/lib/dpkg", Link: "/srv/dpkg"},
		{Name: "srv/dpkg/info/tiny.md5sums", Body: md5Of("x") + "  usr/bin/tiny\n"}, {Name: "usr/bin/tiny", Body: "y"},
	}))
	if got := owners(in, "usr/bin/tiny"); got[0] != "usr/bin/tiny: tiny 1" {
		t.Error(got)
	}
	if got := standings(in); got != "0 usr/bin/tiny changed tiny" {
		t.Error(got)
	}
	for _, p := range []string{"srv/dpkg/status", "var/lib/dpkg/info/tiny.postinst", "srv/dpkg/alternatives/awk"} {
		if !in.State(p) {
			t.Errorf("%s is nobody's", p)
		}
	}
	if strings.Contains(strings.Join(names(in), " "), "other") {
		t.Error("a package is invented")
	}
}
