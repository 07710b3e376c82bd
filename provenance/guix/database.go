package guix

import (
	"audit/provenance/memdb"
	"audit/provenance/storedb"
)

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
		c.Doubt("database-unread", f.Layer, f.Path, "the image was opened without keeping the store's database")
		return
	}
	rows, err := storedb.Read(data)
	if memdb.IsMalformed(err) {
		c.Fail("database-malformed", f.Layer, f.Path, "the store's database is none, and no packer writes such a file: %s", quote(err.Error()))
		return
	}
	if err != nil {
		c.Doubt("database-unread", f.Layer, f.Path, "the store's database cannot be read: %s", quote(err.Error()))
		return
	}
	c.hold(rows, f.Layer)
}

// hold makes findings of what the rows of the database say. They list all store
// items but the script that is packed beside the profile.
func (c *closureCheck) hold(rows []storedb.Item, layer int) {
	held := storedb.Compare(rows, c.img.Items, layer, databasePath)
	c.Wrong = append(c.Wrong, held.Wrong...)
	for _, p := range held.Missing {
		c.Fail("database-item-missing", layer, databasePath, "the store's database lists %s, which is not in the image", quote(p))
	}
	for _, item := range held.Lacking {
		if item.Path != c.script {
			c.Fail("database-lacks-item", item.Layer, item.Path, "the store's database does not list it")
		}
	}
	c.rows = len(rows)
}
