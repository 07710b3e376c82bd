package nix

import "audit/provenance/storedb"

// database holds the store's database against the store items. It may lack
// items: packers load it with what the contents of the image refer to, and the
// config can name more.
func (c *closureCheck) database(rows []storedb.Item, unread error) {
	f, ok := c.file(databasePath)
	if !ok || f.Type != '0' {
		return
	}
	if unread != nil {
		c.doubt("database-unread", f.Layer, f.Path, "the store's database cannot be read: %s", quote(unread.Error()))
		return
	}
	known := make(map[string]bool, len(rows))
	for _, row := range rows {
		if known[row.Path] {
			c.fail("database-item-twice", f.Layer, f.Path, "the store's database lists %s twice", quote(row.Path))
		}
		known[row.Path] = true
		c.databaseRow(f.Layer, row)
	}
	for i := range c.img.Items {
		if item := &c.img.Items[i]; !known[item.Path] {
			c.note("database-lacks-item", item.Layer, item.Path, "the store's database does not list it")
		}
	}
	c.rows = len(rows)
}

func (c *closureCheck) databaseRow(layer int, row storedb.Item) {
	item := c.items[row.Path]
	switch {
	case item != nil:
		c.wrong = append(c.wrong, row.Hold(item)...)
	case c.packer == nix2container:
		c.doubt("database-item-missing", layer, databasePath, "the store's database lists %s, which is not in the image; nix2container leaves out what it copies to the root", quote(row.Path))
	default:
		c.fail("database-item-missing", layer, databasePath, "the store's database lists %s, which is not in the image", quote(row.Path))
	}
}
