package repack

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

const samples = "../../../fixtures/guix"

// open reads an image and keeps what Check can use.
func open(t testing.TB, path string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), path, inspect.Options{Keep: Keep, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// recipeOf returns what a sample says of its making, in the simplest way.
func recipeOf(t testing.TB, img *inspect.Image, era string) provenance.Recipe {
	t.Helper()
	pack := provenance.Pack{Format: "docker", Era: era}
	for _, it := range img.Items {
		if strings.HasSuffix(it.Path, "-profile") {
			pack.Root = it.Path
		}
	}
	for _, f := range img.Files() {
		if target, ok := strings.CutPrefix(f.Linkname, pack.Root+"/"); ok && f.Type == '2' && itemOf(f.Path) == "" {
			pack.Symlinks = append(pack.Symlinks, provenance.Symlink{Source: "/" + f.Path, Target: target})
		}
		pack.Database = pack.Database || f.Path == "var/guix/db/db.sqlite"
	}
	if n := len(img.Layers); n > 1 {
		pack.MaxLayers = n
	}
	if entry := img.Config.File.Config.Entrypoint; len(entry) > 0 {
		pack.EntryPoint = append([]string{strings.TrimPrefix(entry[0], pack.Root+"/")}, entry[1:]...)
	}
	return provenance.Recipe{System: provenance.Guix, Status: provenance.Complete, Pack: pack}
}

// eraOf tells the era of a sample by its file name.
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

func dump(t testing.TB, c check.Check) {
	t.Helper()
	t.Logf("%s: %s (%d bytes)", c.Status, c.Summary, c.Bytes)
	for _, f := range c.Findings {
		t.Logf("  %s %s layer %d %s: %s", f.Level, f.Rule, f.Layer, f.Path, f.Words)
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
