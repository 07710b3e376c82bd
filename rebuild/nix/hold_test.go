package nix

import (
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/rebuild/drv"
)

func miniGraph(t *testing.T) *graph {
	t.Helper()
	g, err := readGraph(imageDrv, func(p string) (*drv.Derivation, error) {
		return drv.Read(filepath.Join(samples, "drv-mini", filepath.Base(p)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestHold(t *testing.T) {
	const other, foreignRoot = "/nix/store/00000000000000000000000000000000-words-1.0", "/nix/store/00000000000000000000000000000000-x-customisation-layer"
	for _, tc := range []struct {
		name   string
		items  []string
		root   string
		tag    string
		open   bool
		status check.Status
		text   string // in the summary
		rules  string
	}{
		{"all", []string{greeter, libgreet, words_}, "", "", false, check.Pass, "all 3", ""},
		{"with the customisation layer", []string{greeter}, closure, "", false, check.Pass, "and that of its customisation layer", ""},
		{"the customisation layer alone", nil, closure, "", false, check.Pass, "all 0, and that", ""},
		{"another customisation layer", []string{greeter}, foreignRoot, "", false, check.Fail, "another customisation layer", "customisation-not-derived"},
		{"another package", []string{greeter, other}, "", "", false, check.Fail, "1 of 2 store items", "item-not-derived"},
		{"known only after the build", []string{greeter, other}, "", "", true, check.Unknown, "only after the build", "item-not-derived"},
		{"no store items", nil, "", "", false, check.Unknown, "no store items", ""},
		{"a tag that is a hash", []string{greeter}, "", "9lq92qysbnwirh5cywzs5aysjfq8ds48", false, check.Pass, "all 1", "tag-of-derivation"},
		{"a tag that is another hash", []string{greeter}, "", "00000000000000000000000000000000", false, check.Pass, "all 1", "tag-of-derivation"},
		{"a tag", []string{greeter}, "", "v1", false, check.Pass, "all 1", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := miniGraph(t)
			g.open = tc.open
			img := imageOf(tc.items...)
			if tc.tag != "" {
				img.Tags = []string{"mini:" + tc.tag}
			}
			c := hold(g, tc.root, img)
			var rules []string
			for _, f := range c.Findings {
				rules = append(rules, f.Rule)
			}
			if c.ID != check.Derivation || c.Status != tc.status || !strings.Contains(c.Summary, tc.text) || strings.Join(rules, " ") != tc.rules {
				t.Errorf("%v: %s: %+v", c.Status, c.Summary, c.Findings)
			}
		})
	}
	c := hold(miniGraph(t), "", imageOf(other))
	if want := "no derivation of the recipe makes it; Nix computes " + words_ + " instead"; c.Findings[0].Words != want {
		t.Errorf("%s", c.Findings[0].Words)
	}
}
