package guix

import (
	"audit/provenance/storedb"
)

// database compares the image's store database, when it has one, with its store
// items. It is the one place of an image that says what the NAR hashes were
// when the image was packed.
func (c *closureCheck) database() {
	f, ok := c.files.At(databasePath)
	if !ok || f.Type != '0' {
		return
	}
	rows, err := storedb.Of(c.img, f)
	if err != nil {
		c.Append(storedb.Unread(err, f))
		return
	}
	c.compareRows(rows, f.Layer)
}

// compareRows makes findings of what the rows of the database say. They list all store
// items but the script that is packed beside the profile.
func (c *closureCheck) compareRows(rows []storedb.Item, layer int) {
	compared := storedb.Compare(rows, c.img.Items, layer, databasePath)
	c.Append(compared.Wrong...)
	for _, p := range compared.Missing {
		c.Problem(layer, databasePath, "closure/database-item-missing", "item", p)
	}
	for _, item := range compared.Lacking {
		if item.Path != c.script {
			c.Problem(item.Layer, item.Path, "closure/database-lacks-item")
		}
	}
	c.rows = len(rows)
}
