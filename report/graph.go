package report

import (
	"cmp"
	"slices"
)

// A closure is the reference graph of the store items, as a tree: an
// item stands below the first of those that refer to it, as near to the root
// as can be, and the others point to it.
type closure struct {
	Roots      []treeNode
	References int // between items of the image; those to oneself are not counted
	Reached    int // items below the first root, itself included
	Hidden     int // items that the tree has no room for
	Picture    *picture
}

// A treeNode is a store item in the tree.
type treeNode struct {
	Item     int // index into the store items
	Label    string
	Path     string
	Children []treeNode // those that stand below this one
	Also     []pointer  // other references
	More     int        // references beyond maxAlso
	Deeper   bool       // what stands below is too deep to be shown
	Open     bool       // it is unfolded from the start
}

// A pointer leads to an item that stands elsewhere in the tree.
type pointer struct {
	Item  int
	Label string
	Shown bool // the tree has room for it
}

// Bounds of the tree, so that a browser opens it without effort.
const (
	maxTree  = 2000 // items
	maxDepth = 40   // levels
	maxAlso  = 40   // pointers of one item
	openTree = 40   // items of a tree that is unfolded from the start
)

// A graph is the store items and their references, by index.
type graph struct {
	items []StoreItem
	to    [][]int // without those to oneself
	from  []int   // count of items that refer to it
}

func newGraph(items []StoreItem) graph {
	index := make(map[string]int, len(items))
	for i, it := range items {
		index[it.Path] = i
	}
	g := graph{items: items, to: make([][]int, len(items)), from: make([]int, len(items))}
	for i, it := range items {
		for _, ref := range it.References {
			if j, ok := index[ref]; ok && j != i {
				g.to[i] = append(g.to[i], j)
				g.from[j]++
			}
		}
	}
	return g
}

func newClosure(r *Report) closure {
	g := newGraph(r.StoreItems)
	var c closure
	for _, to := range g.to {
		c.References += len(to)
	}
	t := g.spread(r.Recipe.Root)
	if len(t.roots) > 0 {
		c.Reached = t.reached
	}
	room := maxTree
	for _, root := range t.roots {
		if room > 0 {
			c.Roots = append(c.Roots, t.node(root, 1, &room))
		}
	}
	c.Hidden = len(g.items) - (maxTree - room)
	c.markShown()
	c.Picture = newPicture(r, g)
	return c
}

// A spanning says below which item each stands.
type spanning struct {
	graph
	roots   []int
	below   [][]int // by item: those that stand below it
	parent  []int   // -1 for roots
	reached int     // from the first root
}

// spread walks from the root of the recipe, then from each item that nothing
// refers to, then from what is left, breadth first.
func (g graph) spread(root string) *spanning {
	t := &spanning{graph: g, below: make([][]int, len(g.items)), parent: make([]int, len(g.items))}
	seen := make([]bool, len(g.items))
	walk := func(i int) {
		if seen[i] {
			return
		}
		seen[i], t.parent[i] = true, -1
		t.roots = append(t.roots, i)
		queue := []int{i}
		for n := 0; n < len(queue); n++ {
			for _, j := range g.to[queue[n]] {
				if !seen[j] {
					seen[j], t.parent[j] = true, queue[n]
					t.below[queue[n]] = append(t.below[queue[n]], j)
					queue = append(queue, j)
				}
			}
		}
		if len(t.roots) == 1 {
			t.reached = len(queue)
		}
	}
	for i, it := range g.items {
		if it.Path == root {
			walk(i)
		}
	}
	for i := range g.items {
		if g.from[i] == 0 {
			walk(i)
		}
	}
	for i := range g.items {
		walk(i)
	}
	for i := range g.items {
		t.byLabel(t.below[i])
		t.byLabel(t.to[i])
	}
	return t
}

// byLabel sorts items as people look for them.
func (g graph) byLabel(items []int) {
	slices.SortStableFunc(items, func(a, b int) int {
		return cmp.Compare(itemLabel(g.items[a].Path), itemLabel(g.items[b].Path))
	})
}

// node lays out an item and what stands below it, as far as there is room.
func (t *spanning) node(i, depth int, room *int) treeNode {
	*room--
	n := treeNode{Item: i, Label: itemLabel(t.items[i].Path), Path: t.items[i].Path, Open: depth == 1 || len(t.items) <= openTree}
	for _, j := range t.to[i] {
		if t.parent[j] == i {
			continue
		}
		if len(n.Also) == maxAlso {
			n.More++
			continue
		}
		n.Also = append(n.Also, pointer{Item: j, Label: itemLabel(t.items[j].Path)})
	}
	for _, j := range t.below[i] {
		if depth == maxDepth || *room == 0 {
			n.Deeper = true
			break
		}
		n.Children = append(n.Children, t.node(j, depth+1, room))
	}
	return n
}

// markShown lets pointers lead only to where there is something.
func (c *closure) markShown() {
	shown := map[int]bool{}
	each(c.Roots, func(n *treeNode) { shown[n.Item] = true })
	each(c.Roots, func(n *treeNode) {
		for i := range n.Also {
			n.Also[i].Shown = shown[n.Also[i].Item]
		}
	})
}

