package guix

import (
	"path/filepath"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/storedb"
)

// A database that says something else than what the items are.
func TestDatabaseThatDisagrees(t *testing.T) {
	img := open(t, filepath.Join(fixturesDir, "images/tiny-localstatedir.tar.gz"))
	v := newView(img)
	lib := v.items[tinyLib]
	img.Items = []inspect.StoreItem{*lib, *v.items[tinyHello]}
	c := &closureCheck{view: v, script: tinyHello}
	c.compareRows([]storedb.Item{{Path: tinyLib, Hash: lib.NarHash.String(), NarSize: lib.NarSize, References: lib.References}}, 0)
	c.compareRows([]storedb.Item{{Path: tinyLib, Hash: lib.NarHash.String(), NarSize: -1, References: lib.References}}, 0)
	if len(c.All()) > 0 {
		t.Errorf("findings where all agrees: %+v", c.All())
	}
	c.script = ""
	c.compareRows([]storedb.Item{{Path: tinyLib, Hash: "sha256:00", NarSize: 1, References: []string{tinyHello}}, {Path: "/gnu/store/x\n"}}, 0)
	out := check.Check{Findings: c.All()}
	wantFindings(t, out, "nar-hash-differs "+tinyLib, "nar-size-differs "+tinyLib, "references-differ "+tinyLib,
		"database-item-missing "+databasePath, "database-lacks-item "+tinyHello)
	const want = `closure/references-differ absent="` + tinyHello + `" unrecorded="` + tinyData + `"`
	if got := c.All()[2].Message.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
