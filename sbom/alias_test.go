package sbom

import (
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/provenance"
	"audit/provenance/ospackages"
)

// TestAlias: name and version are those of the path; what a profile manifest
// calls the item instead is an alias, in both forms.
func TestAlias(t *testing.T) {
	const prefix = "/gnu/store/1234567890abcdfghijklmnpqrsvwxyz-"
	img := &inspect.Image{Layers: []*inspect.Layer{{}}, Items: []inspect.StoreItem{
		{Path: prefix + "demo-1.0.9"}, {Path: prefix + "font-7x13-1.0-lib"}, {Path: prefix + "plain"},
	}}
	ev := &provenance.Evidence{Recipe: provenance.Recipe{Packages: []provenance.Package{
		{Name: "demo", Version: "1.0.1", Output: "out", Path: prefix + "demo-1.0.9"},
		{Name: "font-7x13", Version: "1.0", Output: "lib", Path: prefix + "font-7x13-1.0-lib"},
		{Name: "plain", Output: "out", Path: prefix + "plain"},
	}}}
	b := Collect(img, ev, Options{Stores: []Store{guixStore}})
	for i, want := range []struct{ name, version, output, alias string }{
		{"demo", "1.0.9", "", "demo 1.0.1"}, {"font-7x13", "1.0", "lib", ""}, {"plain", "", "", ""},
	} {
		it := b.Items[i]
		if it.Name != want.name || it.Version != want.version || it.Output != want.output || it.Alias != want.alias {
			t.Errorf("%s is %s %s %s, alias %q; want %+v", it.Path, it.Name, it.Version, it.Output, it.Alias, want)
		}
	}
	if text := string(writeSPDX(t, b)); !strings.Contains(text, "The recipe calls it demo 1.0.1.") {
		t.Error("SPDX has no alias")
	}
	if text := string(writeCycloneDX(t, b)); !strings.Contains(text, "demo 1.0.1") || strings.Count(text, `"recipe"`) != 2 {
		t.Error("CycloneDX has no alias, or another identity than the two of the recipe")
	}
}

// TestPackagesOfEvidence: the bill has the packages that were read with the
// evidence, and does not read the databases again.
func TestPackagesOfEvidence(t *testing.T) {
	img, err := inspect.Open(t.Context(), needing(t), inspect.Options{Stores: fixtures.Stores(), Keep: Keep})
	if err != nil {
		t.Fatal(err)
	}
	ev := &provenance.Evidence{Installed: &ospackages.Installed{Packages: []ospackages.Package{{Manager: ospackages.Apk, Name: "only", Version: "1"}}}}
	if b := Collect(img, ev, Options{}); len(b.Parts) != 1 || b.Parts[0].Name != "only" {
		t.Errorf("parts %q, want the one of the evidence", described(b))
	}
}
