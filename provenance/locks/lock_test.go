package locks

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/provenance/ospackages"
	"audit/provenance/records"
)

// sourceOf reads an image whose one layer has these files.
func sourceOf(t testing.TB, files ...fixtures.File) Source {
	t.Helper()
	p := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(p, fixtures.Docker{Layers: [][]fixtures.File{files}}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	opt := inspect.Options{Weak: ospackages.Weak, Keep: func(p string) bool { return Keep(p) || ospackages.Keep(p) || records.Keep(p) }}
	img, err := inspect.Open(t.Context(), p, opt)
	if err != nil {
		t.Fatal(err)
	}
	return Source{Image: img, Installed: ospackages.Read(img), Records: records.Read(img)}
}

func TestRpmLock(t *testing.T) {
	packed, err := os.ReadFile("../ospackages/testdata/rpmdb.sqlite.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	database, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	locks := rpmLock(sourceOf(t, fixtures.File{Name: "var/lib/rpm/rpmdb.sqlite", Body: string(database)}))
	if len(locks) != 1 || locks[0].Entries == 0 {
		t.Fatal(locks)
	}
	nevra := regexp.MustCompile(`^[A-Za-z0-9._+-]+-[0-9]+:[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+\.[a-z0-9_]+$`)
	for line := range strings.Lines(string(locks[0].File.Text)) {
		if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "# ") && !nevra.MatchString(line) {
			t.Errorf("%q", line)
		}
	}
}

// What the archive is known by, in both forms of apt's sources and where the image still
// has apt's lists.
func TestArchive(t *testing.T) {
	for name, tc := range map[string]struct {
		files   []fixtures.File
		sources string
		time    string
		from    string
	}{
		"one line": {[]fixtures.File{{Name: "etc/apt/sources.list", Body: "deb [arch=amd64 signed-by=/x] http://deb.debian.org/debian bookworm main contrib # comment\ndeb-src http://x y z\n#deb http://off x main\n"}},
			"http://deb.debian.org/debian bookworm main,contrib", "", ""},
		"of what is commented alone": {[]fixtures.File{{Name: "etc/apt/sources.list.d/a.sources", Body: "Enabled: no\nTypes: deb\nURIs: http://x/y\nSuites: a\nComponents: main\n"}}, "", "", ""},
		"a shell in it":              {[]fixtures.File{{Name: "etc/apt/sources.list", Body: "deb http://x/'$(id)' a main\ndeb http://x/y a';id;' main\n"}}, "", "", ""},
		"snapshot": {[]fixtures.File{{Name: "etc/os-release", Body: "ID=debian\n"}, {Name: "etc/apt/sources.list", Body: "# deb http://snapshot.debian.org/archive/debian/20240101T000000Z bookworm main\ndeb http://deb.debian.org/debian bookworm main\n"}},
			"http://deb.debian.org/debian bookworm main", "20240101T000000Z", "http://snapshot.debian.org/archive/debian/20240101T000000Z/"},
		"lists": {[]fixtures.File{{Name: "etc/os-release", Body: "ID=debian\n"}, {Name: "var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease", Body: "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n"}},
			"", "20260711T101637Z", "http://snapshot.debian.org/archive/debian/20260711T161637Z/"},
		"ubuntu": {[]fixtures.File{{Name: "etc/os-release", Body: "ID=ubuntu\n"}, {Name: "var/lib/apt/lists/x_dists_noble_Release", Body: "Date: Sat, 1 Jun 2024 10:16:37 UTC\n"}},
			"", "20240601T101637Z", "http://snapshot.ubuntu.com/ubuntu/20240601T161637Z/"},
	} {
		s := sourceOf(t, tc.files...)
		a := ReadArchive(s.Image, s.Installed)
		var sources []string
		for _, one := range a.Sources {
			sources = append(sources, one.URI+" "+strings.Join(one.Suites, ",")+" "+strings.Join(one.Components, ","))
		}
		stamp := ""
		if len(a.Times) > 0 {
			stamp = a.Times[0].stamp()
		}
		if got := strings.Join(sources, "; "); got != tc.sources || stamp != tc.time || a.Snapshot() != tc.from {
			t.Errorf("%s: %q %q %q", name, got, stamp, a.Snapshot())
		}
	}
}

// The command of the lock installs no more packages than the image has.
func TestInstallsNoMore(t *testing.T) {
	list := []fixtures.File{{Name: "etc/os-release", Body: "ID=debian\n"}, {Name: "etc/apt/sources.list", Body: "# deb http://snapshot.debian.org/archive/debian/20240101T000000Z bookworm main\ndeb http://deb.debian.org/debian bookworm main\n"},
		{Name: "var/lib/dpkg/status", Body: "Package: hello\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"}}
	for _, merged := range []bool{false, true} {
		if merged {
			list = append(list, fixtures.File{Name: "bin", Link: "usr/bin"})
		}
		text := string(aptLock(sourceOf(t, list...))[0].File.Text)
		if !strings.Contains(text, " --variant=essential ") || strings.Contains(text, "hooks/merged-usr ") != merged {
			t.Errorf("merged %v:\n%s", merged, text)
		}
	}
}

// What lies in the caches of uv and conda is not installed, and makes no environments.
func TestCaches(t *testing.T) {
	var list []fixtures.File
	for _, folder := range []string{"root/.cache/uv/archive-v0/abc/", "opt/conda/pkgs/x-1-0/lib/python3.12/site-packages/", "opt/conda/pkgs/y-1-0/site-packages/", "srv/pkgs/site-packages/"} {
		list = append(list, fixtures.File{Name: folder + "x-1.dist-info/METADATA", Body: "Name: x\nVersion: 1\n"})
	}
	s := sourceOf(t, append(list, fixtures.File{Name: "opt/conda/pkgs/urls.txt", Body: "https://conda.anaconda.org/\n"})...)
	all, _ := s.environments(records.Python, 2)
	if len(all) != 1 || all[0].folder != "srv/pkgs/site-packages" {
		t.Errorf("%+v", all)
	}
}

// Files of a package that is in no lock are the image's own: it accounts for nothing.
func TestLeftOutAccountsForNothing(t *testing.T) {
	status := "Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
	for name, own := range map[string]int{"good": 0, "B@D": 1} {
		r := Read(sourceOf(t, fixtures.File{Name: "var/lib/dpkg/status", Body: strings.Replace(status, "%s", name, 1)},
			fixtures.File{Name: "var/lib/dpkg/info/" + name + ".list", Body: "/usr/bin/x\n"}, fixtures.File{Name: "usr/bin/x", Body: "x"}))
		if r.Share.Own != own {
			t.Errorf("%s: %+v", name, r.Share)
		}
	}
}

// The files of a package that was installed from a folder are one's own, too: no index has
// them, and files.txt says whose they are.
func TestLocalAccountsForNothing(t *testing.T) {
	const site = "p/site-packages/"
	r := Read(sourceOf(t,
		fixtures.File{Name: site + "x-1.dist-info/METADATA", Body: "Name: x\nVersion: 1\n"},
		fixtures.File{Name: site + "x-1.dist-info/direct_url.json", Body: `{"url":"file:///src/x","dir_info":{}}`},
		fixtures.File{Name: site + "x-1.dist-info/RECORD", Body: "x.py,sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE,1\n"},
		fixtures.File{Name: site + "x.py", Body: "x"}))
	files := r.Files()
	text := string(files[len(files)-1].Text)
	if r.Share.Bytes != 0 || r.Share.Own != 4 || r.Packages() != 0 || !strings.Contains(text, site+"x.py # of python x 1, which is in no lock\n") {
		t.Errorf("%+v\n%s", r.Share, text)
	}
}

// Files of one's own stand in the order in which they are worth reading.
func TestOrderOfOwnFiles(t *testing.T) {
	r := Read(sourceOf(t,
		fixtures.File{Name: "a", Body: "own"}, fixtures.File{Name: "b", Link: "a"},
		fixtures.File{Name: "p/n/node_modules/x/package.json", Body: `{"name":"x","version":"1.0.0"}`}, fixtures.File{Name: "p/n/node_modules/x/index.js", Body: "x"},
		fixtures.File{Name: "p/x-1.dist-info/METADATA", Body: "Name: x\nVersion: 1\n"},
		fixtures.File{Name: "p/x-1.dist-info/RECORD", Body: "x.py,sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,1\nx-1.dist-info/RECORD,,\n"},
		fixtures.File{Name: "p/x.py", Body: "x"}))
	files := r.Files()
	var got []string
	for line := range strings.Lines(string(files[len(files)-1].Text)) {
		if words := strings.Fields(line); words[0] != "#" {
			got = append(got, strings.Join(words[5:], " "))
		}
	}
	want := []string{"p/x.py # the record of python x 1 has another digest", "a", "p/n/node_modules/x/index.js # in the folder of npm x 1.0.0, which has no list of its files", "b -> a"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// Whatever databases and records have, each line of a lock is a comment or what the
// format's grammar allows.
func FuzzLocks(f *testing.F) {
	for _, seed := range []string{"name", "a\nb", "a b", "-o=x", "$(id)", "a;b", "\"", "a#b", "\u202ea", "\x1b[2J", "@EXPLICIT\nhttps://evil/linux-64/a-1-0.conda"} {
		f.Add(seed, "1.0", "amd64")
		f.Add("name", seed, seed)
	}
	lines := map[string]*regexp.Regexp{
		aptFile:              regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+=[0-9A-Za-z][0-9A-Za-z.+~:-]* [a-z0-9-]+$`),
		apkFile:              regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+-]*=[0-9][0-9a-z._~-]*$`),
		"conda-explicit.txt": regexp.MustCompile(`^@EXPLICIT$|^https?://[A-Za-z0-9._~:/%!+-]+(#[0-9a-f]{32})?$`),
		"requirements.txt":   regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*===?[A-Za-z0-9][A-Za-z0-9.!+_-]*(  # PyPI takes no local versions: it was from another index)?$`),
		spackFile:            regexp.MustCompile(`^(spack:|  concretizer:|    unify: when_possible|  specs:|  - [A-Za-z0-9_-]+@=[A-Za-z0-9_.-]+( arch=[a-z0-9_.-]+)?( # /[a-z2-7]{32})?)$`),
		npmFile:              regexp.MustCompile(`^(@[a-z0-9._~-]+/)?[A-Za-z0-9._~-]+@[0-9A-Za-z.+-]+$`),
	}
	f.Fuzz(func(t *testing.T, name, version, arch string) {
		encode := func(v any) string { text, _ := json.Marshal(v); return string(text) }
		s := sourceOf(t,
			fixtures.File{Name: "etc/os-release", Body: "ID=" + name + "\nPRETTY_NAME=\"" + version + "\"\n"},
			fixtures.File{Name: "etc/apt/sources.list", Body: "deb " + name + " " + version + " " + arch + "\n"},
			fixtures.File{Name: "etc/apk/repositories", Body: name + "\n" + version + "\n"},
			fixtures.File{Name: "var/lib/dpkg/status", Body: "Package: " + name + "\nStatus: install ok installed\nVersion: " + version + "\nArchitecture: " + arch + "\n"},
			fixtures.File{Name: "lib/apk/db/installed", Body: "P:" + name + "\nV:" + version + "\nA:" + arch + "\n\n"},
			fixtures.File{Name: "c/conda-meta/x.json", Body: encode(map[string]string{"name": name, "version": version, "url": "https://x/linux-64/" + name, "md5": arch})},
			fixtures.File{Name: "p/x.dist-info/METADATA", Body: "Name: " + name + "\nVersion: " + version + "\n"},
			fixtures.File{Name: "r/library/" + "x/DESCRIPTION", Body: "Package: " + name + "\nVersion: " + version + "\n"},
			fixtures.File{Name: "s/.spack/spec.json", Body: encode(map[string]any{"spec": map[string]any{"nodes": []any{map[string]any{"name": name, "version": version, "hash": arch}}}})},
			fixtures.File{Name: "n/node_modules/x/package.json", Body: encode(map[string]string{"name": name, "version": version})})
		for _, file := range Read(s).Files() {
			grammar, ok := lines[file.Name]
			switch {
			case file.Name == "renv.lock" && !json.Valid(file.Text):
				t.Errorf("%s", file.Text)
			case !ok:
				continue
			}
			for line := range strings.Lines(string(file.Text)) {
				line = strings.TrimSuffix(line, "\n")
				if !strings.HasPrefix(line, "# ") && !grammar.MatchString(line) || strings.ContainsAny(line, "\x1b\u202e\r") {
					t.Errorf("%s: %q", file.Name, line)
				}
			}
		}
	})
}

// An environment whose files are links into the cache of uv has a lock, and the cache has none.
func TestLinkedEnvironment(t *testing.T) {
	const cache, site = "root/.cache/uv/archive-v0/abc/", "opt/e/lib/python3.12/site-packages/"
	list := []fixtures.File{}
	for name, body := range map[string]string{"x.py": "x", "x-1.dist-info/METADATA": "Name: x\nVersion: 1\n", "x-1.dist-info/RECORD": "x.py,sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE,1\n"} {
		list = append(list, fixtures.File{Name: cache + name, Body: body}, fixtures.File{Name: site + name, Link: "/" + cache + name})
	}
	slices.SortFunc(list, func(a, b fixtures.File) int { return strings.Compare(a.Name, b.Name) })
	locks := pythonLocks(sourceOf(t, list...))
	if len(locks) != 1 || locks[0].Entries != 1 || !strings.Contains(string(locks[0].File.Text), `"/opt/e/lib/python3.12/site-packages"`) {
		t.Errorf("%+v", locks)
	}
}

// EasyBuild's easyconfigs make an easystack, and no name in one makes a line of it.
func TestEasyBuildLock(t *testing.T) {
	const zlib = "name = 'zlib'\nversion = '1.3'\ntoolchain = {'version': '12.3.0', 'name': 'GCCcore'}\n"
	r := Read(sourceOf(t,
		fixtures.File{Name: "apps/zlib/1.3/easybuild/zlib-1.3-GCCcore-12.3.0.eb", Body: zlib}, fixtures.File{Name: "apps/zlib/1.3/lib/libz.so", Body: "z"},
		fixtures.File{Name: "apps/evil/easybuild/a\n  - b.eb", Body: "name = 'evil'\nversion = '1'\n"}))
	files := r.Files()
	text := string(files[0].Text)
	if files[0].Name != "easystack.yaml" || !strings.Contains(text, "easyconfigs:\n") || !strings.Contains(text, "\n  - zlib-1.3-GCCcore-12.3.0.eb  # sha256:") || strings.Contains(text, "\n  - b.eb") {
		t.Errorf("%s:\n%s", files[0].Name, text)
	}
	if own := string(files[len(files)-1].Text); !strings.Contains(own, "apps/zlib/1.3/lib/libz.so # in the folder of easybuild zlib 1.3, which has no list of its files\n") {
		t.Error(own)
	}
}

// Where packages of R are from: CRAN, Posit's copy of it, and r-universe.
func TestRepositoriesOfR(t *testing.T) {
	const lib = "usr/local/lib/R/site-library/"
	list := []fixtures.File{}
	for _, p := range [][2]string{{"a", "CRAN"}, {"b", "RSPM\nDate/Publication: 2023-11-17 16:50:02 UTC"}, {"c", "https://me.r-universe.dev"}, {"d", "https://evil.example/\"x"}} {
		list = append(list, fixtures.File{Name: lib + p[0] + "/DESCRIPTION", Body: "Package: " + p[0] + "\nVersion: 1.0\nRepository: " + p[1] + "\n"})
	}
	lock := rLocks(sourceOf(t, list...))[0]
	var got renv
	if err := json.Unmarshal(lock.File.Text, &got); err != nil {
		t.Fatal(err)
	}
	want := []renvRepository{{"CRAN", "https://packagemanager.posit.co/cran/2023-11-18"}, {"RSPM", "https://packagemanager.posit.co/cran/2023-11-18"}, {"https://me.r-universe.dev", "https://me.r-universe.dev"}}
	if !slices.Equal(got.R.Repositories, want) || !slices.Equal(lock.sourceless, []string{"d 1.0"}) || got.Packages["b"].Source != "Repository" {
		t.Errorf("%+v, %q", got, lock.sourceless)
	}
}

// A package of conda is locked by whichever digest its record has.
func TestDigestsOfConda(t *testing.T) {
	record := func(name, digest string) fixtures.File {
		return fixtures.File{Name: "c/conda-meta/" + name + ".json", Body: `{"name":"` + name + `","version":"1","url":"https://conda.anaconda.org/x/noarch/` + name + `.conda"` + digest + `}`}
	}
	hex := strings.Repeat("ab", 16)
	text := string(condaLocks(sourceOf(t, record("a", `,"md5":"`+hex+`","sha256":"`+hex+hex+`"`), record("b", `,"md5":null,"sha256":"`+hex+hex+`"`), record("c", "")))[0].File.Text)
	const channel = "https://conda.anaconda.org/x/noarch/"
	if _, list, _ := strings.Cut(text, "@EXPLICIT\n"); list != channel+"a.conda#"+hex+"\n"+channel+"b.conda#sha256:"+hex+hex+"\n"+channel+"c.conda\n" {
		t.Error(text)
	}
}

// A lock is named with the command that installs by it.
func TestInstallersOfNpm(t *testing.T) {
	list := []fixtures.File{{Name: "a/node_modules/x/package.json", Body: `{"name":"x","version":"1.0.0"}`}}
	for _, name := range []string{"package-lock.json", "pnpm-lock.yaml", "yarn.lock"} {
		list = append(list, fixtures.File{Name: "a/" + name, Body: "{}"})
	}
	text := string(npmLock(sourceOf(t, list...))[0].File.Text)
	for _, want := range []string{`npm ci installs by "a/package-lock.json"`, `pnpm install --frozen-lockfile installs by "a/pnpm-lock.yaml"`, `--immutable) installs by "a/yarn.lock"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
