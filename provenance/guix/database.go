package guix

import "audit/provenance/storedb"

// database holds the image's store database, when it has one, against its store
// items. It is the one place of an image that tells what the NAR hashes were
// when the image was packed.
func (c *closureCheck) database() {
	f, ok := c.file(databasePath)
	if !ok || f.Type != '0' {
		return
	}
	data, ok := c.img.Body(f.Layer, f.Path)
	if !ok {
		c.doubt("database-unread", f.Layer, f.Path, "the image was opened without keeping the store's database")
		return
	}
	rows, err := storedb.Read(data)
	if err != nil {
		c.doubt("database-unread", f.Layer, f.Path, "the store's database cannot be read: %s", quote(err.Error()))
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
		if item := &c.img.Items[i]; !known[item.Path] && item.Path != c.script { // which is packed beside the profile
			c.fail("database-lacks-item", item.Layer, item.Path, "the store's database does not list it")
		}
	}
	c.rows = len(rows)
}

// databaseRow compares what a row says of a store item with the item itself.
func (c *closureCheck) databaseRow(layer int, row storedb.Item) {
	item := c.items[row.Path]
	if item == nil {
		c.fail("database-item-missing", layer, databasePath, "the store's database lists %s, which is not in the image", quote(row.Path))
		return
	}
	c.wrong = append(c.wrong, row.Hold(item)...)
}
