package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// refs makes store items of "a: b c" lines.
func refs(lines ...string) []StoreItem {
	var items []StoreItem
	for _, l := range lines {
		name, to, _ := strings.Cut(l, ":")
		it := StoreItem{Path: named(name)}
		for _, n := range strings.Fields(to) {
			it.References = append(it.References, named(n))
		}
		items = append(items, it)
	}
	return items
}

func named(name string) string {
	return "/gnu/store/" + strings.Repeat("0", 32) + "-" + name
}

// outline writes a tree as "a(b(c) d) +x" where x is a pointer.
func outline(nodes []treeNode) string {
	var parts []string
	for _, n := range nodes {
		s := string(n.Label)
		if len(n.Children) > 0 {
			s += "(" + outline(n.Children) + ")"
		}
		for _, p := range n.Also {
			s += "+" + string(p.Label)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

func TestClosureTree(t *testing.T) {
	for _, c := range []struct {
		name, root string
		items      []StoreItem
		want       string
		reached    int
	}{
		{"nothing", "", nil, "", 0},
		{"near the root", "p", refs("a: b c", "b: c", "c:", "p: a b p"), "p(a(c)+b b+c)", 4},
		{"an item of its own", "p", refs("p: a", "a:", "x: a"), "p(a) x+a", 2},
		{"no root is known", "", refs("a:", "b: a"), "b(a)", 2},
		{"a circle", "", refs("a: b", "b: a"), "a(b+a)", 2},
		{"a root that is not there", "q", refs("a: b missing", "b:"), "a(b)", 2},
	} {
		r := &Report{StoreItems: c.items, Recipe: Recipe{Root: named(c.root)}}
		got := newClosure(r)
		if s := outline(got.Roots); c.want != s || got.Reached != c.reached {
			t.Errorf("%s: %s, %d reached; want %s, %d", c.name, s, got.Reached, c.want, c.reached)
		}
	}
}

func TestClosureIsBounded(t *testing.T) {
	var chain, star []string
	for i := range 3000 {
		chain = append(chain, fmt.Sprintf("n%d: n%d", i, i+1))
		star = append(star, fmt.Sprintf("n%d:", i))
	}
	star = append(star, "root: "+strings.ReplaceAll(strings.Join(star, " "), ":", ""), "also: root "+strings.ReplaceAll(strings.Join(star, " "), ":", ""))
	deep := newClosure(&Report{StoreItems: refs(chain...)})
	levels, at := 0, deep.Roots
	for len(at) > 0 {
		levels++
		if levels == maxDepth && !at[0].Deeper {
			t.Error("the tree does not say that it goes deeper")
		}
		at = at[0].Children
	}
	if levels != maxDepth || deep.Hidden != 3000-maxDepth || deep.Picture != nil {
		t.Errorf("%d levels, %d hidden", levels, deep.Hidden)
	}
	wide := newClosure(&Report{StoreItems: refs(star...), Recipe: Recipe{Root: named("root")}})
	shown := 0
	each(wide.Roots, func(n *treeNode) {
		shown++
		if len(n.Also) > maxAlso {
			t.Errorf("%d pointers", len(n.Also))
		}
	})
	if shown != maxTree || wide.Hidden != 3002-maxTree || !wide.Roots[0].Deeper {
		t.Errorf("%d shown, %d hidden", shown, wide.Hidden)
	}
}

// TestPicture: every item is drawn once, every reference leads to the right.
func TestPicture(t *testing.T) {
	items := refs("p: a b c", "a: c d", "b: d", "c: d e", "d: e", "e: e")
	r := &Report{StoreItems: items, Recipe: Recipe{Root: named("p"), Packages: []Package{{Path: named("a")}}}}
	p := newClosure(r).Picture
	var drawn []string
	for _, b := range p.Boxes {
		drawn = append(drawn, b.Label+" "+b.Kind)
		if b.X < 0 || b.Y < 0 || b.X+b.W > p.Width || b.Y+b.H > p.Height {
			t.Errorf("%s lies outside", b.Label)
		}
	}
	if want := []string{"p root", "a package", "b dependency", "c dependency", "d dependency", "e dependency"}; !slices.Equal(drawn, want) {
		t.Error(cmp.Diff(want, drawn))
	}
	if len(p.Lines) != 9 {
		t.Errorf("%d lines", len(p.Lines))
	}
	for _, l := range p.Lines {
		if l.X2 <= l.X1 {
			t.Errorf("a reference leads to the left: %+v", l)
		}
	}
	if newClosure(&Report{StoreItems: refs("a:")}).Picture != nil {
		t.Error("one item is drawn")
	}
	if newClosure(&Report{StoreItems: refs("a: b", "b: a")}).Picture == nil {
		t.Error("a circle is not drawn")
	}
}
