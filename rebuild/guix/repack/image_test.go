package repack

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/report"
)

const samples = "../../../fixtures/guix"

// open reads an image and keeps what Check can use.
func open(t testing.TB, path string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores(), Keep: Keep, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// recipeOf returns what a sample says of its making, in the simplest way.
func recipeOf(t testing.TB, img *inspect.Image, era string) provenance.Recipe {
	t.Helper()
	pack := guix.Pack{Format: "docker", Era: era}
	for _, it := range img.Items {
		if strings.HasSuffix(it.Path, "-profile") {
			pack.Root = it.Path
		}
	}
	for _, f := range img.Files() {
		if target, ok := strings.CutPrefix(f.Linkname, pack.Root+"/"); ok && f.Type == '2' && itemOf(f.Path) == "" {
			pack.Symlinks = append(pack.Symlinks, guix.Symlink{Source: "/" + f.Path, Target: target})
		}
		pack.Database = pack.Database || f.Path == "var/guix/db/db.sqlite"
	}
	if n := len(img.Layers); n > 1 {
		pack.MaxLayers = n
	}
	if entry := img.Config.File.Config.Entrypoint; len(entry) > 0 {
		pack.EntryPoint = append([]string{strings.TrimPrefix(entry[0], pack.Root+"/")}, entry[1:]...)
	}
	return provenance.Recipe{System: guix.Name, Status: provenance.Complete, Details: pack}
}

// eraOf infers the era of a sample from its file name.
func eraOf(name string) string {
	commits := map[string]string{"81c3dc3224": "between 1.0 and 1.1", "18a4882e30": "1.3", "9f00e7429d": "between 1.3 and 1.4", "d3d3eedf7f": "1.4"}
	if rest, ok := strings.CutPrefix(name, "era-"); ok && commits[rest[:10]] != "" {
		return commits[rest[:10]]
	}
	if rest, ok := strings.CutPrefix(name, "era-v"); ok {
		version, _, _ := strings.Cut(rest, "-")
		return version[:3]
	}
	return "1.5"
}

// images lists the docker images among the samples.
func images(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"images/*.tar*", "eras/*.tar*", "realpack/*docker*.tar.gz"} {
		found, err := filepath.Glob(filepath.Join(samples, pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 20 {
		t.Fatalf("only %d samples", len(all))
	}
	slices.Sort(all)
	return all
}

// nameOf is the code of a finding without its check.
func nameOf(f check.Finding) string { return strings.TrimPrefix(f.Code, "repack/") }

// familyOf is what findings of one kind have in common, by which tables name them.
func familyOf(f check.Finding) string {
	families := map[string]string{
		"entry-outside-folder": "entry-order", "argument-order": "entry-order", "sequence-order": "entry-order",
		"duplicate-item": "duplicate-entry", "layer-items": "layer-split", "unexpected-item": "unexpected-entry",
		"config-field-missing": "config-differs", "config-field-unexpected": "config-differs", "config-text-differs": "config-differs", "config-not-json": "config-differs",
		"hard-link-dereferenced": "hard-link", "hard-link-target": "hard-link", "hard-link-type": "hard-link", "hard-link-item": "hard-link",
		"header-unreadable": "header-differs", "header-checksum": "header-differs", "header-size-differs": "header-differs",
	}
	if family, ok := families[nameOf(f)]; ok {
		return family
	}
	return nameOf(f)
}

// wordsOf is the sentence of a finding, and its code and arguments.
func wordsOf(f check.Finding) string {
	return report.AllSentences().Text(f.Message) + " " + f.Message.String()
}

// summaryOf is the sentences of the reasons of a check.
func summaryOf(c check.Check) string { return report.AllSentences().Join(c.Reasons) }

// callOf returns how the packer of a recipe was called.
func callOf(r provenance.Recipe) guix.Pack {
	pack, _ := guix.PackOf(r)
	return pack
}

// packIn is the packer's call that recipeOf makes up.
func packIn(t testing.TB, img *inspect.Image, era string) guix.Pack {
	return callOf(recipeOf(t, img, era))
}

func dump(t testing.TB, c check.Check) {
	t.Helper()
	t.Logf("%s: %s (%d bytes)", c.Status, summaryOf(c), c.Bytes)
	for _, f := range c.Findings {
		t.Logf("  %s %s layer %d %s: %s", f.Level, nameOf(f), f.Layer, f.Path, wordsOf(f))
	}
}

func TestSamples(t *testing.T) {
	for _, path := range images(t) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			img := open(t, path)
			c := Check(img, recipeOf(t, img, eraOf(name)))
			if c.Status != check.Pass {
				t.Errorf("not a pass")
			}
			dump(t, c)
		})
	}
}
