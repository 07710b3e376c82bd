package nix

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect/check"
)

const (
	words    = "/nix/store/c74vd3v4h465mkqqz3687yavpimpygqj-words-1.0"
	greeter  = "/nix/store/kgkqbj81sj25lris3la9xjd4w34z4yh3-greeter-1.0"
	libgreet = "/nix/store/ry9087l700hqkcyng71y4gv882nxi18i-libgreet-1.0"
)

func TestClosureOfSamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixturesDir, "images-*", "*.tar.gz"))
	if err != nil || len(files) < 13 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		c := recoverFrom(t, file).Closure
		if c.ID != check.Closure || c.Status != check.Pass || c.Bytes == 0 {
			t.Errorf("%s: %v, %v: %+v", file, c.Status, c.Reasons, c.Findings)
		}
	}
}

func TestClosureReasons(t *testing.T) {
	c := recoverFrom(t, sample("images-mini/withdb.tar.gz")).Closure
	want := []check.Message{
		check.Say("closure/explained-from-root", "explained", 27, "entries", 27, "in-store", 11, "items", 3, "packed", 16),
		check.Say("closure/database-rows", "rows", 3),
	}
	if diff := cmp.Diff(want, c.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// One thing changed in a sample, and everything hashed again.
func TestClosureOfTamperedImages(t *testing.T) {
	const inGreeter = "nix/store/kgkqbj81sj25lris3la9xjd4w34z4yh3-greeter-1.0/"
	for _, tc := range []struct {
		name   string
		sample string
		edit   fixtures.Edit
		status check.Status
		want   []string
	}{
		{"a file outside the store", "images-mini/single.tar.gz", fixtures.AddFileOutsideStore("etc/cron.d/evil", "* * * * *"), check.Unknown, []string{"unexplained-file etc/cron.d/evil"}},
		{"a file in the store's folder", "images-mini/single.tar.gz", fixtures.AddFileOutsideStore("nix/store/evil", "x"), check.Fail, []string{"not-a-store-item nix/store/evil"}},
		{"a file beside the database", "images-mini/withdb.tar.gz", fixtures.AddFileOutsideStore("nix/var/nix/db/db.sqlite-wal", "x"), check.Unknown, []string{"unexplained-file nix/var/nix/db/db.sqlite-wal"}},
		{"something in the file that is to be empty", "images-mini/withdb.tar.gz", fixtures.ReplaceFile("nix/var/nix/db/reserved", "not zeros"), check.Unknown, []string{"unexplained-file nix/var/nix/db/reserved"}},
		{"an item removed", "images-mini/single.tar.gz", fixtures.RemoveItem("libgreet-1.0"), check.Fail, []string{"missing-reference " + inGreeter + "bin/greeter", "unreferenced-item " + words}},
		{"an item removed that the history lists", "images-mini/layered.tar.gz", fixtures.RemoveItem("words-1.0"), check.Fail, []string{"history-item-missing " + words, "missing-reference nix/store/ry9087l700hqkcyng71y4gv882nxi18i-libgreet-1.0/lib/greet.sh"}},
		{"an item removed that the database lists", "images-mini/withdb.tar.gz", fixtures.RemoveItem("words-1.0"), check.Fail, []string{"database-item-missing " + DatabasePath, "missing-reference nix/store/ry9087l700hqkcyng71y4gv882nxi18i-libgreet-1.0/lib/greet.sh", "references-differ " + libgreet}},
		{"an item added", "images-mini/single.tar.gz", fixtures.AddFileOutsideStore(strings.TrimPrefix(goneItem, "/"), "evil"), check.Fail, []string{"store-item-mode " + goneItem[1:], "unreferenced-item " + goneItem}},
		{"a file added inside an item", "images-mini/withdb.tar.gz", fixtures.AddFileInsideItem("words-1.0", "evil", "x"), check.Fail, []string{"nar-hash-differs " + words, "nar-size-differs " + words}},
		{"a byte changed inside an item", "images-mini/withdb.tar.gz", fixtures.ChangeByteInsideItem("share/word", 1), check.Fail, []string{"nar-hash-differs " + words}},
		{"a byte changed inside an item, and no database", "images-mini/single.tar.gz", fixtures.ChangeByteInsideItem("share/word", 1), check.Pass, nil},
		{"a setuid bit in the store", "images-mini/single.tar.gz", fixtures.SetSetuid("greeter-1.0/bin/greeter"), check.Fail, nil},
		{"another mode in the store", "images-mini/single.tar.gz", fixtures.ChangeMode("share/word", 0o644), check.Fail, []string{"store-item-mode nix/store/c74vd3v4h465mkqqz3687yavpimpygqj-words-1.0/share/word"}},
		{"a link to nowhere", "images-mini/single.tar.gz", fixtures.ChangeLink("./bin/greeter", "/nowhere"), check.Unknown, []string{"unexplained-file bin/greeter"}},
		{"a link to what is missing", "images-mini/single.tar.gz", fixtures.ChangeLink("./bin/greeter", goneItem+"/bin/x"), check.Fail, []string{"missing-reference bin/greeter", "unexplained-file bin/greeter"}},
		{"a history that lists something else", "images-mini/layered.tar.gz", fixtures.ReplaceInConfig("store paths: ['"+words, "store paths: ['"+goneItem), check.Fail, []string{"history-item-missing " + goneItem, "history-lacks-item " + words}},
		{"a history that is no list", "images-mini/layered.tar.gz", fixtures.ReplaceInConfig("store paths: ['"+words+"']", "store paths: ['"+words), check.Unknown, []string{"history-unread ./config.json"}},
		{"a history that lists items twice", "images-forms/stream-merged.tar.gz", fixtures.ReplaceInConfig("store paths: ['"+words+"']", "store paths: ['"+words+"', '"+libgreet+"']"), check.Fail, []string{"history-item-missing " + libgreet}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := recoverFrom(t, tampered(t, tc.sample, tc.edit)).Closure
			if c.Status != tc.status {
				t.Errorf("%v, want %v: %v: %+v", c.Status, tc.status, c.Reasons, c.Findings)
			}
			if tc.want != nil {
				for i, f := range c.Findings { // the config has a new name
					if strings.HasSuffix(f.Path, ".json") {
						c.Findings[i].Path = "./config.json"
					}
				}
				wantFindings(t, c, tc.want...)
			}
		})
	}
}

// An item that only the history names is reached by nothing.
func TestHistoryIsNoRoot(t *testing.T) {
	m := ofNix2container(append(toTool(), entry{name: goneItem, mode: 0o444, body: "hidden"}))
	c := recoverFrom(t, m.write(t)).Closure
	wantFindings(t, c, "unreferenced-item-of-deps "+goneItem)
	if c.Status != check.Unknown {
		t.Errorf("nix2container takes in any item, and the check is %v", c.Status)
	}
	v := newView(open(t, sample("images-mini/layered.tar.gz")))
	if !v.inConfig(greeter) || v.inConfig(words) {
		t.Error("what the config names is not what the history names")
	}
}

// Manuals and Nix itself hold examples of store paths; a shebang is none.
func TestReferencesThatMayDangle(t *testing.T) {
	for _, tc := range []struct {
		name, path, text string
		status           check.Status
	}{
		{"a program", "/bin/tool", "#!" + goneItem + "/bin/sh", check.Fail},
		{"a manual", "/share/doc/tool/README", "see " + goneItem, check.Unknown},
		{"a derivation", "/bin/tool", goneItem + ".drv", check.Unknown},
	} {
		entries := append(toTool()[:4:4], entry{name: toolItem + tc.path, mode: 0o444, body: tc.text})
		m := ofNix2container(entries)
		m.layers[0][0].name = "/nix/" // a Python writer's name: an unknown packer
		c := recoverFrom(t, m.write(t)).Closure
		if c.Status != tc.status {
			t.Errorf("%s: %v: %+v", tc.name, c.Status, c.Findings)
		}
	}
}

// Files at the root that are those of a store item, at the same place.
func TestCopiesAtTheRoot(t *testing.T) {
	for _, tc := range []struct {
		name string
		entry
		want []string
	}{
		{"a copy", entry{name: "/bin/tool", mode: 0o555, body: "#!" + libItem}, nil},
		{"another content", entry{name: "/bin/tool", mode: 0o555, body: "#!/bin/evil"}, []string{"unexplained-file bin/tool"}},
		{"another place", entry{name: "/sbin/tool", mode: 0o555, body: "#!" + libItem}, []string{"unexplained-file sbin/tool"}},
		{"not executable", entry{name: "/bin/tool", mode: 0o444, body: "#!" + libItem}, []string{"unexplained-file bin/tool"}},
		{"setuid", entry{name: "/bin/tool", mode: 0o4555, body: "#!" + libItem}, []string{"setuid-file bin/tool"}},
		{"a whiteout", entry{name: "/bin/.wh.tool", mode: 0o444, body: "x"}, []string{"whiteout bin/.wh.tool"}},
		{"a folder that anyone may write to", entry{name: "/srv", mode: 0o777}, []string{"unexplained-file srv"}},
		{"the folder for temporary files", entry{name: "/tmp", mode: 0o1777}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := recoverFrom(t, ofNix2container(append(toTool(), tc.entry)).write(t)).Closure
			wantFindings(t, c, tc.want...)
		})
	}
}

