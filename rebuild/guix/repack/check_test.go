package repack

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
)

func TestVersions(t *testing.T) {
	all := span{0, 99}
	for text, want := range map[string]span{
		"1.5":                          {5, 5},
		"1.5.0":                        {5, 5},
		"1.1-1.2":                      {1, 2},
		"1.2 or 1.1":                   {1, 2},
		"1.1 to 1.3":                   {1, 3},
		"of 2024, between 1.4 and 1.5": {4, 5},
		"1.0":                          {0, 0},
		"":                             all,
		"2025-06":                      all,
		"1.":                           all,
		"1.99999999999999999999":       all,
	} {
		if got := versions(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestCandidates(t *testing.T) {
	for text, want := range map[string]string{
		"1.0":     "Guix 1.0, Guix between 1.0 and 1.1",
		"1.1-1.2": "Guix 1.1 and 1.2, Guix between 1.0 and 1.1",
		"1.3":     "Guix 1.3, Guix between 1.3 and 1.4",
		"1.2-1.3": "Guix 1.1 and 1.2, Guix 1.3, Guix between 1.3 and 1.4",
		"1.4":     "Guix 1.4, Guix of spring 2025, before 1.5",
		"1.5":     "Guix 1.5, Guix of spring 2025, before 1.5",
		"1.7":     "Guix 1.5",
	} {
		fit, why := candidates(&inspect.Image{}, guix.Pack{Era: text})
		if got := eraNames(fit); got != want || !why.IsZero() {
			t.Errorf("%s: %s, want %s; %s", text, got, want, why)
		}
	}
	if fit, _ := candidates(&inspect.Image{}, guix.Pack{}); len(fit) != len(eras()) {
		t.Errorf("unknown era: %s", eraNames(fit))
	}
}

func eraNames(list []era) string {
	var names []string
	for _, e := range list {
		names = append(names, e.name)
	}
	return strings.Join(names, ", ")
}

// The version of the profile's manifest is firmer than what the recipe took
// for the era.
func TestManifestTellsEra(t *testing.T) {
	for _, c := range []struct{ sample, era, want string }{
		{sortedImage, "1.4", "Guix 1.0, Guix 1.1 and 1.2, Guix 1.3, Guix between 1.0 and 1.1"},
		{sortedImage, "1.2", "Guix 1.1 and 1.2"},
		{oldestImage, "", "Guix 1.0, Guix 1.1 and 1.2, Guix 1.3, Guix between 1.0 and 1.1"},
		{plainImage, "1.3", "Guix 1.4, Guix 1.5, Guix of spring 2025, before 1.5"},
		{plainImage, "", "Guix 1.4, Guix 1.5, Guix of spring 2025, before 1.5"},
	} {
		img := open(t, filepath.Join(samples, c.sample))
		fit, why := candidates(img, packIn(t, img, c.era))
		if got := eraNames(fit); got != c.want {
			t.Errorf("%s as %s: %s, want %s", c.sample, c.era, got, c.want)
		}
		if doubted := !why.IsZero(); doubted != (c.era == "1.4" || c.era == "1.3") {
			t.Errorf("%s as %s: %s", c.sample, c.era, why)
		}
	}
	img := open(t, filepath.Join(samples, sortedImage))
	img.Config.File.History = make([]v1.History, 1) // a later packer, given an older profile
	if fit, _ := candidates(img, packIn(t, img, "1.5")); eraNames(fit) != "Guix 1.5, Guix of spring 2025, before 1.5" {
		t.Errorf("version 3 and a history: %s", eraNames(fit))
	}
}

// That tar did not sort is a freedom of those alone who packed without sorting,
// and an order of names is none of theirs.
func TestBetweenReleases(t *testing.T) {
	for sample, want := range map[string]string{
		"eras/era-81c3dc3224-single-gzip.tar.gz":  "Guix between 1.0 and 1.1",
		"eras/era-18a4882e30-single-gzip.tar.gz":  "Guix 1.3",
		"eras/era-9f00e7429d-single-gzip.tar.gz":  "Guix between 1.3 and 1.4; the order inside folders is readdir's",
		"eras/era-d3d3eedf7f-layers6-gzip.tar.gz": "Guix 1.4; the split over layers follows the builder's file system; the order inside folders is readdir's; the owner is the builder's",
	} {
		img := openAll(t, filepath.Join(samples, sample))
		ev, err := guix.System{}.Recover(img, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c := Check(img, ev.Recipe); c.Status != check.Pass || !strings.HasSuffix(summaryOf(c), "by the rules of "+want) {
			t.Errorf("%s: %v, %s", sample, c.Status, summaryOf(c))
		}
	}
	for sample, want := range map[string]bool{sortedImage: false, oldestImage: false, "eras/era-9f00e7429d-single-gzip.tar.gz": true} {
		img := openAll(t, filepath.Join(samples, sample))
		ev, err := guix.System{}.Recover(img, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"1.3", "between 1.3 and 1.4", "1.4", "1.5"} {
			pack := callOf(ev.Recipe)
			pack.Era = text
			fit, _ := candidates(img, pack)
			unsorted := slices.ContainsFunc(fit, func(e era) bool { return !e.sorted })
			if unsorted != want {
				t.Errorf("%s, said to be %s: %s", sample, text, eraNames(fit))
			}
		}
	}
}

func TestManifestVersion(t *testing.T) {
	for text, want := range map[string]int{
		"(manifest (version 3) (packages ()))":          3,
		";; words\n;; more\n\n(manifest\n  (version 4)": 4,
		"(manifest (version 12))":                       12,
		"(manifest (version x))":                        0,
		"(manifest":                                     0,
		"":                                              0,
	} {
		if got := manifestVersion([]byte(text)); got != want {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestNothingToPack(t *testing.T) {
	img := open(t, filepath.Join(samples, plainImage))
	good := recipeOf(t, img, "1.5")
	for _, c := range []struct {
		name   string
		change func(*provenance.Recipe)
		says   string
	}{
		{"another system", func(r *provenance.Recipe) { r.System = "nix" }, "nix"},
		{"no system", func(r *provenance.Recipe) { *r = provenance.Recipe{System: provenance.UnknownSystem} }, "unknown"},
		{"another format", changePack(func(p *guix.Pack) { p.Format = "squashfs" }), "repack/squashfs"},
		{"no profile", changePack(func(p *guix.Pack) { p.Root = "" }), "profile"},
	} {
		r := good
		c.change(&r)
		got := Check(img, r)
		if got.ID != check.Repack || got.Status != check.Skipped || !strings.Contains(summaryOf(got), c.says) || got.Bytes != 0 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if got := Check(&inspect.Image{}, good); got.Status != check.Skipped {
		t.Errorf("no layers: %+v", got)
	}
	img.Layers[0].Broken = errors.New("cut short")
	if got := Check(img, good); got.Status != check.Unknown || len(got.Findings) != 1 || !strings.Contains(wordsOf(got.Findings[0]), "cut short") {
		t.Errorf("broken layer: %+v", got)
	}
}

// changePack changes the packer's call in a recipe.
func changePack(change func(*guix.Pack)) func(*provenance.Recipe) {
	return func(r *provenance.Recipe) {
		pack := callOf(*r)
		change(&pack)
		r.Details = pack
	}
}

// With the era unknown each is tried, and the image still passes.
func TestUnknownEra(t *testing.T) {
	for _, path := range images(t) {
		img := open(t, path)
		if got := Check(img, recipeOf(t, img, "")); got.Status != check.Pass {
			t.Errorf("%s: %s", path, summaryOf(got))
		}
	}
}

// The rules of one era are not those of another.
func TestWrongEra(t *testing.T) {
	for sample, era := range map[string]string{
		oldestImage: "1.1-1.2", sortedImage: "1.3", "eras/era-v1.4.0-single-gzip.tar.gz": "1.5",
		plainImage: "1.4", layeredImage: "1.4", linkedImage: "1.4",
	} {
		img := open(t, filepath.Join(samples, sample))
		if got := Check(img, recipeOf(t, img, era)); got.Status != check.Fail {
			t.Errorf("%s as %s: %s, %s", sample, era, got.Status, summaryOf(got))
		}
	}
}

// What is left to chance is named, and only where it was needed.
func TestFreedoms(t *testing.T) {
	for _, c := range []struct {
		sample string
		rules  string
		says   string
	}{
		{plainImage, "item-order readdir-order", "repack/item-order"},
		{"images/tiny.other-ext4.tar.gz", "item-order readdir-order", "readdir's"},
		{layeredImage, "split-by-size", "ext4"},
		{"images/tiny-layers4.tmpfs-store.tar.gz", "split-by-size", "tmpfs"},
		{oldestImage, "item-order-differs", "repack/item-order-differs"},
	} {
		img := open(t, filepath.Join(samples, c.sample))
		got := Check(img, recipeOf(t, img, eraOf(filepath.Base(c.sample))))
		var rules []string
		named := false
		for _, f := range got.Findings {
			rules = append(rules, nameOf(f))
			named = named || strings.Contains(wordsOf(f), c.says)
			if f.Level != check.Note {
				t.Errorf("%s: %+v", c.sample, f)
			}
		}
		if strings.Join(rules, " ") != c.rules || !named {
			dump(t, got)
			t.Errorf("%s: want %s saying %q", c.sample, c.rules, c.says)
		}
	}
}

// An order of items that is neither Guix's on a known file system nor
// impossible is not called good.
func TestUndecidedSplit(t *testing.T) {
	raw := apart(t, filepath.Join(samples, layeredImage))
	l := raw.layers[2]
	i, j := l.find(t, "-tiny-hello-3.2/"), l.find(t, "-tiny-lib-2.1/")
	hello, lib := slices.Clone(l.members[i:j]), slices.Clone(l.members[j:j+3])
	copy(l.members[i:], slices.Concat(lib, hello))
	img := open(t, raw.pack(t))
	if got := Check(img, recipeOf(t, img, "1.5")); got.Status != check.Unknown || got.Bytes != 40960 {
		dump(t, got)
		t.Error("want unknown")
	}
}

// A hostile image with more faults than anyone would read.
func TestManyProblems(t *testing.T) {
	raw := apart(t, filepath.Join(samples, sortedImage))
	for _, m := range raw.layers[0].members {
		m.set(136, "00000000002")
	}
	img := open(t, raw.pack(t))
	got := Check(img, recipeOf(t, img, "1.2"))
	n := len(img.Layers[0].Entries)
	if got.Status != check.Fail || !strings.HasSuffix(summaryOf(got), "problems: "+strconv.Itoa(n)) || !slices.ContainsFunc(got.Findings, func(f check.Finding) bool { return f.Args.Int("more") == int64(n-maxAlike) }) || len(got.Findings) > maxAlike+5 {
		dump(t, got)
		t.Errorf("%d findings for %d faults", len(got.Findings), n)
	}
}

// The check of anything is the same twice.
func TestDeterministic(t *testing.T) {
	raw := apart(t, filepath.Join(samples, linkedImage))
	raw.layers[1], raw.layers[4] = raw.layers[4], raw.layers[1]
	img := open(t, raw.pack(t))
	recipe := recipeOf(t, img, "1.5")
	first := Check(img, recipe)
	for range 20 {
		if again := Check(img, recipe); !reflect.DeepEqual(again, first) {
			t.Fatal("not the same twice")
		}
	}
}
