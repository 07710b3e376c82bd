package guix

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/store"
	"audit/provenance"
)

// Every form that Guix packs in, and what becomes of it elsewhere: the recipe
// comes back with the command that makes it again, and each file is explained.
func TestForms(t *testing.T) {
	const tarball, squashfs, docker = "pack --format=tarball --save-provenance", "pack --format=squashfs --save-provenance", "pack --format=docker --save-provenance"
	const system = "system image --image-type=docker --save-provenance --system=x86_64-linux"
	for file, want := range map[string]string{
		"tiny-tarball.tar.gz":                     tarball + " --compression=gzip",
		"tiny-tarball-none.tar":                   tarball + " --compression=none",
		"tiny-tarball-R.tar.gz":                   tarball + " --compression=gzip --symlink=/bin=bin --relocatable",
		"tiny-tarball-RR.tar.gz":                  tarball + " --compression=gzip --relocatable --relocatable",
		"tiny-tarball-db.tar.gz":                  tarball + " --compression=gzip --symlink=/bin=bin --symlink=/opt/gnu= --localstatedir",
		"tiny-tarball-current-guix.tar.gz":        tarball + " --compression=gzip --symlink=/bin=bin --localstatedir --profile-name=current-guix",
		"tiny-docker-R.tar.gz":                    docker + " --system=x86_64-linux --compression=gzip --relocatable",
		"tiny.squashfs":                           squashfs + " --compression=gzip",
		"tiny-xz.squashfs":                        squashfs + " --compression=xz",
		"tiny-entry-db.squashfs":                  squashfs + " --compression=gzip --symlink=/x=bin --entry-point=bin/tiny-hello --localstatedir",
		"tiny.docker-export.tar":                  docker + " --compression=none",
		"hello-opt1.docker-export.tar":            docker + " --compression=none --symlink=/bin=bin --symlink=/opt/gnu=",
		"hello-opt1.podman-export.tar":            docker + " --compression=none --symlink=/bin=bin --symlink=/opt/gnu=",
		"tiny-localstatedir.docker-export.tar.gz": docker + " --compression=none --localstatedir",
		"system.tar.gz":                           system,
		"system-db.tar.gz":                        system,
		"system-layers4.tar.gz":                   system + " --max-layers=4",
	} {
		ev := recoverFrom(t, filepath.Join(fixturesDir, "forms", file))
		if got := strings.Join(Command(callOf(ev)), " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
		if ev.Recipe.Status != provenance.Complete || len(ev.Recipe.Packages) != 1 {
			t.Errorf("%s: recipe %s of %v: %q", file, ev.Recipe.Status, ev.Recipe.Packages, ev.Recipe.Missing)
		}
		if c := ev.Closure; c.Status != check.Pass || len(c.Findings) > 0 {
			t.Errorf("%s: %v, %s: %+v", file, c.Status, texts(c.Reasons), c.Findings)
		}
	}
}

// What engines make is separated from what the packer has made.
func TestExport(t *testing.T) {
	for file, want := range map[string]Export{
		"hello-opt1.docker-export.tar": {OwnerNames: true, Files: []string{
			".dockerenv", "dev", "dev/console", "dev/pts", "dev/shm", "etc", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc", "sys"}},
		"hello-opt1.podman-export.tar": {Files: []string{
			"dev", "etc", "etc/hostname", "etc/hosts", "etc/mtab", "proc", "run", "run/.containerenv", "sys"}},
	} {
		got := callOf(recoverFrom(t, filepath.Join(fixturesDir, "forms", file))).Export
		if got == nil || got.OwnerNames != want.OwnerNames || !slices.Equal(got.Files, want.Files) {
			t.Errorf("%s: %+v, want %+v", file, got, want)
		}
	}
}

// changed opens a form and changes one of its entries as if it had been read so.
func changed(t *testing.T, file, path string, edit func(e *inspect.Entry)) *inspect.Image {
	t.Helper()
	img := open(t, filepath.Join(fixturesDir, "forms", file))
	for _, l := range img.Layers {
		for i := range l.Entries {
			if l.Entries[i].Path == path {
				edit(l.Entries[i])
				return img
			}
		}
	}
	t.Fatalf("%s has no %s", file, path)
	return nil
}

// One entry changed: what packer and engine make is known to the last mode.
func TestFormsTamperedWith(t *testing.T) {
	mode := func(m uint16) func(*inspect.Entry) { return func(e *inspect.Entry) { e.Mode = m } }
	move := func(to string) func(*inspect.Entry) { return func(e *inspect.Entry) { e.Path = to } }
	link := func(to string) func(*inspect.Entry) { return func(e *inspect.Entry) { e.Linkname = to } }
	size := func(e *inspect.Entry) { e.Size = 7 }
	const env = ".singularity.d/env/90-environment.sh"
	const script = "/gnu/store/k4ghihb6bbalbx2wlnxqrn1lwqbk0nfq-singularity-environment.sh"
	for _, tc := range []struct {
		file, path string
		edit       func(*inspect.Entry)
		status     check.Status
		want       []string
	}{
		{"tiny.docker-export.tar", "etc/hosts", size, check.Fail, []string{"packer-entry-content etc/hosts"}},
		{"tiny.docker-export.tar", ".dockerenv", mode(0o4755), check.Fail, []string{"packer-entry-mode .dockerenv"}},
		{"tiny.docker-export.tar", "etc/mtab", link("/etc/shadow"), check.Fail, []string{"packer-entry-target etc/mtab"}},
		{"tiny.docker-export.tar", "dev/shm", move("dev/evil"), check.Fail, []string{"unexplained-file dev/evil"}},
		{"hello-opt1.podman-export.tar", "run/.containerenv", move("run/evil"), check.Fail, []string{"unexplained-file run/evil"}},
		{"tiny-tarball-R.tar.gz", "bin", link("tmp/bin"), check.Fail, []string{"unexplained-file bin"}},
		{"tiny-tarball.tar.gz", "gnu/store", mode(0o755), check.Pass, nil}, // any archiver may write that
		{"tiny.squashfs", ".empty", size, check.Fail, []string{"packer-entry-content .empty"}},
		{"tiny.squashfs", "proc", mode(0o755), check.Fail, []string{"packer-entry-mode proc"}},
		{"tiny.squashfs", "bin", link("gnu/store"), check.Fail, []string{"packer-entry-target bin"}},
		{"tiny.squashfs", env, link("../../tmp/evil"), check.Fail, []string{"unexplained-file " + env, "unreferenced-item " + script}},
		{"tiny-entry-db.squashfs", ".singularity.d/actions/run", link("/tmp/evil"), check.Fail, []string{"packer-entry-target .singularity.d/actions/run"}},
		{"system.tar.gz", "var/guix/gcroots/current-system", link("/tmp"), check.Unknown, []string{"packer-entry-target var/guix/gcroots/current-system"}},
		{"system.tar.gz", "mnt", move("evil"), check.Unknown, []string{"unexplained-file evil"}},
	} {
		t.Run(tc.file+" "+tc.path, func(t *testing.T) {
			ev, err := System{}.Recover(changed(t, tc.file, tc.path, tc.edit), nil)
			if err != nil {
				t.Fatal(err)
			}
			wantFindings(t, ev.Closure, tc.want...)
			if ev.Closure.Status != tc.status {
				t.Errorf("closure %v: %s", ev.Closure.Status, texts(ev.Closure.Reasons))
			}
		})
	}
}

func TestSetsEnvironment(t *testing.T) {
	const root = "/gnu/store/" + hashA + "-profile"
	for script, want := range map[string]bool{
		". " + root + "/etc/profile\n":         true,
		". /tmp/etc/profile\n":                 false,
		". " + root + "/etc/profile\nevil\n":   false,
		"":                                     true,
		"PATH=" + root + "/bin\nexport PATH\n": true,
		"PATH=" + root + "/bin:" + root + "/sbin\nexport PATH\nX=" + root + "\nexport X\n": true,
		"PATH=" + root + "/bin\nexport EVIL\n":                                             false,
		"PATH=" + root + "/bin\n":                                                          false,
		"PATH=/tmp\nexport PATH\n":                                                         false,
		"PATH=" + root + "/bin:/tmp\nexport PATH\n":                                        false,
		"PATH=" + root + "/../../../tmp\nexport PATH\n":                                    false,
		"PATH=" + root + "/bin;evil\nexport PATH\n":                                        false,
		"PATH=" + root + "/$(evil)\nexport PATH\n":                                         false,
		"PATH=" + root + "x/bin\nexport PATH\n":                                            false,
		"PATH=" + root + "/bin\nexport PATH\n\n\n":                                         false,
		"X Y=" + root + "/bin\nexport X Y\n":                                               false,
		"LD_PRELOAD=" + root + "/lib/a.so evil\nexport LD_PRELOAD\n":                       false,
	} {
		if setsEnvironment(script, root) != want {
			t.Errorf("%q: %v", script, !want)
		}
	}
}

func TestRelativeName(t *testing.T) {
	for _, tc := range [][3]string{
		{"/", "/gnu/store/x/bin", "gnu/store/x/bin"},
		{"/opt", "/gnu/store/x/", "../gnu/store/x"},
		{"/opt/gnu", "/gnu/store/x/bin", "../../gnu/store/x/bin"},
		{"/gnu", "/gnu/store/x/bin", "store/x/bin"},
		{"/gnu/store/foo", "/gnu/store/bin/bar", "../bin/bar"},
	} {
		if got := RelativeName(tc[0], tc[1]); got != tc[2] {
			t.Errorf("from %s to %s: %s, want %s", tc[0], tc[1], got, tc[2])
		}
	}
}

// onBase opens a layered pack and puts it on a layer of something else, as
// tools do that know nothing of Guix.
func onBase(t *testing.T, file string, config string, base ...*inspect.Entry) *inspect.Image {
	t.Helper()
	img := open(t, filepath.Join(fixturesDir, file))
	setConfig(img, config)
	img.Layers = append([]*inspect.Layer{{Member: "base", Entries: base, UncompressedSize: 512}}, img.Layers...)
	for i, l := range img.Layers {
		l.Index = i
	}
	img.Loose = slices.DeleteFunc(img.Loose, func(r store.Reference) bool { return r.Layer < 0 })
	return img
}

// The layers of a pack on top of another image: a recipe of theirs, and layers
// that nothing explains.
func TestLayersOnABase(t *testing.T) {
	passwd, usr := &inspect.Entry{Path: "etc/passwd", Type: '0', Size: 9, Mode: 0o644}, &inspect.Entry{Path: "usr", Type: '5', Mode: 0o755}
	for _, tc := range []struct{ name, file, config string }{
		{"no sign in the config", "images/tiny-layers4.tar.gz", `{"config":{"Env":["PATH=/usr/bin"]}}`},
		{"the environment is left", "images/tiny-layers4.tar.gz", `{"config":{"Env":["PATH=` + tinyProfile + `/bin"]}}`},
		{"a single layer", "images/tiny.tar.gz", `{"config":{}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ev, err := System{}.Recover(onBase(t, tc.file, tc.config, passwd, usr), nil)
			if err != nil {
				t.Fatal(err)
			}
			r := ev.Recipe
			if callOf(ev).Root != tinyProfile || callOf(ev).Format != formatLayers || r.Status != provenance.Partial || len(r.Packages) != 1 {
				t.Errorf("recipe %s of %s, %s, %v", r.Status, callOf(ev).Root, callOf(ev).Format, r.Packages)
			}
			if Command(callOf(ev)) != nil || !strings.Contains(texts(r.Missing), "recipe/layers-without-recipe") {
				t.Errorf("command %q, problems %q", Command(callOf(ev)), r.Missing)
			}
			wantFindings(t, ev.Closure, "base-layer base")
			if ev.Closure.Status != check.Unknown {
				t.Errorf("closure %v: %s", ev.Closure.Status, texts(ev.Closure.Reasons))
			}
		})
	}
}

// A layer that another tool put on top may hold what it likes, and nothing that
// is in the store below may be changed or hidden by it.
func TestLayersThatChangeTheStore(t *testing.T) {
	program := &inspect.Entry{Path: tinyHello[1:] + "/bin/tiny-hello", Type: '0', Size: 4, Mode: 0o555}
	for name, tc := range map[string]struct {
		top  []*inspect.Entry
		want string
	}{
		"a file of its own":        {[]*inspect.Entry{{Path: "app/main", Type: '0', Mode: 0o644}}, ""},
		"another program":          {[]*inspect.Entry{program}, "store-item-overlaid " + program.Path},
		"a program's folder again": {[]*inspect.Entry{{Path: tinyHello[1:] + "/bin", Type: '5', Mode: 0o555}}, ""},
		"another program more":     {[]*inspect.Entry{{Path: tinyHello[1:] + "/bin/evil", Type: '0', Size: 4, Mode: 0o555}}, "store-item-extended " + tinyHello[1:] + "/bin/evil"},
		"a link for the store":     {[]*inspect.Entry{{Path: "gnu", Type: '2', Linkname: "/app", Mode: 0o777}}, "store-folder-replaced gnu"},
		"an item of its own":       {[]*inspect.Entry{{Path: "gnu/store/" + hashA + "-x", Type: '5', Mode: 0o555}, {Path: "gnu/store/" + hashA + "-x/y", Type: '0', Mode: 0o444}}, ""},
		"a program hidden":         {[]*inspect.Entry{{Path: tinyHello[1:] + "/bin/.wh.tiny-hello", Type: '0', Mode: 0o644}}, "whiteout " + tinyHello[1:] + "/bin/.wh.tiny-hello"},
		"an item hidden":           {[]*inspect.Entry{{Path: "gnu/store/.wh." + tinyHello[len(storeDir):], Type: '0', Mode: 0o644}}, "store-whiteout gnu/store/.wh." + tinyHello[len(storeDir):]},
		"the store hidden":         {[]*inspect.Entry{{Path: ".wh.gnu", Type: '0', Mode: 0o644}}, "store-whiteout .wh.gnu"},
		"all of it hidden":         {[]*inspect.Entry{{Path: "gnu/.wh..wh..opq", Type: '0', Mode: 0o644}}, "store-whiteout gnu/.wh..wh..opq"},
		"everything hidden":        {[]*inspect.Entry{{Path: ".wh..wh..opq", Type: '0', Mode: 0o644}}, "store-whiteout .wh..wh..opq"},
		"something else hidden":    {[]*inspect.Entry{{Path: "etc/.wh.passwd", Type: '0', Mode: 0o644}}, ""},
	} {
		img := open(t, filepath.Join(fixturesDir, "images/tiny.tar.gz"))
		setConfig(img, `{"config":{"Env":["PATH=`+tinyProfile+`/bin"]}}`)
		img.Layers = append(img.Layers, &inspect.Layer{Index: 1, Member: "top", Entries: tc.top})
		ev, err := System{}.Recover(img, nil)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, f := range ev.Closure.Findings {
			if name := nameOf(f); strings.HasPrefix(name, "store-") || name == "whiteout" {
				found = append(found, nameOf(f)+" "+f.Path)
			}
		}
		if strings.Join(found, "; ") != tc.want || (ev.Closure.Status == check.Fail) != (tc.want != "") {
			t.Errorf("%s: %v %q", name, ev.Closure.Status, found)
		}
	}
}

// The layers of two packs are not those of one.
func TestTwoPacks(t *testing.T) {
	img := onBase(t, "images/tiny.tar.gz", `{"config":{"Env":["PATH=`+tinyProfile+`/bin"]}}`)
	img.Layers[0].Entries = open(t, filepath.Join(fixturesDir, "images/hello.tar.gz")).Layers[0].Entries
	if got := newView(img).format(tinyProfile); got != formatLayers {
		t.Errorf("form %s", got)
	}
	img.Layers = img.Layers[1:]
	if got := newView(img).format(tinyProfile); got != formatDocker {
		t.Errorf("one of them: form %s", got)
	}
}

// The same image with a config by another tool is still the pack.
func TestConfigByAnotherTool(t *testing.T) {
	img := onBase(t, "images/tiny-layers4.tar.gz", `{"architecture":"amd64","config":{"Env":["PATH=`+tinyProfile+`/bin"]}}`)
	img.Layers = img.Layers[1:]
	for i, l := range img.Layers {
		l.Index = i
	}
	ev, err := System{}.Recover(img, nil)
	if err != nil {
		t.Fatal(err)
	}
	if callOf(ev).Format != formatDocker || ev.Closure.Status != check.Pass {
		t.Errorf("%s, closure %v %+v", callOf(ev).Format, ev.Closure.Status, ev.Closure.Findings)
	}
}

// An image of several profiles: its own by the signs, and each other one a
// recipe of its own.
func TestSeveralProfiles(t *testing.T) {
	own, second, third := "/gnu/store/"+hashA+"-profile", "/gnu/store/"+hashB+"-profile", "/gnu/store/"+hashC+"-profile"
	tool := func(hash, name string) string { return "/gnu/store/" + strings.Repeat(hash, 32) + "-" + name + "-1.0" }
	var entries []entry
	for _, p := range []struct{ root, hash, name string }{{own, "1", "alpha"}, {second, "2", "beta"}, {third, "3", `gam"ma`}} {
		path := tool(p.hash, strings.ReplaceAll(p.name, `"`, ""))
		entries = append(entries, item(p.root, "manifest", oneEntry(`"`+strings.ReplaceAll(p.name, `"`, `\"`)+`"`, path))...)
		entries = append(entries, item(path, "file", "x")...)
	}
	for _, tc := range []struct {
		name string
		edit func(*archive)
		root string
		n    int // recipes beside that of the root
	}{
		{"one is its own", func(*archive) {}, own, 2},
		{"none is its own", func(a *archive) { a.folder = "x"; a.setConfig("env", []string{}) }, "", 3},
		{"a link shows it", func(a *archive) {
			a.folder = "x"
			a.setConfig("env", []string{})
			a.entries = append(a.entries, entry{name: "bin", link: second + "/bin"})
		}, second, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := packOf(own, entries...)
			tc.edit(a)
			ev := recoverFrom(t, a.write(t))
			r := ev.Recipe
			if callOf(ev).Root != tc.root || r.Status == provenance.Complete {
				t.Errorf("recipe %s of %q", r.Status, callOf(ev).Root)
			}
			found := 0
			for _, p := range r.Missing {
				if p.Code == "recipe/other-profile" {
					found++
				}
			}
			if found != tc.n {
				t.Errorf("%d profiles found, want %d: %q", found, tc.n, r.Missing)
			}
			all := texts(r.Missing)
			if tc.root == own && (!strings.Contains(all, `\"beta 1.0\"`) || !strings.Contains(all, `\"gam\\\"ma 1.0\"`)) {
				t.Errorf("problems %q", r.Missing)
			}
			for _, f := range r.Files {
				f.Name = f.Name[strings.LastIndexByte(strings.TrimSuffix(f.Name, ".scm"), '.')+1:]
				checkFile(t, f)
			}
			if want := 2 * tc.n; len(r.Files) != want && len(r.Files) != want+2 {
				t.Errorf("%d files", len(r.Files))
			}
		})
	}
}

// What has no config shows its kind of machine by the C library's loader.
func TestSystemType(t *testing.T) {
	const glibc = "gnu/store/" + hashC + "-glibc-2.41/lib/"
	for _, tc := range []struct {
		files []string
		want  string
	}{
		{nil, ""},
		{[]string{glibc + "ld-linux-aarch64.so.1"}, "aarch64-linux"},
		{[]string{glibc + "ld-linux-x86-64.so.2", "gnu/store/" + hashA + "-x/ld-linux-x86-64.so.2"}, "x86_64-linux"},
		{[]string{glibc + "ld-linux-x86-64.so.2", glibc + "ld-linux.so.2"}, ""},
		{[]string{"lib64/ld-linux-x86-64.so.2"}, ""},
	} {
		img := open(t, filepath.Join(fixturesDir, "forms/tiny-tarball.tar.gz"))
		for _, f := range tc.files {
			img.Layers[0].Entries = append(img.Layers[0].Entries, &inspect.Entry{Path: f, Type: '0', Mode: 0o444})
		}
		if got := newView(img).systemType(); got != tc.want {
			t.Errorf("%q: %q, want %q", tc.files, got, tc.want)
		}
	}
}

// Old tarballs have a symlink in a folder twice: once with the folder, and once
// as a hard link to itself.
func TestRepeatedLink(t *testing.T) {
	img := open(t, filepath.Join(fixturesDir, "forms/tiny-tarball-db.tar.gz"))
	l := img.Layers[0]
	l.Entries = append(l.Entries, &inspect.Entry{Path: "opt/gnu", Type: '1', Linkname: "./opt/gnu"})
	ev, err := System{}.Recover(img, nil)
	if err != nil {
		t.Fatal(err)
	}
	if links := callOf(ev).Symlinks; len(links) != 2 || links[1].Source != "/opt/gnu" || ev.Closure.Status != check.Pass {
		t.Errorf("links %v, closure %+v", links, ev.Closure)
	}
	l.Entries = append(l.Entries, &inspect.Entry{Path: "evil", Type: '1', Linkname: "./evil"})
	if ev, err = (System{}).Recover(img, nil); err != nil || ev.Closure.Status != check.Fail {
		t.Errorf("closure %v (%v)", ev.Closure.Status, err)
	}
}

// A distribution that has Guix installed is no pack of Guix either where it
// comes as a bare file system.
func TestDistributionWithGuix(t *testing.T) {
	for path, want := range map[string]bool{"etc/os-release": true, "usr/lib/os-release": true, "etc/evil": false} {
		for _, file := range []string{"tiny.docker-export.tar", "tiny-tarball.tar.gz"} {
			img := open(t, filepath.Join(fixturesDir, "forms", file))
			img.Layers[0].Entries = append(img.Layers[0].Entries, &inspect.Entry{Path: path, Type: '0', Mode: 0o644, Size: 1})
			_, err := System{}.Recover(img, nil)
			if errors.Is(err, provenance.ErrNotMine) != want {
				t.Errorf("%s with %s: error %v", file, path, err)
			}
		}
	}
}

// A system of Guix that has booted, and was exported then, has the files of a
// distribution, which lead into its store.
func TestBootedSystem(t *testing.T) {
	for target, want := range map[string]bool{"/gnu/store": true, "/usr/lib": false, "/etc/static": false} {
		img := open(t, filepath.Join(fixturesDir, "forms/system.tar.gz"))
		img.Transport, img.Config, img.Layers[0].Member = image.RootFS, inspect.Config{}, ""
		if target == "/gnu/store" {
			target = img.Items[0].Path
		}
		img.Layers[0].Entries = append(img.Layers[0].Entries,
			&inspect.Entry{Path: "etc/static", Type: '2', Mode: 0o777, Linkname: target},
			&inspect.Entry{Path: "etc/os-release", Type: '2', Mode: 0o777, Linkname: "/etc/static/os-release"})
		ev, err := System{}.Recover(img, nil)
		if (err == nil) != want || err == nil && (callOf(ev).Format != formatFiles || Command(callOf(ev)) != nil || ev.Closure.Status == check.Fail) {
			t.Errorf("%s: %v, %+v", target, err, ev)
		}
	}
}

// A setuid program that nobody owns stands first: in layers beside those of a pack,
// where it leaves the closure undecided, and in a pack, which it is no part of.
func TestSetuidStandsFirst(t *testing.T) {
	shell := &inspect.Entry{Path: "usr/bin/zz-shell", Type: '0', Size: 9, Mode: 0o4755}
	plain := &inspect.Entry{Path: "etc/passwd", Type: '0', Size: 9, Mode: 0o644}
	pack := open(t, filepath.Join(fixturesDir, "images/tiny.tar.gz"))
	pack.Layers[0].Entries = append(pack.Layers[0].Entries, plain, shell)
	for name, tc := range map[string]struct {
		img    *inspect.Image
		status check.Status
	}{
		"beside a pack": {onBase(t, "images/tiny.tar.gz", `{"config":{}}`, plain, shell), check.Unknown},
		"in a pack":     {pack, check.Fail},
	} {
		ev, err := System{}.Recover(tc.img, nil)
		if err != nil {
			t.Fatal(err)
		}
		if first := ev.Closure.Findings[0]; ev.Closure.Status != tc.status || first.Code != "closure/setuid-file" || first.Path != shell.Path {
			t.Errorf("%s: %v, %+v", name, ev.Closure.Status, ev.Closure.Findings)
		}
	}
}

// setConfig gives an image another config, decoded as far as it can be.
func setConfig(img *inspect.Image, text string) {
	img.Config.Raw, img.Config.File = []byte(text), v1.ConfigFile{}
	_ = json.Unmarshal(img.Config.Raw, &img.Config.File)
}
