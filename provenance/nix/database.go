package nix

import (
	"audit/provenance/memdb"
	"audit/provenance/storedb"
)

// database holds the store's database against the store items. It may lack
// items: packers load it with what the contents of the image refer to, and the
// config can name more.
func (c *closureCheck) database(rows []storedb.Item, unread error) {
	f, ok := c.file(databasePath)
	if !ok || f.Type != '0' {
		return
	}
	if memdb.IsMalformed(unread) {
		c.Fail("database-malformed", f.Layer, f.Path, "the store's database is none, and no packer writes such a file: %s", quote(unread.Error()))
		return
	}
	if unread != nil {
		c.Doubt("database-unread", f.Layer, f.Path, "the store's database cannot be read: %s", quote(unread.Error()))
		return
	}
	held := storedb.Hold(rows, c.img.Items, f.Layer, databasePath)
	c.Wrong = append(c.Wrong, held.Wrong...)
	for _, p := range held.Missing {
		if c.packer == nix2container {
			c.Doubt("database-item-missing", f.Layer, f.Path, "the store's database lists %s, which is not in the image; nix2container leaves out what it copies to the root", quote(p))
		} else {
			c.Fail("database-item-missing", f.Layer, f.Path, "the store's database lists %s, which is not in the image", quote(p))
		}
	}
	for _, item := range held.Lacking {
		c.Note("database-lacks-item", item.Layer, item.Path, "the store's database does not list it")
	}
	c.rows = len(rows)
}
