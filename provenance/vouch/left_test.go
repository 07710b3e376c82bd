package vouch

import (
	"strings"
	"testing"

	"audit/inspect"
)

// What no signed package and no record has is counted, and named in the order of its rank.
func TestLeft(t *testing.T) {
	var entries []*inspect.Entry
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "z"} {
		entries = append(entries, &inspect.Entry{Path: name, Type: '0', Size: 5})
	}
	table := New(&inspect.Image{Layers: []*inspect.Layer{{Entries: entries}}})
	for path, w := range map[string]Word{
		"a": {Kind: Signed}, "b": {Kind: Instruction}, "c": {Kind: Instruction, Rule: "pyc-header"}, "d": {Kind: Recorded}, "e": {Kind: Packaged}, "f": {Kind: Made},
	} {
		table.Vouch(path, w)
	}
	rank := func(f inspect.File) int { return strings.Index("zbe", f.Path) }
	found, ok := table.Left(rank)
	names, _ := found.Args["names"].([]string)
	if got := strings.Join(names, ""); !ok || got != "zbe" || found.Args.Int("count") != 3 || found.Args.Int("bytes") != 15 {
		t.Errorf("%v, %v", found, ok)
	}
}
