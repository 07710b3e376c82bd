package storedb

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// Held is how a database and the store items of an image fit.
type Held struct {
	Wrong   []check.Finding      // rows that say something else than what their item is, or are repeated
	Missing []string             // paths that are listed, and are not in the image
	Lacking []*inspect.StoreItem // in the image, and not listed
}

// Hold compares the rows of a database, which lies at a path of a layer, with
// the store items of the image.
func Hold(rows []Item, items []inspect.StoreItem, layer int, path string) Held {
	var h Held
	there := make(map[string]*inspect.StoreItem, len(items))
	for i := range items {
		there[items[i].Path] = &items[i]
	}
	listed := make(map[string]bool, len(rows))
	for _, row := range rows {
		item := there[row.Path]
		switch {
		case listed[row.Path]:
			h.Wrong = append(h.Wrong, check.Finding{Rule: "database-item-twice", Level: check.Problem, Layer: layer, Path: path,
				Words: fmt.Sprintf("the store's database lists %q twice", row.Path)})
		case item == nil:
			h.Missing = append(h.Missing, row.Path)
		}
		if item != nil {
			h.Wrong = append(h.Wrong, row.hold(item)...)
		}
		listed[row.Path] = true
	}
	for i := range items {
		if !listed[items[i].Path] {
			h.Lacking = append(h.Lacking, &items[i])
		}
	}
	return h
}

// hold compares what a row says of a store item with the item as it is: its NAR
// hash, its size, and what its bytes refer to. It returns a finding for each
// that is not the same, and none for an item whose bytes could not be read in
// full.
func (it Item) hold(item *inspect.StoreItem) []check.Finding {
	if item.Problem != "" {
		return nil
	}
	var found []check.Finding
	differs := func(rule, format string, args ...any) {
		found = append(found, check.Finding{Rule: rule, Level: check.Problem, Layer: item.Layer, Path: item.Path, Words: fmt.Sprintf(format, args...)})
	}
	if hash := item.NarHash.String(); it.Hash != hash {
		differs("nar-hash-differs", "its NAR hash is %s, and the store's database says %q", hash, it.Hash)
	}
	if it.NarSize >= 0 && it.NarSize != item.NarSize {
		differs("nar-size-differs", "its NAR has %d bytes, and the store's database says %d", item.NarSize, it.NarSize)
	}
	extra, missing := difference(item.References, it.References), difference(it.References, item.References)
	if len(extra)+len(missing) > 0 {
		differs("references-differ", "beyond what the store's database says it refers to [%s], and not to [%s]", strings.Join(extra, " "), strings.Join(missing, " "))
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
