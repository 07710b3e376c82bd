package guix

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/provenance"
	"audit/provenance/guix/profile"
	"audit/provenance/guix/scheme"
)

// always are the options that no image reveals.
const always = 4

func TestRecoverSamples(t *testing.T) {
	hello := func(p Pack) Pack {
		p.Root, p.FriendlyName = "/gnu/store/jahh2z348sfgv15j334lq27fc759b3jc-profile", "hello"
		return p
	}
	tiny := func(p Pack) Pack {
		p.Root, p.FriendlyName = "/gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile", "tiny-hello"
		return p
	}
	bin := []Symlink{{Source: "/bin", Target: "bin"}}
	binOpt := append(slices.Clone(bin), Symlink{Source: "/opt/gnu/bin", Target: "bin"})
	era := func(name, hash string, p Pack) Pack {
		p.Era, p.Root, p.FriendlyName = name, "/gnu/store/"+hash+"-profile", "hello-python-numpy-guile-unicode-names"
		return p
	}
	for _, tc := range []struct {
		file   string
		status provenance.Status
		want   Pack
	}{
		{"images/hello.tar.gz", provenance.Complete, hello(Pack{})},
		{"images/hello-opt1.tar.gz", provenance.Complete, hello(Pack{Symlinks: []Symlink{{Source: "/bin", Target: "bin"}, {Source: "/opt/gnu", Target: ""}}})},
		{"images/hello-opt2.tar.gz", provenance.Complete, hello(Pack{EntryPoint: []string{"bin/hello"}})},
		{"images/hello-opt3.tar", provenance.Complete, hello(Pack{Compression: compression.None})},
		{"images/tiny.tar.gz", provenance.Complete, tiny(Pack{})},
		{"images/tiny.other-ext4.tar.gz", provenance.Complete, tiny(Pack{})},
		{"images/tiny-layers4.tar.gz", provenance.Complete, tiny(Pack{MaxLayers: 4})},
		{"images/tiny-layers4.tmpfs-store.tar.gz", provenance.Complete, tiny(Pack{MaxLayers: 4})},
		{"images/tiny-localstatedir.tar.gz", provenance.Complete, tiny(Pack{Database: true})},
		{"eras/era-v1.0.1-single-gzip.tar.gz", provenance.Complete, era("1.0", "5r82imay84gai5q4idfh3h8avg3d4h1c", Pack{Symlinks: binOpt, EntryPoint: []string{"bin/hello"}})},
		{"eras/era-v1.2.0-single-gzip.tar.gz", provenance.Complete, era("1.2", "123bc8vk4l3vk5xc2djvbln7s7ah6cya", Pack{Symlinks: binOpt, EntryPoint: []string{"bin/hello"}})},
		{"eras/era-81c3dc3224-single-gzip.tar.gz", provenance.Complete, era("between 1.0 and 1.1", "5r82imay84gai5q4idfh3h8avg3d4h1c", Pack{Symlinks: binOpt, EntryPoint: []string{"bin/hello"}})},
		{"eras/era-18a4882e30-single-gzip.tar.gz", provenance.Complete, era("1.3", "131bc8vk4l3vk5xc2djvbln7s7ah6cya", Pack{Symlinks: binOpt, EntryPoint: []string{"bin/hello"}})},
		{"eras/era-9f00e7429d-single-gzip.tar.gz", provenance.Complete, era("between 1.3 and 1.4", "131bc8vk4l3vk5xc2djvbln7s7ah6cya", Pack{Symlinks: binOpt, EntryPoint: []string{"bin/hello"}})},
		{"eras/era-d3d3eedf7f-layers6-gzip.tar.gz", provenance.Complete, era("of 2024, between 1.4 and 1.5", "rsla4zhp459rp51nnk4rgdv6hkb2zsn5", Pack{Symlinks: bin, MaxLayers: 6})},
		{"eras/era-v1.4.0-single-gzip.tar.gz", provenance.Complete, era("1.4", "rsla4zhp459rp51nnk4rgdv6hkb2zsn5", Pack{Symlinks: binOpt, EntryPoint: []string{"bin/hello"}})},
		{"eras/era-v1.5.0-single-gzip.tar.gz", provenance.Complete, era("1.5", "l3wavh3ma3ixzh7pfkx170dsxvbrm0c0", Pack{Symlinks: binOpt, EntryPoint: []string{"bin/hello"}})},
		{"eras/era-v1.5.0-layers5-gzip.tar.gz", provenance.Complete, era("1.5", "l3wavh3ma3ixzh7pfkx170dsxvbrm0c0", Pack{Symlinks: bin, EntryPoint: []string{"bin/hello", "--greeting", "hi"}, MaxLayers: 5})},
		{"eras/era-v1.5.0-single-zstd.tar.zst", provenance.Complete, era("1.5", "l3wavh3ma3ixzh7pfkx170dsxvbrm0c0", Pack{Compression: compression.Zstd})},
		{"eras/era-v1.5.0-single-gzip-transf.tar.gz", provenance.Partial, Pack{
			Root: "/gnu/store/wrwwlj7zvv8zyafsb6imla180n9ghli7-profile", FriendlyName: "hello-guile-git-tzdata", ImageTag: "hello-python-numpy-guile-unicode-names"}},
		{"eras/era-v1.5.0-single-gzip-noprov.tar.gz", provenance.Partial, Pack{
			Root: "/gnu/store/2v1gkags40zplxicwvmw7j2lgknghrlm-profile", NoProvenance: true, FriendlyName: "hello-guile", ImageTag: "hello-python-numpy-guile-unicode-names"}},
		{"realpack/noprov-hello-guile-numpy-docker-pack.tar.gz", provenance.Partial, Pack{
			Root: "/gnu/store/rg83casicbcndf43cwbkqf3ajaxq234k-profile", NoProvenance: true, FriendlyName: "hello-guile-numpy", EntryPoint: []string{"bin/hello"},
			Symlinks: []Symlink{{Source: "/bin", Target: "bin"}, {Source: "/opt/x/bin", Target: "bin"}}}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			ev := recoverFrom(t, filepath.Join(fixturesDir, tc.file))
			if ev.Recipe.Status != tc.status {
				t.Errorf("status %s, want %s: %q", ev.Recipe.Status, tc.status, ev.Recipe.Missing)
			}
			unknown := always
			if strings.Contains(tc.file, "transf") {
				unknown++ // the channels of what was transformed
			}
			if n := len(callOf(ev).Unknown); n != unknown {
				t.Errorf("unknown: %q", callOf(ev).Unknown)
			}
			want := tc.want
			want.Format, want.SystemType = "docker", "x86_64-linux"
			if want.Compression == "" {
				want.Compression = compression.Gzip
			}
			if want.Era == "" {
				want.Era = "1.5"
			}
			if diff := cmp.Diff(want, callOf(ev), cmpopts.IgnoreFields(Pack{}, "Unknown", "Manifest", "Export")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecoverTarball(t *testing.T) {
	ev := recoverFrom(t, filepath.Join(fixturesDir, "realpack/real-hello-guile-numpy-tarball-pack.tar.gz"))
	want := Pack{
		Format: "tarball", Era: "1.4 to 1.5", Root: "/gnu/store/0r7yq7hzjlfarsxcj91dp6js9x5h4k11-profile",
		FriendlyName: "hello-guile-numpy", Symlinks: []Symlink{{Source: "/bin", Target: "bin"}},
	}
	if diff := cmp.Diff(want, callOf(ev), cmpopts.IgnoreFields(Pack{}, "Unknown", "Manifest", "Compression")); diff != "" {
		t.Error(diff)
	}
	if ev.Recipe.Status != provenance.Complete || ev.Closure.Status != check.Pass {
		t.Errorf("recipe %s %q, closure %v %+v", ev.Recipe.Status, ev.Recipe.Missing, ev.Closure.Status, ev.Closure.Findings)
	}
}

// The recipe of a sample down to its last field.
func TestRecipe(t *testing.T) {
	ev := recoverFrom(t, filepath.Join(fixturesDir, "images/tiny.tar.gz"))
	r := ev.Recipe
	if r.System != Name || r.Packer != "guix pack -f docker (Guix 1.5)" || len(r.Missing) != 0 {
		t.Errorf("%s, %s, %q", r.System, r.Packer, r.Missing)
	}
	wantChannels := []provenance.Channel{
		{
			Name: "guix", URL: "https://git.guix.gnu.org/guix.git", Branch: "master", Commit: "230aa373f315f247852ee07dff34146e9b480aec",
			Introduction: &provenance.Introduction{Commit: "9edb3f66fd807b096b48283debdcddccfea34bad", Fingerprint: "BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA"},
		},
		{Name: "fixtures", URL: "https://example.org/fixtures.git", Branch: "main", Commit: "488c9a441ca97277bd9cd5c9b2ad0369d17551b1"},
	}
	if diff := cmp.Diff(wantChannels, r.Channels); diff != "" {
		t.Error(diff)
	}
	wantPackages := []provenance.Package{{
		Name: "tiny-hello", Version: "3.2", Output: "out", Path: "/gnu/store/y1wsz33i13663zsn6ndw4qxjl7pici3r-tiny-hello-3.2",
		Channel: "fixtures", Origin: &wantChannels[1],
	}}
	if diff := cmp.Diff(wantPackages, r.Packages); diff != "" {
		t.Error(diff)
	}
	var sources []string
	for _, s := range r.Locations {
		if s.Digest.IsZero() {
			t.Errorf("%s has no digest", s.Path)
		}
		sources = append(sources, s.Path)
	}
	if want := []string{"./config.json", "gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile/manifest"}; !slices.Equal(sources, want) {
		t.Errorf("sources %q, want %q", sources, want)
	}
	if ev.Recover.Status != check.Pass || texts(ev.Recover.Reasons) != `recipe/complete channels="2" packages="1" packer="guix pack -f docker (Guix 1.5)"` {
		t.Errorf("check %v: %s", ev.Recover.Status, texts(ev.Recover.Reasons))
	}
	var names []string
	for _, f := range r.Files {
		names = append(names, f.Name)
	}
	if !slices.Equal(names, []string{"channels.scm", "manifest.scm"}) {
		t.Errorf("files %q", names)
	}
	exported, err := os.ReadFile(filepath.Join(fixturesDir, "export/tiny.export-channels.scm"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := mustScheme(t, r.Files[0].Text), mustScheme(t, exported); scheme.ListOf(got...).String() != scheme.ListOf(want...).String() {
		t.Errorf("channels.scm is %v, and Guix exports %v", got, want)
	}
}

// A channel in a folder is named as one that nobody else can fetch, which does not
// make the recipe wrong.
func TestLocalChannel(t *testing.T) {
	for url, want := range map[string]bool{
		"file:///home/a/channel": true, "FILE:///x": true, "/home/a/channel": true,
		"https://example.org/file.git": false, "ssh://example.org/a.git": false, "git://example.org/a": false,
	} {
		recipe := provenance.Recipe{Status: provenance.Complete, Channels: []provenance.Channel{{Name: "mine", URL: url}}}
		c := new(view).recipeCheck(&recipe)
		var named bool
		for _, f := range c.Findings {
			if f.Code == "recipe/local-channel" {
				named = f.Level == check.Note && f.Args.String("address") == url && f.Args.String("channel") == "mine"
			}
		}
		if named != want || c.Status != check.Pass {
			t.Errorf("%s: %v, %+v", url, c.Status, c.Findings)
		}
	}
}

func TestNoTraceOfGuix(t *testing.T) {
	a := &archive{folder: "a", tag: "a:latest", config: map[string]any{"architecture": "amd64"}, entries: []entry{{name: "etc/hosts", body: "x"}}}
	if _, err := (System{}).Recover(open(t, a.write(t)), nil); !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("error %v, want ErrNotMine", err)
	}
}

const (
	hashA = "0dwkn8xg5giqwrdplhqn0a0znsa7i9hh"
	hashB = "mnia32klywnslczwfsfpv157mmkpg40w"
	hashC = "a3iaz2p81aw7wi0dmz6w8mc3gn6wdz0n"
)

// A distribution that has Guix installed is no pack of Guix.
func TestStoreWithoutPack(t *testing.T) {
	root := "/gnu/store/" + hashA + "-profile"
	a := &archive{folder: "a", tag: "a:latest", config: map[string]any{"architecture": "amd64", "config": map[string]any{"Env": []string{"PATH=/usr/bin"}}},
		entries: append(item(root, "manifest", oneEntry(`"tool"`, root)), entry{name: "etc/hosts", body: "x"}, entry{name: "root/.guix-profile", link: root})}
	if _, err := (System{}).Recover(open(t, a.write(t)), nil); !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("error %v, want ErrNotMine", err)
	}
}

// An image that says that Guix made it, and nothing in it shows of what.
func TestNothingButTheName(t *testing.T) {
	a := packOf("/gnu/store/"+hashA+"-profile").setConfig("env", []string{})
	ev := recoverFrom(t, a.write(t))
	if ev.Recipe.Status != provenance.None || ev.Recover.Status != check.Unknown || ev.Closure.Status != check.Unknown {
		t.Errorf("recipe %s, checks %v and %v", ev.Recipe.Status, ev.Recover.Status, ev.Closure.Status)
	}
}

// oneEntry is a profile manifest of one package with the official channel.
func oneEntry(name, path string) string {
	return `(manifest (version 4) (packages ((` + name + ` "1.0" "out" "` + path + `" (properties ((provenance
	  (repository (version 0) (url "https://git.guix.gnu.org/guix.git") (branch "master")
	    (commit "230aa373f315f247852ee07dff34146e9b480aec") (name guix)))))))))`
}

// A pack that holds another profile in its closure is of its own profile, by
// whatever sign is left.
func TestRootAmongProfiles(t *testing.T) {
	own, inner, tool := "/gnu/store/"+hashA+"-profile", "/gnu/store/"+hashB+"-profile", "/gnu/store/"+hashC+"-tool-1.0"
	build := func() *archive {
		entries := item(own, "manifest", oneEntry(`"tool"`, tool))
		entries = append(entries, item(inner, "manifest", oneEntry(`"inner"`, tool))...)
		return packOf(own, append(entries, item(tool, "uses", inner)...)...)
	}
	for _, tc := range []struct {
		name          string
		edit          func(*archive)
		want          string
		contradiction string
	}{
		{"all signs", func(*archive) {}, own, ""},
		{"no layer name", func(a *archive) { a.folder = strings.Repeat("0", 64) }, own, ""},
		{"only the name", func(a *archive) { a.setConfig("env", []string{}) }, own, ""},
		{"only the entry point", func(a *archive) {
			a.folder = "x"
			a.setConfig("env", []string{}).setConfig("entrypoint", []string{own + "/bin/tool"})
		}, own, ""},
		{"only a link", func(a *archive) {
			a.folder = "x"
			a.setConfig("env", []string{})
			a.entries = append(a.entries, entry{name: "bin", link: own + "/bin"})
		}, own, ""},
		{"nothing", func(a *archive) { a.folder = "x"; a.setConfig("env", []string{}) }, own, ""},
		{"a lying environment", func(a *archive) { a.setConfig("env", []string{"PATH=" + inner + "/bin"}) }, own, `recipe/other-root others="` + inner + `" root="` + own + `" sign="sign/environment-variable"`},
		{"a lying environment without a name", func(a *archive) { a.folder = "x"; a.setConfig("env", []string{"PATH=" + inner + "/bin"}) }, inner, `recipe/other-root others="` + own + `" root="` + inner + `" sign="sign/no-item"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := build()
			tc.edit(a)
			ev := recoverFrom(t, a.write(t))
			if callOf(ev).Root != tc.want {
				t.Errorf("root %s, want %s", callOf(ev).Root, tc.want)
			}
			if got := tc.contradiction != "" && strings.Contains(texts(ev.Recipe.Missing), tc.contradiction); got != (tc.contradiction != "") {
				t.Errorf("problems %q, want %q among them", ev.Recipe.Missing, tc.contradiction)
			}
			if tc.contradiction != "" && ev.Recipe.Status == provenance.Complete {
				t.Error("a recipe with contradictory evidence is complete")
			}
		})
	}
}

// A profile that the config names and the image does not hold.
func TestRootMissing(t *testing.T) {
	root, tool := "/gnu/store/"+hashA+"-profile", "/gnu/store/"+hashC+"-tool-1.0"
	ev := recoverFrom(t, packOf(root, item(tool, "file", "x")...).write(t))
	if ev.Recipe.Status != provenance.None || callOf(ev).Root != root {
		t.Errorf("recipe %s of %s", ev.Recipe.Status, callOf(ev).Root)
	}
	wantFindings(t, ev.Closure, "missing-reference ./config.json", "missing-root "+root, "unreferenced-item "+tool)
}

func TestRelocatable(t *testing.T) {
	root, tool, proot := "/gnu/store/"+hashA+"-profile", "/gnu/store/"+hashC+"-tool-1.0R", "/gnu/store/"+hashB+"-proot-static-5.4.0"
	for _, tc := range []struct {
		names string // the store item that the wrapper names
		want  int
	}{{"", 1}, {proot, 2}} {
		entries := append(item(root, "manifest", oneEntry(`"tool"`, tool)), item(tool, "file", tc.names)...)
		ev := recoverFrom(t, packOf(root, append(entries, item(proot, "bin", "x")...)...).write(t))
		n := 0
		for _, option := range Command(callOf(ev)) {
			if option == "--relocatable" {
				n++
			}
		}
		if n != tc.want {
			t.Errorf("wrapper that names %q: --relocatable %d times, want %d", tc.names, n, tc.want)
		}
	}
}

// Names that other tools give an image, and names that Guix can give.
func TestImageTag(t *testing.T) {
	root, tool := "/gnu/store/"+hashA+"-profile", "/gnu/store/"+hashC+"-tool-1.0"
	for _, tc := range []struct {
		tag, want, option string
		known             bool
	}{
		{"tool:latest", "", "", true},
		{"my-image:latest", "my-image", "--image-tag=my-image", true},
		{".odd.name:latest", ".odd.name", "--image-tag=/odd.name", true},
		{"tool:1.0", "", "", false},
		{"example.org/me/tool:latest", "", "", false},
		{"Tool:latest", "", "", false},
	} {
		a := packOf(root, append(item(root, "manifest", oneEntry(`"tool"`, tool)), item(tool, "file", "x")...)...)
		a.tag = tc.tag
		pack := callOf(recoverFrom(t, a.write(t)))
		if known := len(pack.Unknown) == always; pack.ImageTag != tc.want || known != tc.known {
			t.Errorf("%s: tag %q, unknown %q", tc.tag, pack.ImageTag, pack.Unknown)
		}
		if options := Command(pack); tc.option != "" && !slices.Contains(options, tc.option) {
			t.Errorf("%s: options %q", tc.tag, options)
		}
	}
}

// The image that the fixtures make is one that this package knows.
func TestMadeImages(t *testing.T) {
	for _, spec := range []fixtures.Spec{{Seed: 1, Items: 20}, {Seed: 2, Items: 30, MaxLayers: 7, Compression: fixtures.Zstd}} {
		file := writeMade(t, spec)
		ev := recoverFrom(t, file)
		if ev.Recipe.Status != provenance.Complete || ev.Closure.Status != check.Pass {
			t.Errorf("%+v: recipe %s %q, closure %s %+v", spec, ev.Recipe.Status, ev.Recipe.Missing, texts(ev.Closure.Reasons), ev.Closure.Findings)
		}
		if callOf(ev).MaxLayers != spec.MaxLayers {
			t.Errorf("%+v: %d layers", spec, callOf(ev).MaxLayers)
		}
	}
}

// What cannot be read of a profile manifest makes no recipe, and no files.
func TestUnreadableManifest(t *testing.T) {
	for _, text := range []string{"", "(manifest", "(manifest (version 5) (packages ()))", `#.(system "x")`, strings.Repeat("(", 10<<20)} {
		file := tampered(t, "images/tiny.tar.gz", fixtures.SetProfileManifest(text))
		ev := recoverFrom(t, file)
		if ev.Recipe.Status != provenance.None || len(ev.Recipe.Files) > 0 || len(ev.Recipe.Missing) != 1 || ev.Recover.Status != check.Unknown {
			t.Errorf("%.20q: recipe %s, %d files, %q", text, ev.Recipe.Status, len(ev.Recipe.Files), ev.Recipe.Missing)
		}
	}
}

// An image of a whole system, as (gnu system image) makes it.
func TestSystemImage(t *testing.T) {
	root := "/gnu/store/" + hashA + "-system"
	channels := "/gnu/store/" + hashB + "-channels.scm"
	config := "/gnu/store/" + hashC + "-configuration.scm"
	const text = `(list (channel (name 'guix) (url "https://git.guix.gnu.org/guix.git") (branch "master") (commit "230aa373f315f247852ee07dff34146e9b480aec")))`
	entries := []entry{
		{name: root[1:] + "/", mode: 0o555},
		{name: root[1:] + "/channels.scm", link: channels},
		{name: root[1:] + "/configuration.scm", link: config},
		{name: channels[1:], body: text, mode: 0o444},
		{name: config[1:], body: "(system* \"true\")", mode: 0o444},
		{name: "etc/", mode: 0o755},
	}
	a := packOf(root, entries...)
	a.setConfig("env", []string{}).setConfig("entrypoint", []string{"/gnu/store/" + hashA + "-boot-program", root})
	ev := recoverFrom(t, a.write(t))
	if ev.Recipe.Status != provenance.Complete || ev.Recipe.Packer != "guix system image -t docker" || len(ev.Recipe.Channels) != 1 {
		t.Errorf("recipe %s by %s: %v, %q", ev.Recipe.Status, ev.Recipe.Packer, ev.Recipe.Channels, ev.Recipe.Missing)
	}
	if f := ev.Recipe.Files; len(f) != 2 || f[0].Name != "channels.scm" || f[1].Name != "configuration.scm" || string(f[1].Text) != `(system* "true")` {
		t.Errorf("files %v", f)
	}
	if got, want := strings.Join(Command(callOf(ev)), " "), "system image --image-type=docker --save-provenance --system=x86_64-linux"; got != want {
		t.Errorf("command %s, want %s", got, want)
	}
}

// A profile of nothing shows nothing of the channels that it was made with.
func TestEmptyProfile(t *testing.T) {
	p, err := profile.Parse("manifest", []byte("(manifest (version 4) (packages ()))"))
	if err != nil {
		t.Fatal(err)
	}
	var recipe provenance.Recipe
	if status := describe(&recipe, p); status != provenance.Partial || len(recipe.Missing) != 1 || recipe.Missing[0].Code != "recipe/no-packages" {
		t.Errorf("%s: %q", status, recipe.Missing)
	}
}
