package docker

import (
	"compress/gzip"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
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
				`etc instruction="COPY app /opt/app" kind="folder"`,
				`etc/cron.d/evil instruction="COPY app /opt/app" kind="file"`,
				`opt/.wh.gone instruction="COPY app /opt/app" kind="file"`,
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
			[]string{`srv/file instruction="WORKDIR /srv" kind="file"`},
		},
		"made by hand": {
			[][]fixtures.File{{{Name: "f", Body: "1"}}}, []fixtures.Step{{By: "/bin/bash", Comment: "my work"}}, check.Unknown,
			[]string{`f instruction="" kind="file"`},
		},
		"layers that nothing tells apart": {
			[][]fixtures.File{{{Name: "f", Body: "1"}}, {{Name: "g", Body: "1"}}}, []fixtures.Step{{By: "/bin/sh -c make"}}, check.Unknown,
			[]string{`f instruction="" kind="file"`, `g instruction="" kind="file"`},
		},
		"the root folder": {
			[][]fixtures.File{{{Name: "./"}}, {{Name: "./", Mode: 0o777}}}, []fixtures.Step{{By: "/bin/bash", Comment: "my work"}}, check.Unknown,
			[]string{`. instruction="" kind="folder"`},
		},
		"a name with spaces": {
			[][]fixtures.File{{{Name: "my files/a", Body: "1"}}}, []fixtures.Step{{By: "COPY a /my files # buildkit", Comment: kitSays}}, check.Unknown, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := recovered(t, open(t, fixtures.Docker{Layers: tc.layers, History: tc.history}.Archive())).Closure
			if c.Status != tc.status {
				t.Errorf("%s: %s", c.Status, c.Reasons)
			}
			if diff := cmp.Diff(tc.want, found(c, "closure/unexplained-file")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// rpmDatabase is that of an image with the package tiny.
func rpmDatabase(t *testing.T) string {
	t.Helper()
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
	return string(db)
}

// A file that the database has a digest of, and that is not those bytes, is not
// explained by its package.
func TestChangedPackageFile(t *testing.T) {
	files := []fixtures.File{
		{Name: "usr/share/tiny/readme", Body: "readme\n"}, {Name: "bin/tiny", Body: "another\n"}, {Name: "etc/tiny.conf", Body: "edited\n"},
		{Name: "var/lib/rpm/rpmdb.sqlite", Body: rpmDatabase(t)},
	}
	c := recovered(t, open(t, fixtures.Docker{Layers: [][]fixtures.File{files}, History: []fixtures.Step{{By: "COPY rpmdb.sqlite /var/lib/rpm/ # buildkit", Comment: kitSays}}}.Archive())).Closure
	want := []string{`bin/tiny digest="sha256:a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf" instruction="COPY rpmdb.sqlite /var/lib/rpm/" package="tiny" version="1:2.0-3"`}
	if diff := cmp.Diff(want, found(c, "closure/package-file-changed")); diff != "" {
		t.Error(diff)
	}
	var unexplained []string
	for _, f := range c.Findings {
		if f.Code == "closure/unexplained-file" {
			unexplained = append(unexplained, f.Path)
		}
	}
	if diff := cmp.Diff([]string{"bin/tiny", "etc/tiny.conf", "usr/share/tiny/readme"}, unexplained); diff != "" {
		t.Error(diff)
	}
}

func TestClosureListsAreBounded(t *testing.T) {
	var files []fixtures.File
	for range maxListed + 50 {
		files = append(files, fixtures.File{Name: "f" + string(rune('A'+len(files))), Body: "1"})
	}
	c := recovered(t, open(t, fixtures.Docker{Layers: [][]fixtures.File{files}, History: []fixtures.Step{{By: "COPY a /a # buildkit", Comment: kitSays}}}.Archive())).Closure
	if n := len(found(c, "closure/unexplained-file")); n != maxListed {
		t.Errorf("%d are listed", n)
	}
	if more := c.Findings[maxListed-1].Args.Int("more"); more != 50 {
		t.Errorf("the last one says that there are %d more", more)
	}
}

// A package file that was changed contradicts the image where only a COPY to
// another place made its layer, and is undecided where a RUN did, or a COPY that
// names it. Config files, and files that later layers replace, are none.
func TestChangedByWhom(t *testing.T) {
	install := []fixtures.File{
		{Name: "bin/tiny", Body: "tiny\n"}, {Name: "var/lib/dpkg/status", Body: dpkgStatus}, {Name: "var/lib/dpkg/info/tiny.list", Body: "/bin/tiny\n"},
		{Name: "var/lib/dpkg/info/tiny.md5sums", Body: fmt.Sprintf("%x  bin/tiny\n", md5.Sum([]byte("tiny\n")))},
	}
	changed := []fixtures.File{{Name: "bin/tiny", Body: "another\n"}}
	for by, want := range map[string]check.Status{
		"COPY . /app # buildkit":              check.Fail,
		"ADD a.tar /app # buildkit":           check.Fail,
		"COPY tiny /bin/tiny # buildkit":      check.Unknown,
		"COPY bin /bin # buildkit":            check.Unknown,
		"COPY . $DIR # buildkit":              check.Unknown,
		"RUN /bin/sh -c sed -i s/a/b/ /bin/x": check.Unknown,
		"/bin/bash":                           check.Unknown,
	} {
		c := recovered(t, open(t, fixtures.Docker{Layers: [][]fixtures.File{install, changed},
			History: []fixtures.Step{{By: "RUN /bin/sh -c apt-get install tiny", Comment: kitSays}, {By: by}}}.Archive())).Closure
		if c.Status != want || len(found(c, "closure/package-file-changed")) != 1 {
			t.Errorf("%s: %s %v", by, c.Status, c.Findings)
		}
	}
}

// The same with dpkg's MD5 sums and apk's SHA-1: a COPY to another place that
// overwrites a package's program breaks a claim; what agrees is counted as the
// image's own record.
func TestChangedAfterInstall(t *testing.T) {
	const evil = "evil"
	dpkg := []fixtures.File{
		{Name: "bin", Link: "usr/bin"}, {Name: "usr/bin/openssl", Body: "good"}, {Name: "etc/tiny.conf", Body: "conf"},
		{Name: "var/lib/dpkg/status", Body: dpkgStatus + "Conffiles:\n /etc/tiny.conf 3a8e4c06e471595f6eb262bb9b5582d9\n"},
		{Name: "var/lib/dpkg/info/tiny.list", Body: "/.\n/bin\n/bin/openssl\n/etc/tiny.conf\n"},
		{Name: "var/lib/dpkg/info/tiny.md5sums", Body: "755f85c2723bb39381c7379a604160d8  bin/openssl\n"},
	}
	apk := []fixtures.File{
		{Name: "usr/bin/openssl", Body: "good"},
		{Name: "lib/apk/db/installed", Body: "P:tiny\nV:1\nF:usr/bin\nR:openssl\nZ:Q1/BkxjdExKM4UNE0GZRCpgiacJBs=\n"},
	}
	distroless := []fixtures.File{
		{Name: "usr/bin/openssl", Body: "good"}, {Name: "var/lib/dpkg/status.d/tiny", Body: dpkgStatus},
		{Name: "var/lib/dpkg/status.d/tiny.md5sums", Body: "755f85c2723bb39381c7379a604160d8  usr/bin/openssl\n"},
	}
	slim := []fixtures.File{{Name: "usr/bin/openssl", Body: "good"}, {Name: "var/lib/dpkg/status", Body: dpkgStatus}}
	over := []fixtures.File{{Name: "app/x", Body: "1"}, {Name: "usr/bin/openssl", Body: evil}}
	for name, tc := range map[string]struct {
		base, top []fixtures.File
		by        string
		status    check.Status
		changed   int
	}{
		"dpkg, COPY":       {dpkg, over, "COPY . /app # buildkit", check.Fail, 1},
		"dpkg, usrmerge":   {dpkg, []fixtures.File{{Name: "bin/openssl", Body: evil}}, "COPY . /app # buildkit", check.Fail, 1},
		"dpkg, RUN":        {dpkg, over, "RUN /bin/sh -c make install # buildkit", check.Unknown, 1},
		"dpkg, conffile":   {dpkg, []fixtures.File{{Name: "etc/tiny.conf", Body: "edited"}}, "RUN /bin/sh -c sed -i s/a/b/ /etc/tiny.conf # buildkit", check.Unknown, 0},
		"dpkg, the same":   {dpkg, []fixtures.File{{Name: "usr/bin/openssl", Body: "good"}}, "COPY . /app # buildkit", check.Unknown, 0},
		"apk, COPY":        {apk, over, "COPY . /app # buildkit", check.Fail, 1},
		"distroless, COPY": {distroless, over, "COPY . /app # buildkit", check.Fail, 1},
		"slim, COPY":       {slim, over, "COPY . /app # buildkit", check.Unknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := recovered(t, open(t, fixtures.Docker{Layers: [][]fixtures.File{tc.base, tc.top},
				History: []fixtures.Step{{By: layer0}, {By: tc.by, Comment: kitSays}}}.Archive())).Closure
			if n := len(found(c, "closure/package-file-changed")); c.Status != tc.status || n != tc.changed {
				t.Errorf("%s, %d changed: %v", c.Status, n, c.Findings)
			}
		})
	}
}

// What an intruder would want stands first, though an instruction could have
// written it, unless a package owns it that the instruction can have installed.
func TestDangerousFilesStandFirst(t *testing.T) {
	const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
	files := []fixtures.File{
		{Name: "a", Body: "x"}, {Name: "usr/bin/su", Body: "x", Mode: 0o4755}, {Name: "z/sg", Body: "x", Mode: 0o2755},
		{Name: "root/id_rsa", Body: key}, {Name: "root/id_dsa", Body: "no key"}, {Name: "var/lib/dpkg/status", Body: dpkgStatus},
		{Name: "var/lib/dpkg/info/tiny.list", Body: "/usr/bin/tiny\n"}, {Name: "usr/bin/tiny", Body: "x", Mode: 0o4755},
	}
	for by, want := range map[string][]string{
		"RUN /bin/sh -c make # buildkit": {"root/id_rsa closure/private-key", "usr/bin/su closure/setuid-file", "z/sg closure/setgid-file"},
		"COPY . /elsewhere # buildkit":   {"root/id_rsa closure/private-key", "usr/bin/su closure/setuid-file", "usr/bin/tiny closure/setuid-file"},
	} {
		c := recovered(t, open(t, fixtures.Docker{Layers: [][]fixtures.File{files}, History: []fixtures.Step{{By: by}}}.Archive())).Closure
		var first []string
		for _, f := range c.Findings[:3] {
			first = append(first, f.Path+" "+f.Code)
		}
		if diff := cmp.Diff(want, first); diff != "" || c.Status != check.Unknown {
			t.Errorf("%s: %s %s", by, c.Status, diff)
		}
	}
}

// Rights that no container has, since a layer above removes the file or takes them away,
// are noted; what a container sees under another name is not removed, nor is a key.
func TestHiddenRights(t *testing.T) {
	su := fixtures.File{Name: "srv/a", Body: "x", Mode: 0o4755}
	for name, tc := range map[string]struct {
		below, top []fixtures.File
		want       string
	}{
		"removed":            {[]fixtures.File{su}, []fixtures.File{{Name: "srv/.wh.a"}}, "hidden-rights"},
		"folder removed":     {[]fixtures.File{su}, []fixtures.File{{Name: ".wh.srv"}}, "hidden-rights"},
		"taken away":         {[]fixtures.File{su}, []fixtures.File{{Name: "srv/a", Body: "x", Mode: 0o755}}, "hidden-rights"},
		"below other":        {[]fixtures.File{su}, []fixtures.File{{Name: "srv/b", Body: "x"}}, "setuid-file"},
		"under another name": {[]fixtures.File{su, {Name: "srv/b", Hard: "srv/a", Mode: 0o4755}}, []fixtures.File{{Name: "srv/.wh.a"}}, "setuid-file setuid-file"},
		"through a link":     {[]fixtures.File{{Name: "l", Link: "srv"}, {Name: "srv/"}, {Name: "l/a", Body: "x", Mode: 0o4755}}, nil, "setuid-file"},
		"a key": {[]fixtures.File{{Name: "srv/id_rsa", Body: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"}}, []fixtures.File{{Name: "srv/.wh.id_rsa"}},
			"private-key"},
	} {
		c := recovered(t, open(t, fixtures.Docker{
			Layers: [][]fixtures.File{tc.below, tc.top}, History: []fixtures.Step{{By: "RUN /bin/sh -c make # buildkit"}, {By: "RUN /bin/sh -c rm # buildkit"}},
		}.Archive())).Closure
		var got []string
		for _, f := range c.Findings {
			code := strings.TrimPrefix(f.Code, "closure/")
			if code == "explained-by-instruction" {
				continue
			}
			if got = append(got, code); (code == "hidden-rights") != (f.Level == check.Note) {
				t.Errorf("%s: %s is of level %s", name, code, f.Level)
			}
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// What is said of a setuid file is what packages and the history have to do with it:
// other bytes than were installed, a bit that was not, and who sets it.
func TestWhyRights(t *testing.T) {
	tiny := func(body string, mode int64) fixtures.File {
		return fixtures.File{Name: "bin/tiny", Body: body, Mode: mode}
	}
	install := func(f fixtures.File) []fixtures.File {
		return []fixtures.File{f, {Name: "var/lib/dpkg/status", Body: dpkgStatus}, {Name: "var/lib/dpkg/info/tiny.list", Body: "/bin/tiny\n"},
			{Name: "var/lib/dpkg/info/tiny.md5sums", Body: fmt.Sprintf("%x  bin/tiny\n", md5.Sum([]byte("good")))}}
	}
	const add, app = "ADD file:1 in / ", "bin/app"
	for name, tc := range map[string]struct {
		base, top []fixtures.File
		by, want  string
	}{
		"other bytes":     {install(tiny("evil", 0o4755)), nil, "RUN true", `bin/tiny instruction="ADD file:1 in /" kind="file" mode="4755" package="tiny" why="rights/changed"`},
		"by name":         {install(tiny("good", 0o755)), []fixtures.File{tiny("good", 0o4755)}, "RUN /bin/sh -c chmod u+s /bin/tiny && true # buildkit", `bin/tiny kind="file" mode="4755" package="tiny" sets="RUN chmod u+s /bin/tiny && true" why="rights/raised"`},
		"in octal":        {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "RUN /bin/sh -c cp x /bin/app; chmod -v 04755 /bin/x /bin/app # buildkit", `bin/app kind="file" mode="4755" sets="RUN cp x /bin/app; chmod -v 04755 /bin/x /bin/app" why="rights/recipe"`},
		"another file":    {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "RUN /bin/sh -c chmod u+s /bin/apples # buildkit", `bin/app instruction="RUN chmod u+s /bin/apples" kind="file" mode="4755" why="rights/recipe"`},
		"the bit removed": {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "RUN /bin/sh -c chmod u-s /bin/app # buildkit", `bin/app instruction="RUN chmod u-s /bin/app" kind="file" mode="4755" why="rights/recipe"`},
		"copied with it":  {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "COPY --chmod=4755 app /bin/app # buildkit", `bin/app kind="file" mode="4755" sets="COPY --chmod=4755 app /bin/app" why="rights/recipe"`},
		"added with it":   {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "ADD --chown=0:0 --chmod=u=rwx,u+s app /bin/ # buildkit", `bin/app kind="file" mode="4755" sets="ADD --chown=0:0 --chmod=u=rwx,u+s app /bin/" why="rights/recipe"`},
		"copied without":  {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "COPY --chmod=0755 app /bin/app # buildkit", `bin/app instruction="COPY --chmod=0755 app /bin/app" kind="file" mode="4755" why="rights/recipe"`},
		"exec form":       {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, `RUN ["chmod", "u+s", "/bin/app"]`, `bin/app kind="file" mode="4755" sets="RUN [\"chmod\", \"u+s\", \"/bin/app\"]" why="rights/recipe"`},
		"installed":       {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "RUN /bin/sh -c install -m 4755 app /bin/app # buildkit", `bin/app kind="file" mode="4755" sets="RUN install -m 4755 app /bin/app" why="rights/recipe"`},
		"into a folder":   {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "RUN /bin/sh -c install -o root -Dm4755 build/app b /bin/ # buildkit", `bin/app kind="file" mode="4755" sets="RUN install -o root -Dm4755 build/app b /bin/" why="rights/recipe"`},
		"with the folder": {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "RUN /bin/sh -c chmod -R u=rwxs,g=rx /bin # buildkit", `bin/app kind="file" mode="4755" sets="RUN chmod -R u=rwxs,g=rx /bin" why="rights/recipe"`},
		"the folder":      {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "RUN /bin/sh -c chmod u+s /bin # buildkit", `bin/app instruction="RUN chmod u+s /bin" kind="file" mode="4755" why="rights/recipe"`},
		"elsewhere":       {nil, []fixtures.File{{Name: app, Body: "x", Mode: 0o4755}}, "COPY app /srv # buildkit", `bin/app instruction="COPY app /srv" kind="file" mode="4755" why="rights/nobodys"`},
	} {
		c := recovered(t, open(t, fixtures.Docker{
			Layers: [][]fixtures.File{tc.base, tc.top}, History: []fixtures.Step{{By: add}, {By: tc.by}},
		}.Archive())).Closure
		if diff := cmp.Diff([]string{tc.want}, found(c, "closure/setuid-file")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What is said to be explained is neither what lends rights that nobody gives it nor what
// has other bytes than its package.
func TestExplainedCount(t *testing.T) {
	database := []fixtures.File{{Name: "var/lib/dpkg/status", Body: dpkgStatus}, {Name: "var/lib/dpkg/info/tiny.list", Body: "/bin/tiny\n"},
		{Name: "var/lib/dpkg/info/tiny.md5sums", Body: fmt.Sprintf("%x  bin/tiny\n", md5.Sum([]byte("good")))}}
	tiny := func(body string, mode int64) fixtures.File {
		return fixtures.File{Name: "bin/tiny", Body: body, Mode: mode}
	}
	for name, tc := range map[string]struct {
		base, top []fixtures.File
		want      int64 // explained of all entries
		of        int64
	}{
		"all":         {append(database, tiny("good", 0o755)), nil, 4, 4},
		"a new bit":   {append(database, tiny("good", 0o755)), []fixtures.File{tiny("good", 0o4755)}, 4, 5},
		"other bytes": {append(database, tiny("evil", 0o755)), nil, 3, 4},
		"nobody's":    {nil, []fixtures.File{{Name: "bin/su", Body: "x", Mode: 0o4755}, {Name: "bin/sh", Body: "x"}}, 1, 2},
		"hidden":      {[]fixtures.File{{Name: "bin/su", Body: "x", Mode: 0o4755}}, []fixtures.File{{Name: "bin/.wh.su"}}, 2, 2},
	} {
		c := recovered(t, open(t, fixtures.Docker{
			Layers: [][]fixtures.File{tc.base, tc.top}, History: []fixtures.Step{{By: "ADD file:1 in / "}, {By: "RUN /bin/sh -c make # buildkit"}},
		}.Archive())).Closure
		last := c.Reasons[len(c.Reasons)-1]
		if got, of := last.Args.Int("explained"), last.Args.Int("entries"); got != tc.want || of != tc.of {
			t.Errorf("%s: %d of %d, want %d of %d", name, got, of, tc.want, tc.of)
		}
	}
}

// A record that the same COPY replaced is no origin: what it wrote beside its
// destination is not explained.
func TestForgedRecord(t *testing.T) {
	record := func(body string) fixtures.File {
		return fixtures.File{Name: "var/lib/dpkg/info/tiny.md5sums", Body: fmt.Sprintf("%x  bin/tiny\n", md5.Sum([]byte(body)))}
	}
	install := []fixtures.File{{Name: "bin/tiny", Body: "tiny\n"}, {Name: "var/lib/dpkg/status", Body: dpkgStatus},
		{Name: "var/lib/dpkg/info/tiny.list", Body: "/bin/tiny\n"}, record("tiny\n")}
	c := recovered(t, open(t, fixtures.Docker{
		Layers:  [][]fixtures.File{install, {{Name: "bin/tiny", Body: "evil\n"}, record("evil\n")}},
		History: []fixtures.Step{{By: "RUN /bin/sh -c apt-get install tiny # buildkit"}, {By: "COPY . /app # buildkit"}},
	}.Archive())).Closure
	var paths []string
	for _, f := range c.Findings {
		if f.Code == "closure/unexplained-file" && f.Layer == 1 {
			paths = append(paths, f.Path)
		}
	}
	if diff := cmp.Diff([]string{"bin/tiny", "var/lib/dpkg/info/tiny.md5sums"}, paths); diff != "" || c.Status == check.Pass {
		t.Errorf("%s %s %v", c.Status, diff, c.Findings)
	}
}

// A file of a package that a later layer gives the rights of its owner stands
// first: its package has installed it without.
func TestLaterSetuid(t *testing.T) {
	tiny := func(mode int64) fixtures.File { return fixtures.File{Name: "bin/tiny", Body: "x", Mode: mode} }
	database := []fixtures.File{{Name: "var/lib/dpkg/status", Body: dpkgStatus}, {Name: "var/lib/dpkg/info/tiny.list", Body: "/bin/tiny\n"}}
	for name, tc := range map[string]struct {
		was, now int64
		want     int
	}{"made so later": {0o755, 0o4755, 1}, "installed so": {0o4755, 0o4755, 0}, "never": {0o755, 0o700, 0}} {
		c := recovered(t, open(t, fixtures.Docker{
			Layers:  [][]fixtures.File{append(database, tiny(tc.was)), {tiny(tc.now)}},
			History: []fixtures.Step{{By: "RUN /bin/sh -c apt-get install tiny # buildkit"}, {By: "RUN /bin/sh -c chmod 4755 /bin/tiny # buildkit"}},
		}.Archive())).Closure
		if got := found(c, "closure/setuid-file"); len(got) != tc.want || tc.want > 0 && (c.Status != check.Unknown || c.Findings[0].Code != "closure/setuid-file") {
			t.Errorf("%s: %s %q", name, c.Status, got)
		}
	}
}

// A file of a package is held against the record that was in force when its package
// was installed: what the layer that replaces it brings beside it is none, wherever
// the bytes are. A COPY elsewhere contradicts the image; a COPY of a whole root that
// replaces the record of the same version is undecided; a RUN may do all this.
func TestRecordsInForce(t *testing.T) {
	const elsewhere, root, run = "COPY . /app # buildkit", "COPY rootfs/ / # buildkit", "RUN /bin/sh -c make # buildkit"
	status := func(version string) fixtures.File {
		return fixtures.File{Name: "var/lib/dpkg/status", Body: "Package: tiny\nStatus: install ok installed\nVersion: " + version + "\nArchitecture: amd64\n"}
	}
	sums := func(body string) fixtures.File {
		return fixtures.File{Name: "var/lib/dpkg/info/tiny.md5sums", Body: fmt.Sprintf("%x  usr/bin/tiny\n", md5.Sum([]byte(body)))}
	}
	apk := func(version, body string) fixtures.File {
		sum := sha1.Sum([]byte(body))
		return fixtures.File{Name: "lib/apk/db/installed", Body: "P:tiny\nV:" + version + "\nF:usr/bin\nR:tiny\nZ:Q1" + base64.StdEncoding.EncodeToString(sum[:]) + "\n"}
	}
	program := func(body string) fixtures.File { return fixtures.File{Name: "usr/bin/tiny", Body: body, Mode: 0o755} }
	list := fixtures.File{Name: "var/lib/dpkg/info/tiny.list", Body: "/.\n/usr\n/usr/bin\n/usr/bin/tiny\n"}
	debian := []fixtures.File{{Name: "usr/bin/"}, program("good"), status("1"), list, sums("good")}
	alpine := []fixtures.File{{Name: "usr/bin/"}, program("good"), apk("1", "good")}
	diverted := fixtures.File{Name: "var/lib/dpkg/diversions", Body: "/usr/bin/tiny\n/usr/bin/tiny.real\nlocal\n"}
	none := []fixtures.File(nil)
	const fail, unknown, pass = check.Fail, check.Unknown, check.Pass
	for name, tc := range map[string]struct {
		base, top []fixtures.File
		by        string
		status    check.Status
		want      string // codes of findings about packages, with their paths
	}{
		"own record": {debian, []fixtures.File{program("evil"), sums("evil")}, elsewhere, fail,
			"package-file-changed usr/bin/tiny, package-record-changed var/lib/dpkg/info/tiny.md5sums"},
		"empty record": {debian, []fixtures.File{program("evil"), {Name: "var/lib/dpkg/info/tiny.md5sums"}}, elsewhere, fail,
			"package-file-changed usr/bin/tiny, package-record-changed var/lib/dpkg/info/tiny.md5sums"},
		"hidden record": {debian, []fixtures.File{program("evil"), {Name: "var/lib/dpkg/info/.wh.tiny.md5sums"}}, elsewhere, fail,
			"package-file-changed usr/bin/tiny, package-record-changed var/lib/dpkg/info/.wh.tiny.md5sums"},
		"hidden database": {debian, []fixtures.File{program("evil"), {Name: "var/lib/.wh.dpkg"}}, elsewhere, fail,
			"package-file-changed usr/bin/tiny, package-record-changed var/lib/.wh.dpkg"},
		"a link in place of the database": {debian, []fixtures.File{status("1"), {Name: "var/lib/dpkg", Link: "/app/dpkg"}}, elsewhere, fail,
			"package-record-changed var/lib/dpkg, package-record-changed var/lib/dpkg/status"},
		"a record through a link": {debian, []fixtures.File{{Name: "app/l", Link: "/var/lib/dpkg/info"}, {Name: "app/l/tiny.md5sums", Body: sums("evil").Body}, program("evil")}, elsewhere, fail,
			"package-file-changed usr/bin/tiny, package-record-changed app/l/tiny.md5sums"},
		"own diversion": {debian, []fixtures.File{program("evil"), {Name: "usr/bin/tiny.real", Body: "good"}, diverted}, elsewhere, fail,
			"package-file-changed usr/bin/tiny, package-record-changed var/lib/dpkg/diversions"},
		"empty list": {debian, []fixtures.File{program("evil"), {Name: list.Name, Body: "/.\n"}}, elsewhere, fail,
			"package-file-changed usr/bin/tiny, package-record-changed var/lib/dpkg/info/tiny.list"},
		"a hard link": {debian, []fixtures.File{{Name: "app/x", Body: "evil", Mode: 0o755}, {Name: "usr/bin/tiny", Hard: "app/x", Mode: 0o755}}, elsewhere, fail,
			"package-file-changed usr/bin/tiny"},
		"a hard link to what a name was": {debian, []fixtures.File{{Name: "opt/x", Body: "evil"}, {Name: "usr/bin/tiny", Hard: "opt/x"}, {Name: "opt/x", Body: "good"}}, elsewhere, fail,
			"package-file-changed usr/bin/tiny"},
		"a folder that is a link": {debian, []fixtures.File{{Name: "app/tiny", Body: "evil"}, {Name: "usr/bin", Link: "/app"}}, elsewhere, fail,
			"package-file-changed app/tiny, package-folder-replaced usr/bin"},
		"through a link": {debian, []fixtures.File{{Name: "app/l", Link: "/usr/bin"}, {Name: "app/l/tiny", Body: "evil"}}, elsewhere, fail,
			"package-file-changed app/l/tiny"},
		"apk, own record": {alpine, []fixtures.File{program("evil"), apk("1", "evil")}, elsewhere, fail,
			"package-file-changed usr/bin/tiny, package-record-changed lib/apk/db/installed"},

		"whole root, own record":    {debian, []fixtures.File{program("evil"), sums("evil")}, root, unknown, "package-record-replaced usr/bin/tiny"},
		"whole root, empty record":  {debian, []fixtures.File{program("evil"), {Name: "var/lib/dpkg/info/tiny.md5sums"}}, root, unknown, "package-record-replaced usr/bin/tiny"},
		"whole root, hidden record": {debian, []fixtures.File{program("evil"), {Name: "var/lib/dpkg/info/.wh.tiny.md5sums"}}, root, unknown, "package-record-replaced usr/bin/tiny"},
		"whole root, own diversion": {debian, []fixtures.File{program("evil"), {Name: "usr/bin/tiny.real", Body: "good"}, diverted}, root, unknown, "package-record-replaced usr/bin/tiny"},
		"whole root, apk":           {alpine, []fixtures.File{program("evil"), apk("1", "evil")}, root, unknown, "package-record-replaced usr/bin/tiny"},
		"whole root, the same":      {debian, debian, root, pass, ""},
		"whole root, later version": {debian, []fixtures.File{program("better"), status("2"), list, sums("better")}, root, pass, ""},
		"whole root, into nothing":  {none, debian, root, pass, ""},
		"whole root, disagreeing":   {none, []fixtures.File{program("evil"), status("1"), list, sums("good")}, root, unknown, "package-file-changed usr/bin/tiny"},

		"RUN, own record":     {debian, []fixtures.File{program("evil"), sums("evil")}, run, unknown, "package-record-replaced usr/bin/tiny"},
		"RUN, upgrade":        {debian, []fixtures.File{program("better"), status("2"), sums("better")}, run, pass, ""},
		"RUN, apk upgrade":    {alpine, []fixtures.File{program("better"), apk("2", "better")}, run, pass, ""},
		"RUN, removed info":   {debian, []fixtures.File{{Name: "var/lib/dpkg/.wh.info"}}, run, unknown, ""},
		"RUN, diversion":      {debian, []fixtures.File{{Name: "usr/bin/tiny.real", Body: "good"}, diverted}, run, unknown, ""},
		"a file of one's own": {debian, []fixtures.File{{Name: "app/tiny", Body: "x"}}, elsewhere, unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			img := open(t, fixtures.Docker{Layers: [][]fixtures.File{tc.base, tc.top}, History: []fixtures.Step{{By: layer0}, {By: tc.by, Comment: kitSays}}}.Archive())
			if err := inspect.Complete(t.Context(), img, ospackages.Wanted(img), inspect.Options{}); err != nil {
				t.Fatal(err)
			}
			c := recovered(t, img).Closure
			var all []string
			for _, f := range c.Findings {
				if code, ok := strings.CutPrefix(f.Code, "closure/package-"); ok || f.Code == "closure/digest-not-taken" {
					all = append(all, "package-"+code+" "+f.Path)
				}
			}
			slices.Sort(all)
			if got := strings.Join(all, ", "); c.Status != tc.status || got != tc.want {
				t.Errorf("%s, want %s\n got %s\nwant %s\n%v", c.Status, tc.status, got, tc.want, c.Findings)
			}
		})
	}
}

// Where a database should be, and a link that leads nowhere or a folder is, that is
// reported of an image without a history too.
func TestNoDatabase(t *testing.T) {
	for name, f := range map[string]fixtures.File{
		"packages/dangling-link": {Name: dpkgStatusPath, Link: "/nowhere"}, "packages/no-file": {Name: dpkgStatusPath + "/"},
	} {
		img := open(t, fixtures.Docker{Layers: [][]fixtures.File{{{Name: "etc/os-release", Body: "ID=debian\n"}, f}}}.Archive())
		if c := recovered(t, img).Closure; c.Status != check.Unknown || len(found(c, name)) != 1 {
			t.Errorf("%s: %s %v", name, c.Status, c.Findings)
		}
	}
	loop := []fixtures.File{{Name: "etc/os-release", Body: "ID=debian\n"}, {Name: dpkgStatusPath, Link: "status"}}
	if c := recovered(t, open(t, fixtures.Docker{Layers: [][]fixtures.File{loop}}.Archive())).Closure; len(found(c, "packages/dangling-link")) != 1 {
		t.Errorf("a loop: %s %v", c.Status, c.Findings)
	}
}

const dpkgStatusPath = "var/lib/dpkg/status"

// What signed packages explain the closure explains too, but for rights that nothing
// gives; where a rule says nothing of the content, that is undecided.
func TestClosureTakesWords(t *testing.T) {
	layer := []fixtures.File{
		{Name: "dev/"}, {Name: "dev/null", Device: [2]int64{1, 3}, Mode: 0o666}, {Name: "dev/mem", Device: [2]int64{1, 1}},
		{Name: "etc/made", Body: "x"}, {Name: "etc/raised", Body: "y", Mode: 0o4755}, {Name: "lib/a.pyc", Body: "z"}, {Name: "own", Body: "w"},
		{Name: "wide/", Mode: 0o777}, {Name: "wide/made", Body: "v"}, {Name: "empty/"},
		{Name: "var/lib/dpkg/status", Body: dpkgStatus},
	}
	img := open(t, fixtures.Docker{Layers: [][]fixtures.File{layer}}.Archive())
	ev, err := System{}.Recover(img, nil)
	if err != nil {
		t.Fatal(err)
	}
	table := vouch.New(img)
	for path, w := range map[string]vouch.Word{
		"dev/null": {Kind: vouch.Made, Rule: "device"}, "etc/made": {Kind: vouch.Made, Rule: "link"}, "etc/raised": {Kind: vouch.Made, Rule: "copy"},
		"lib/a.pyc": {Kind: vouch.Instruction, Rule: "pyc-header"}, "wide/made": {Kind: vouch.Signed}, "own": {Kind: vouch.Instruction},
	} {
		if !table.Vouch(path, w) {
			t.Fatal(path)
		}
	}
	var got []string
	for _, f := range ev.Close(table.Entries()).Findings {
		got = append(got, f.Code+" "+f.Path)
	}
	want := []string{"closure/device dev/mem", "closure/setuid-file etc/raised", "closure/explained-by-rule ", "closure/unexplained-file empty", "closure/unexplained-file own", "closure/unexplained-file wide"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