// What buildLayeredImage of old took in, and what it did not.
func TestItemsOfOldPackers(t *testing.T) {
	for name, want := range map[string]bool{"bulk-layers": true, "x-config.json": true, "bulk-layers-1": false, "evil": false} {
		if got := buildLayered.takesIn(name); got != want || streamLayered.takesIn(name) || buildImage.takesIn(name) {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// The layers of a base image are not explained, and the image's own still are.
func TestBaseImage(t *testing.T) {
	m := ofNix2container(toTool())
	m.layers = append([][]entry{{{name: "etc/", mode: 0o755}, {name: "etc/passwd", mode: 0o644, body: "root"}}}, m.layers...)
	m.config["history"] = []map[string]any{{}, {"created_by": "nix2container"}}
	c := recoverFrom(t, m.write(t)).Closure
	if c.Status != check.Unknown || len(c.Findings) != 1 || c.Findings[0].Code != "closure/base-layer" || c.Findings[0].Layer != 0 {
		t.Errorf("%v: %+v", c.Status, c.Findings)
	}
}

func TestImageWithoutStoreItems(t *testing.T) {
	m := ofNix2container([]entry{{name: "/", mode: 0o755}, {name: "/bin", mode: 0o755}})
	c := recoverFrom(t, m.write(t)).Closure
	wantFindings(t, c, "no-store-items ")
}

// A base whose layers begin with the folder "/", too, is told from nix2container's
// layers by the history, unless it has store items.
func TestBaseWithTheSameFirstFolder(t *testing.T) {
	for _, tc := range []struct {
		base []entry
		want int
	}{
		{[]entry{{name: "/", mode: 0o755}, {name: "/app", mode: 0o755, body: "app"}}, 1},
		{[]entry{{name: "/", mode: 0o755}, {name: libItem, mode: 0o444, body: "lib"}}, 0},
	} {
		m := ofNix2container(toTool())
		m.layers = append([][]entry{tc.base}, m.layers...)
		m.config["history"] = []map[string]any{{"created_by": "/kaniko/executor"}, {"created_by": "nix2container"}}
		pack, _ := PackOf(recoverFrom(t, m.write(t)).Recipe)
		if pack.Format != Nix2containerFormat || pack.BaseLayers != tc.want {
			t.Errorf("%+v, want %d layers of a base", pack, tc.want)
		}
	}
}
