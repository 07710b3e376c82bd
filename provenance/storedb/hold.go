package storedb

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
)

// Hold compares what a database says of a store item with the item as it is in
// an image: its NAR hash, its size, and what its bytes refer to. It returns a
// finding for each that is not the same, and none for an item whose bytes could
// not be read in full.
func (it Item) Hold(item *inspect.StoreItem) []inspect.Finding {
	if item.Problem != "" {
		return nil
	}
	var found []inspect.Finding
	differs := func(rule, format string, args ...any) {
		found = append(found, inspect.Finding{Rule: rule, Level: inspect.Problem, Layer: item.Layer, Path: item.Path, Message: fmt.Sprintf(format, args...)})
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
