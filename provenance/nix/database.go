package nix

import (
	"audit/provenance/storedb"
)

// database compares the store's database with the store items. It may lack
// items: packers load it with what the contents of the image refer to, and the
// config can name more.
func (c *closureCheck) database(rows []storedb.Item, unread error) {
	f, ok := c.files.At(DatabasePath)
	if !ok || f.Type != '0' {
		return
	}
	if unread != nil {
		c.found.Append(storedb.Unread(unread, f))
		return
	}
	compared := storedb.Compare(rows, c.img.Items, f.Layer, DatabasePath)
	c.found.Append(compared.Wrong...)
	for _, p := range compared.Missing {
		if c.packer == nix2container {
			c.found.Undecided(f.Layer, f.Path, "closure/database-copied-item", "item", p)
		} else {
			c.found.Problem(f.Layer, f.Path, "closure/database-item-missing", "item", p)
		}
	}
	for _, item := range compared.Lacking {
		c.found.Note(item.Layer, item.Path, "closure/database-lacks-item")
	}
	c.rows = len(rows)
}
