package compare

import (
	"fmt"
	"strings"
	"testing"

	"audit/inspect"
)

// repeated is an image whose one layer has the same path n times.
func repeated(diffID byte, n int) *inspect.Image {
	l := &inspect.Layer{DiffID: inspect.Sum{diffID}.Hash(), Entries: make([]*inspect.Entry, n)}
	for i := range l.Entries {
		l.Entries[i] = &inspect.Entry{Path: "a", Type: '0', Size: 1, Mode: uint16(diffID), Digest: inspect.Sum{byte(i)}}
	}
	return &inspect.Image{Layers: []*inspect.Layer{l}}
}

// deep is an image with a path of n folders, and an entry for each.
func deep(diffID byte, n int) *inspect.Image {
	l := &inspect.Layer{DiffID: inspect.Sum{diffID}.Hash(), Entries: make([]*inspect.Entry, n)}
	path := strings.Repeat("a/", n)
	for i := range l.Entries {
		p := path[:2*i+1]
		l.Entries[i] = &inspect.Entry{Path: p, Type: '5', Mode: 0o755, ModTime: int64(diffID)}
	}
	return &inspect.Image{Layers: []*inspect.Layer{l}}
}

// deepItem is deep, inside of a store item, after another that has been left.
func deepItem(diffID byte, n int) *inspect.Image {
	img := deep(diffID, n)
	l := img.Layers[0]
	for i := range l.Entries {
		l.Entries[i].Path = itemB + "/" + l.Entries[i].Path
	}
	l.Entries = append([]*inspect.Entry{{Path: itemA, Type: '5'}, {Path: itemA + "/x", Type: '5'}, {Path: itemB, Type: '5'}}, l.Entries...)
	return img
}

// layered is an image that has one path in n layers.
func layered(diffID byte, n int) *inspect.Image {
	img := new(inspect.Image)
	for i := range n {
		e := &inspect.Entry{Path: "a", Type: '5', Mode: uint16(diffID)}
		img.Layers = append(img.Layers, &inspect.Layer{Index: i, DiffID: inspect.Sum{diffID, byte(i), byte(i >> 8)}.Hash(), Entries: []*inspect.Entry{e}})
	}
	return img
}

// TestRepeatedPath: images that have one path again and again differ, one way and
// the other, whichever has more of it.
func TestRepeatedPath(t *testing.T) {
	for _, n := range []int{1, 100, 20_000} {
		for _, pair := range [][2]*inspect.Image{{repeated(1, n), repeated(2, n)}, {repeated(1, n), repeated(2, 1)}, {repeated(1, 1), repeated(2, n)}} {
			c := Images(pair[0], pair[1], nil)
			if c.Equivalent() || len(c.Differences) == 0 {
				t.Errorf("%d: %d differences", n, len(c.Differences))
			}
		}
	}
}

// BenchmarkLinear compares images that are made to cost much, of a size and of twice
// that: the second takes no more than about twice as long.
func BenchmarkLinear(b *testing.B) {
	for _, kind := range []struct {
		name string
		made func(diffID byte, n int) *inspect.Image
		n    int
	}{{"one path", repeated, 100_000}, {"one path against one", repeated, 100_000}, {"a deep path", deep, 2_000}, {"a deep path of a store item", deepItem, 2_000}, {"one path in layers", layered, 2_000}} {
		for _, n := range []int{kind.n, 2 * kind.n} {
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				was, now := kind.made(1, n), kind.made(2, n)
				if strings.HasSuffix(kind.name, "against one") {
					now = kind.made(2, 1)
				}
				for b.Loop() {
					Images(was, now, nil)
				}
			})
		}
	}
}
