package store

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"audit/inspect"
)

// graph returns items a, b, … with their references.
func graph(references map[string][]string) map[string]*inspect.StoreItem {
	items := make(map[string]*inspect.StoreItem)
	for path, to := range references {
		items[path] = &inspect.StoreItem{Path: path, References: to}
	}
	return items
}

func TestReach(t *testing.T) {
	items := graph(map[string][]string{"a": {"a", "b", "gone"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": nil})
	for _, tc := range []struct{ roots, want []string }{
		{nil, nil},
		{[]string{"e", "e"}, []string{"e"}},
		{[]string{"a"}, []string{"a", "b", "c"}},
		{[]string{"d", "gone"}, []string{"a", "b", "c", "d"}},
	} {
		if got := slices.Sorted(maps.Keys(Reach(items, tc.roots))); !slices.Equal(got, tc.want) {
			t.Errorf("from %q: %q, want %q", tc.roots, got, tc.want)
		}
	}
}

// What each item refers to is looked at once, so that the walk is linear in the
// references: the time for an item is the same for n and for 2n.
func BenchmarkReach(b *testing.B) {
	for _, n := range []int{20_000, 40_000} {
		references := make(map[string][]string)
		for i := range n { // a chain in which each item refers to itself and to the next hundred
			for j := range 100 {
				references[fmt.Sprint(i)] = append(references[fmt.Sprint(i)], fmt.Sprint(i+j))
			}
		}
		items := graph(references)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if len(Reach(items, []string{"0"})) != n {
					b.Fatal("not all items are reached")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/item")
		})
	}
}
