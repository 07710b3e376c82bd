// Package storedb reads the database of a store that lies in an image: the
// SQLite file in which GNU Guix (var/guix/db/db.sqlite) and Nix
// (nix/var/nix/db/db.sqlite) note what they know of each store item. It is the
// one place of an image that says what the NAR hashes were when the image was
// packed.
//
// A database is hostile until shown otherwise, and is read as package memdb
// does it.
//
// The tables are those of Guix 1.5 (guix/store/schema.sql) and of Nix 2.8
// (libstore/schema.sql); both go back to the same one.
package storedb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"audit/provenance/memdb"
)

// An Item is a row of the table ValidPaths with those of Refs.
type Item struct {
	Path       string
	Hash       string   // "sha256:HEX" of its NAR
	NarSize    int64    // -1 when it is not recorded
	References []string // sorted
	Deriver    string   // the derivation that made it; "" when it is not recorded
	Signatures []string // "NAME:BASE64" each, as the store got them
}

// Limits of a database.
const (
	maxItems      = 1 << 20
	maxReferences = 8 << 20
	maxValue      = 1 << 20 // bytes of one value
)

// Read reads a database. The order is that of its rows. The error is a
// [*inspect.LimitError] where there is too much of it, else it says in what
// this is no store's database.
func Read(data []byte) ([]Item, error) {
	db, err := memdb.Open(data, maxValue)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return reader{db}.tables()
}

// where names the database in the error of a limit.
const where = "the store's database"

// A reader asks one database.
type reader struct{ *memdb.DB }

func (r reader) tables() ([]Item, error) {
	if err := r.Check("ValidPaths", "id", "path", "hash", "narSize"); err != nil {
		return nil, err
	}
	if err := r.Check("Refs", "referrer", "reference"); err != nil {
		return nil, err
	}
	items, byID, err := r.items()
	if err != nil {
		return nil, fmt.Errorf("reading the table ValidPaths: %w", err)
	}
	if err := r.references(items, byID); err != nil {
		return nil, fmt.Errorf("reading the table Refs: %w", err)
	}
	return items, nil
}

// optional returns the name of a column where the table has it: older schemas
// lack some.
func (r reader) optional(column string) string {
	if r.Has("ValidPaths", column) {
		return column
	}
	return "NULL"
}

func (r reader) items() (items []Item, byID map[int64]int, err error) {
	byID = make(map[int64]int)
	text := `SELECT id, path, hash, narSize, ` + r.optional("deriver") + `, ` + r.optional("sigs") + ` FROM ValidPaths NOT INDEXED`
	err = r.Query(where, text, maxItems, func(values []any) error {
		id, item, ok := newItem(values)
		if !ok {
			return errors.New("a row does not have an id, a path, a hash and a size")
		}
		byID[id] = len(items)
		items = append(items, item)
		return nil
	})
	return items, byID, err
}

// newItem takes a row of ValidPaths; false when it has values of other types.
func newItem(values []any) (id int64, item Item, ok bool) {
	id, ok1 := values[0].(int64)
	path, ok2 := values[1].(string)
	hash, ok3 := values[2].(string)
	size, ok4 := values[3].(int64)
	if values[3] == nil {
		size, ok4 = -1, true
	}
	deriver, ok5 := text(values[4])
	signatures, ok6 := text(values[5])
	item = Item{Path: path, Hash: hash, NarSize: size, Deriver: deriver, Signatures: strings.Fields(signatures)}
	return id, item, ok1 && ok2 && ok3 && ok4 && ok5 && ok6
}

// text returns a value that may be missing.
func text(value any) (string, bool) {
	if value == nil {
		return "", true
	}
	s, ok := value.(string)
	return s, ok
}

func (r reader) references(items []Item, byID map[int64]int) error {
	err := r.Query(where, `SELECT referrer, reference FROM Refs NOT INDEXED`, maxReferences, func(values []any) error {
		from, ok1 := values[0].(int64)
		to, ok2 := values[1].(int64)
		i, ok3 := byID[from]
		j, ok4 := byID[to]
		if !ok1 || !ok2 || !ok3 || !ok4 {
			return errors.New("a row does not have the ids of two store items")
		}
		items[i].References = append(items[i].References, items[j].Path)
		return nil
	})
	for i := range items {
		slices.Sort(items[i].References)
	}
	return err
}
