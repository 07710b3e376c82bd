package nix

import (
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/rebuild/drv"
	"audit/rebuild/store"
)

func miniGraph(t *testing.T) *store.Graph {
	t.Helper()
	g, err := store.ReadGraph(imageDrv, func(p string) (*drv.Derivation, error) {
		return drv.Read(filepath.Join(samples, "drv-mini", filepath.Base(p)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestCheckDerivation(t *testing.T) {
	const other, foreignRoot = "/nix/store/00000000000000000000000000000000-words-1.0", "/nix/store/00000000000000000000000000000000-x-customisation-layer"
	for _, tc := range []struct {
		name   string
		items  []string
		root   string
		tag    string
		open   bool
		status check.Status
		text   string // of the reasons
		rules  string
	}{
		{"all", []string{greeter, libgreet, words_}, "", "", false, check.Pass, "derivation/all-derived items=3", ""},
		{"with the customisation layer", []string{greeter}, closure, "", false, check.Pass, "derivation/all-derived items=1; derivation/customisation-derived", ""},
		{"the customisation layer alone", nil, closure, "", false, check.Pass, "derivation/all-derived items=0; derivation/customisation-derived", ""},
		{"another customisation layer", []string{greeter}, foreignRoot, "", false, check.Fail, "derivation/customisation-differs", "customisation-not-derived"},
		{"another package", []string{greeter, other}, "", "", false, check.Fail, "derivation/items-differ differing=1 items=2", "item-not-derived"},
		{"known only after the build", []string{greeter, other}, "", "", true, check.Unknown, "derivation/known-after-build items=1", "item-not-derived"},
		{"no store items", nil, "", "", false, check.Unknown, "derivation/no-items", ""},
		{"a tag that is a hash", []string{greeter}, "", "9lq92qysbnwirh5cywzs5aysjfq8ds48", false, check.Pass, "derivation/all-derived items=1", "tag-of-derivation"},
		{"a tag that is another hash", []string{greeter}, "", "00000000000000000000000000000000", false, check.Pass, "derivation/all-derived items=1", "tag-of-none"},
		{"a tag", []string{greeter}, "", "v1", false, check.Pass, "derivation/all-derived items=1", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := miniGraph(t)
			g.Open = tc.open
			img := imageOf(tc.items...)
			if tc.tag != "" {
				img.Tags = []string{"mini:" + tc.tag}
			}
			c := checkDerivation(g, tc.root, img)
			var rules []string
			for _, f := range c.Findings {
				_, rule, _ := strings.Cut(f.Code, "/")
				rules = append(rules, rule)
			}
			if c.ID != check.Derivation || c.Status != tc.status || reasons(c) != tc.text || strings.Join(rules, " ") != tc.rules {
				t.Errorf("%v: %s: %+v", c.Status, reasons(c), c.Findings)
			}
		})
	}
	c := checkDerivation(miniGraph(t), "", imageOf(other))
	if got := c.Findings[0].Args.String("instead"); got != words_ {
		t.Errorf("instead of it %s", got)
	}
}

// reasons writes why a check ended as it did.
func reasons(c check.Check) string {
	var all []string
	for _, m := range c.Reasons {
		all = append(all, strings.ReplaceAll(m.String(), `"`, ""))
	}
	return strings.Join(all, "; ")
}
