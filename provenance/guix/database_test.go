package guix

import (
	"path/filepath"
	"testing"

	"audit/inspect"
	"audit/provenance/storedb"
)

// A database that says something else than what the items are.
func TestDatabaseThatDisagrees(t *testing.T) {
	img := open(t, filepath.Join(fixturesDir, "images/tiny-localstatedir.tar.gz"))
	v := newView(img)
	c := &closureCheck{view: v}
	lib := v.items[tinyLib]
	c.databaseRow(0, storedb.Item{Path: tinyLib, Hash: lib.NarHash.String(), NarSize: lib.NarSize, References: lib.References})
	c.databaseRow(0, storedb.Item{Path: tinyLib, Hash: lib.NarHash.String(), NarSize: -1, References: lib.References})
	if len(c.wrong) > 0 {
		t.Errorf("findings where all agrees: %+v", c.wrong)
	}
	c.databaseRow(0, storedb.Item{Path: tinyLib, Hash: "sha256:00", NarSize: 1, References: []string{tinyHello}})
	c.databaseRow(0, storedb.Item{Path: "/gnu/store/x\n"})
	check := inspect.Check{Findings: c.wrong}
	wantFindings(t, check, "nar-hash-differs "+tinyLib, "nar-size-differs "+tinyLib, "references-differ "+tinyLib, "database-item-missing "+databasePath)
	const want = "beyond what the store's database says it refers to [" + tinyData + "], and not to [" + tinyHello + "]"
	if got := c.wrong[2].Message; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
