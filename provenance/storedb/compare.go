package storedb

import (
	"errors"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/memdb"
)

// errNotKept reports an image that was opened without keeping the database.
var errNotKept = errors.New("the image was opened without keeping it")

// Of reads the database that lies in an image as a file. It returns no items and
// no error for what is no regular file.
func Of(img *inspect.Image, f inspect.File) ([]Item, error) {
	if f.Type != '0' {
		return nil, nil
	}
	data, ok := img.Body(f.Layer, f.Path)
	if !ok {
		return nil, errNotKept
	}
	return Read(data)
}

// Unread is the finding about a database that [Of] could not read. Bytes that are
// no database at all are a problem: no packer writes such a file.
func Unread(err error, f inspect.File) check.Finding {
	switch {
	case errors.Is(err, errNotKept):
		return check.Find(check.Undecided, f.Layer, f.Path, "closure/database-not-kept")
	case memdb.IsMalformed(err):
		return check.Find(check.Problem, f.Layer, f.Path, "closure/database-malformed", "error", err)
	}
	return check.Find(check.Undecided, f.Layer, f.Path, "closure/database-unread", "error", err)
}

// A Comparison is how a database and the store items of an image fit.
type Comparison struct {
	Wrong   []check.Finding      // rows that say something else than what their item is, or are repeated
	Missing []string             // paths that are listed, and are not in the image
	Lacking []*inspect.StoreItem // in the image, and not listed
}

// Compare compares the rows of a database, which lies at a path of a layer, with
// the store items of the image.
func Compare(rows []Item, items []inspect.StoreItem, layer int, path string) Comparison {
	var c Comparison
	there := make(map[string]*inspect.StoreItem, len(items))
	for i := range items {
		there[items[i].Path] = &items[i]
	}
	listed := make(map[string]bool, len(rows))
	for _, row := range rows {
		item := there[row.Path]
		switch {
		case listed[row.Path]:
			c.Wrong = append(c.Wrong, check.Find(check.Problem, layer, path, "closure/database-item-twice", "item", row.Path))
		case item == nil:
			c.Missing = append(c.Missing, row.Path)
		}
		if item != nil {
			c.Wrong = append(c.Wrong, row.compare(item)...)
		}
		listed[row.Path] = true
	}
	for i := range items {
		if !listed[items[i].Path] {
			c.Lacking = append(c.Lacking, &items[i])
		}
	}
	return c
}

// compare compares what a row says of a store item with the item as it is: its
// NAR hash, its size, and what its bytes refer to. It returns a finding for each
// that is not the same, and none for an item whose bytes could not be read in
// full.
func (it Item) compare(item *inspect.StoreItem) []check.Finding {
	if item.Problem != "" {
		return nil
	}
	var found []check.Finding
	differs := func(code string, args ...any) {
		found = append(found, check.Find(check.Problem, item.Layer, item.Path, code, args...))
	}
	if hash := item.NarHash.String(); it.Hash != hash {
		differs("closure/nar-hash-differs", "computed", hash, "recorded", it.Hash)
	}
	if it.NarSize >= 0 && it.NarSize != item.NarSize {
		differs("closure/nar-size-differs", "bytes", item.NarSize, "recorded", it.NarSize)
	}
	extra, missing := difference(item.References, it.References), difference(it.References, item.References)
	if len(extra)+len(missing) > 0 {
		differs("closure/references-differ", "unrecorded", extra, "absent", missing)
	}
	return found
}

// difference returns what is in a and not in b; both are sorted.
func difference(a, b []string) []string {
	var only []string
	for _, s := range a {
		if _, there := slices.BinarySearch(b, s); !there {
			only = append(only, s)
		}
	}
	return only
}
