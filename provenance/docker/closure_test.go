package docker

import (
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect/check"
)

const dpkgStatus = "Package: tiny\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"

func TestClosure(t *testing.T) {
	for name, tc := range map[string]struct {
		layers  [][]fixtures.File
		history []fixtures.Step
		status  check.Status
		want    []string // unexplained, with the path
	}{
		"packages and instructions": {
			[][]fixtures.File{
				{{Name: "bin", Link: "usr/bin"}, {Name: "usr/bin/tiny", Body: "x"}, {Name: "var/lib/dpkg/status", Body: dpkgStatus}, {Name: "var/lib/dpkg/info/tiny.list", Body: "/bin\n/bin/tiny\n"}},
				{{Name: "opt/"}, {Name: "opt/app", Body: "y"}},
			},
			[]fixtures.Step{{By: layer0}, {By: "COPY app /opt/ # buildkit", Comment: kitSays}}, check.Unknown, nil,
		},
		"packages alone": {
			[][]fixtures.File{{{Name: "bin", Link: "usr/bin"}, {Name: "usr/bin/tiny", Body: "x"}, {Name: "var/lib/dpkg/status", Body: dpkgStatus}, {Name: "var/lib/dpkg/info/tiny.list", Body: "/bin\n/bin/tiny\n"}}},
			[]fixtures.Step{{By: layer0}}, check.Pass, nil,
		},
		"a file beside the destination": {
			[][]fixtures.File{{{Name: "opt/"}, {Name: "opt/app", Body: "y"}, {Name: "etc/"}, {Name: "etc/cron.d/evil", Body: "z"}, {Name: "opt/.wh.gone"}}},
			[]fixtures.Step{{By: "COPY app /opt/app # buildkit", Comment: kitSays}}, check.Unknown,
			[]string{
				"etc no package owns it, and the instruction that made its layer does not write there: COPY app /opt/app",
				"etc/cron.d/evil no package owns it, and the instruction that made its layer does not write there: COPY app /opt/app",
				"opt/.wh.gone no package owns it, and the instruction that made its layer does not write there: COPY app /opt/app",
			},
		},
		"a destination behind a link": {
			[][]fixtures.File{{{Name: "usr/bin/"}, {Name: "bin", Link: "usr/bin"}}, {{Name: "usr/bin/app", Body: "y"}}},
			[]fixtures.Step{{By: layer0}, {By: "/bin/sh -c #(nop) COPY file:1 in /bin/app "}}, check.Unknown, nil,
		},
		"relative to the working directory": {
			[][]fixtures.File{{{Name: "srv/"}, {Name: "srv/app/"}}, {{Name: "srv/app/x/y", Body: "1"}}},
			[]fixtures.Step{{By: "WORKDIR /srv", Comment: kitSays, Empty: true}, {By: "WORKDIR app", Comment: kitSays}, {By: "COPY --chown=1:1 . x # buildkit", Comment: kitSays}}, check.Unknown, nil,
		},
		"a working directory makes folders only": {
			[][]fixtures.File{{{Name: "srv/"}, {Name: "srv/file", Body: "1"}}},
			[]fixtures.Step{{By: "WORKDIR /srv", Comment: kitSays}}, check.Unknown,
			[]string{"srv/file no package owns it, and the instruction that made its layer does not write there: WORKDIR /srv"},
		},
		"made by hand": {
			[][]fixtures.File{{{Name: "f", Body: "1"}}}, []fixtures.Step{{By: "/bin/bash", Comment: "my work"}}, check.Unknown,
			[]string{"f no package owns it, and the history does not say how its layer was made"},
		},
		"layers that nothing tells apart": {
			[][]fixtures.File{{{Name: "f", Body: "1"}}, {{Name: "g", Body: "1"}}}, []fixtures.Step{{By: "/bin/sh -c make"}}, check.Unknown,
			[]string{"f no package owns it, and which instruction made its layer is not known", "g no package owns it, and which instruction made its layer is not known"},
		},
		"a name with spaces": {
			[][]fixtures.File{{{Name: "my files/a", Body: "1"}}}, []fixtures.Step{{By: "COPY a /my files # buildkit", Comment: kitSays}}, check.Unknown, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := recovered(t, open(t, fixtures.Docker{Layers: tc.layers, History: tc.history}.Archive())).Closure
			if c.Status != tc.status {
				t.Errorf("%s: %s", c.Status, c.Summary)
			}
			if diff := cmp.Diff(tc.want, rules(c, "unexplained-file")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A file that the database has a digest of, and that is not those bytes, is not
// explained by its package.
func TestChangedPackageFile(t *testing.T) {
	z, err := os.Open("../ospackages/testdata/rpmdb.sqlite.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	r, err := gzip.NewReader(z)
	if err != nil {
		t.Fatal(err)
	}
	db, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	files := []fixtures.File{
		{Name: "usr/share/tiny/readme", Body: "readme\n"}, {Name: "bin/tiny", Body: "another\n"}, {Name: "etc/tiny.conf", Body: "edited\n"},
		{Name: "var/lib/rpm/rpmdb.sqlite", Body: string(db)},
	}
	c := recovered(t, open(t, fixtures.Docker{Layers: [][]fixtures.File{files}, History: []fixtures.Step{{By: "COPY rpmdb.sqlite /var/lib/rpm/ # buildkit", Comment: kitSays}}}.Archive())).Closure
	want := []string{"bin/tiny its bytes are not those that package tiny 1:2.0-3 installed (sha256:a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf is noted)"}
	if diff := cmp.Diff(want, rules(c, "package-file-changed")); diff != "" {
		t.Error(diff)
	}
	var unexplained []string
	for _, f := range c.Findings {
		if f.Rule == "unexplained-file" {
			unexplained = append(unexplained, f.Path)
		}
	}
	if diff := cmp.Diff([]string{"bin/tiny", "etc/tiny.conf"}, unexplained); diff != "" {
		t.Error(diff)
	}
}

func TestClosureListsAreBounded(t *testing.T) {
	var files []fixtures.File
	for range maxListed + 50 {
		files = append(files, fixtures.File{Name: "f" + string(rune('A'+len(files))), Body: "1"})
	}
	c := recovered(t, open(t, fixtures.Docker{Layers: [][]fixtures.File{files}, History: []fixtures.Step{{By: "COPY a /a # buildkit", Comment: kitSays}}}.Archive())).Closure
	if n := len(rules(c, "unexplained-file")); n != maxListed {
		t.Errorf("%d are listed", n)
	}
	if diff := cmp.Diff([]string{"50 more entries are explained by nothing"}, rules(c, "unexplained-files")); diff != "" {
		t.Error(diff)
	}
}
