package repack

import (
	"slices"
	"strings"
	"testing"

	"audit/inspect"
)

func item(path string, refs ...string) inspect.StoreItem {
	return inspect.StoreItem{Path: path, References: refs}
}

func TestClosureOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		items []inspect.StoreItem
		want  string
	}{
		{"nothing", nil, ""},
		{"leaves first", []inspect.StoreItem{item("a", "b"), item("b", "c"), item("c")}, "c b a"},
		{"references from the last to the first", []inspect.StoreItem{item("p", "a", "b", "c"), item("a"), item("b"), item("c")}, "c b a p"},
		{"a reference to itself", []inspect.StoreItem{item("a", "a", "b"), item("b", "b")}, "b a"},
		{"two roots", []inspect.StoreItem{item("a", "c"), item("b", "c"), item("c")}, "c b a"},
		{"a reference to what is not there", []inspect.StoreItem{item("a", "x")}, "a"},
		{"a circle has no root", []inspect.StoreItem{item("a", "b"), item("b", "a")}, ""},
		{"a circle below a root", []inspect.StoreItem{item("a", "b"), item("b", "c"), item("c", "b")}, "c b a"},
	} {
		if got := strings.Join(closureOrder(c.items), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A chain of references as long as an image can have does not exhaust a stack.
func TestClosureOrderDeep(t *testing.T) {
	const n = 50_000
	name := func(i int) string { return strings.Repeat("x", 3) + string(rune('a'+i%26)) + string(rune(i+0x10000)) }
	items := make([]inspect.StoreItem, n)
	for i := range items {
		items[i] = item(name(i))
		if i+1 < n {
			items[i].References = []string{name(i + 1)}
		}
	}
	if got := closureOrder(items); len(got) != n || got[n-1] != name(0) {
		t.Errorf("%d items, the last is %q", len(got), got[len(got)-1])
	}
}

// weigh makes a weight with folders of so many entries, each name 8 bytes.
func weigh(path string, content int64, folders ...int) weight {
	w := weight{path: path, content: content}
	for _, n := range folders {
		var s shape
		for range n {
			s.grow("12345678")
		}
		w.addFolder(s)
	}
	return w
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name       string
		weights    []weight
		fs         string
		impossible bool
	}{
		{"one item", []weight{weigh("a", 1)}, "ext4", false},
		{"the larger first", []weight{weigh("a", 9000, 1), weigh("b", 100, 1)}, "ext4", false},
		{"folders of 4096 bytes", []weight{weigh("a", 100, 1, 1), weigh("b", 4000, 1)}, "ext4", false},
		{"folders of a few bytes", []weight{weigh("a", 4000, 1), weigh("b", 100, 1, 1)}, "tmpfs", false},
		{"folders of no known size", []weight{weigh("a", 100, 1, 1), weigh("b", 30000, 1)}, "", false},
		{"a smaller file first", []weight{weigh("a", 1), weigh("b", 2)}, "", true},
		{"a smaller item first", []weight{weigh("a", 100, 1), weigh("b", 9000, 1, 1)}, "", true},
		{"two that contradict each other", []weight{weigh("a", 0, 1, 1), weigh("b", 30000, 1), weigh("c", 10000, 1, 1)}, "", true},
		{"equals in the order of the closure", []weight{weigh("a", 5), weigh("b", 5)}, "ext4", false},
		{"equals in another order", []weight{weigh("b", 5), weigh("a", 5)}, "", false},
		{"a folder with thousands of entries", []weight{weigh("a", 0, 5000), weigh("b", 150000, 1)}, "ext4", false},
	} {
		if fs := splitOn(c.weights, []string{"a", "b", "c"}); fs != c.fs {
			t.Errorf("%s: on %q, want %q", c.name, fs, c.fs)
		}
		if _, _, found := impossible(c.weights); found != c.impossible {
			t.Errorf("%s: impossible is %t", c.name, found)
		}
	}
}

// The order that a known file system gives is never called impossible.
func FuzzSplit(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6}, uint8(0))
	f.Add([]byte{200, 100, 0, 0, 255, 1, 7, 7}, uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, system uint8) {
		fs := int(system) % len(weight{}.sizes)
		var weights []weight
		for i := 0; i+2 < len(data); i += 3 {
			weights = append(weights, weigh("", int64(data[i])*100, int(data[i+1]), int(data[i+2])%4))
		}
		slices.SortStableFunc(weights, func(a, b weight) int {
			return int(b.content + b.sizes[fs].low - a.content - a.sizes[fs].low)
		})
		if a, b, found := impossible(weights); found {
			t.Errorf("%+v before %+v", a, b)
		}
	})
}