func each(nodes []treeNode, do func(*treeNode)) {
	for i := range nodes {
		do(&nodes[i])
		each(nodes[i].Children, do)
	}
}

// A picture is a drawing of a small graph: references lead to the right.
type picture struct {
	Width, Height int
	Boxes         []box
	Lines         []line
}

// A box is a store item in the drawing.
type box struct {
	X, Y, W, H   int
	TextX, TextY int
	Label        string
	Path         string
	Kind         string // "root", "package" or "dependency"
}

// A line is a reference: from the right of a box to the left of another.
type line struct{ X1, Y1, C1, C2, X2, Y2 int }

// What is drawn, and how large, in pixels.
const (
	maxBoxes   = 30
	maxLines   = 90
	boxWidth   = 178
	boxHeight  = 28
	boxLetters = 23
	boxGap     = 12
	columnGap  = 64
	edgeSpace  = 2
)

// newPicture draws the graph when it is small enough to be read: 2 to 30 items.
func newPicture(r *Report, g graph) *picture {
	count := 0
	for _, to := range g.to {
		count += len(to)
	}
	if len(g.items) < 2 || len(g.items) > maxBoxes || count == 0 || count > maxLines {
		return nil
	}
	columns := g.columns()
	tallest := 0
	for _, c := range columns {
		tallest = max(tallest, len(c))
	}
	p := &picture{
		Width:  len(columns)*(boxWidth+columnGap) - columnGap + 2*edgeSpace,
		Height: tallest*(boxHeight+boxGap) - boxGap + 2*edgeSpace,
	}
	kinds := kindsOf(r)
	at := make([]box, len(g.items))
	for x, column := range columns {
		top := (p.Height - len(column)*(boxHeight+boxGap) + boxGap) / 2
		for y, i := range column {
			at[i] = newBox(g.items[i].Path, edgeSpace+x*(boxWidth+columnGap), top+y*(boxHeight+boxGap))
			at[i].Kind = kinds[g.items[i].Path]
			p.Boxes = append(p.Boxes, at[i])
		}
	}
	for i, to := range g.to {
		for _, j := range to {
			p.Lines = append(p.Lines, newLine(at[i], at[j]))
		}
	}
	return p
}

func newBox(path string, x, y int) box {
	return box{
		X: x, Y: y, W: boxWidth, H: boxHeight, TextX: x + 8, TextY: y + boxHeight/2 + 4,
		Label: ellipsis(Printable(string(itemLabel(path))), boxLetters), Path: path,
	}
}

func newLine(from, to box) line {
	l := line{X1: from.X + boxWidth, Y1: from.Y + boxHeight/2, X2: to.X, Y2: to.Y + boxHeight/2}
	l.C1, l.C2 = l.X1+columnGap/2, l.X2-columnGap/2
	return l
}

func kindsOf(r *Report) map[string]string {
	kinds := map[string]string{}
	for _, it := range r.StoreItems {
		kinds[it.Path] = "dependency"
	}
	for _, p := range r.Recipe.Packages {
		kinds[p.Path] = "package"
	}
	kinds[r.Recipe.Root] = "root"
	return kinds
}

// columns puts each item to the right of all that refer to it; within a column
// an item stands near those. A reference that closes a circle, which no honest
// store has, is left out of account.
func (g graph) columns() [][]int {
	depth := make([]int, len(g.items))
	state := make([]int, len(g.items)) // 1 while it is on the way, 2 when it is done
	var order []int                    // each item before what it refers to, once reversed
	var visit func(int)
	visit = func(i int) {
		state[i] = 1
		for _, j := range g.to[i] {
			if state[j] == 0 {
				visit(j)
			}
		}
		state[i] = 2
		order = append(order, i)
	}
	for i := range g.items {
		if state[i] == 0 {
			visit(i)
		}
	}
	slices.Reverse(order)
	place := make([]int, len(g.items))
	for n, i := range order {
		place[i] = n
	}
	var columns [][]int
	for _, i := range order {
		for len(columns) <= depth[i] {
			columns = append(columns, nil)
		}
		columns[depth[i]] = append(columns[depth[i]], i)
		for _, j := range g.to[i] {
			if place[j] > place[i] {
				depth[j] = max(depth[j], depth[i]+1)
			}
		}
	}
	g.settle(columns)
	return columns
}

// settle sorts each column by the mean height of those that refer to an item.
func (g graph) settle(columns [][]int) {
	height := make([]float64, len(g.items))
	sums, counts := make([]float64, len(g.items)), make([]float64, len(g.items))
	for _, column := range columns {
		slices.SortStableFunc(column, func(a, b int) int {
			return cmp.Or(cmp.Compare(mean(sums[a], counts[a]), mean(sums[b], counts[b])), cmp.Compare(a, b))
		})
		for y, i := range column {
			height[i] = float64(y) - float64(len(column)-1)/2
			for _, j := range g.to[i] {
				sums[j] += height[i]
				counts[j]++
			}
		}
	}
}

func mean(sum, n float64) float64 {
	if n == 0 {
		return 0
	}
	return sum / n
}
