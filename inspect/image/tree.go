package image

import "hash/maphash"

// A node is a name in the tree under construction. There is one for each file, so it
// is small: its children are a list, and are found by name in the table of the tree.
type node struct {
	parent      *node
	name        string
	first, next *node  // of the children, in no order
	made        *Entry // that made what is there; nil where a folder merely has to be there
	entry       *Entry // by which the name was made last
	id          uint32 // of the node in the tree, from 1 on
	file        int32  // its place among the files, from 1 on
	madeIn      int16  // the layer of made
	layer       int16  // of entry, or that needed the folder
	touched     int16  // the last layer that has something here or below
	below       int16  // what lower layers than this have below is hidden
	deleted     int16  // the layer that has a whiteout of this full folder; 0 when none has
	straight    bool   // no link leads to the node: its path is that of its entry
	lost        bool   // something replaced the folder that it was in
}

func (n *node) inode() InodeID { return InodeID{n.made, n.madeIn} }

func (n *node) isFolder() bool { return n.made == nil || n.made.Type == '5' }

func (n *node) isLink() bool { return n.made != nil && n.made.Type == '2' && n.made.Linkname != "" }

// hide hides what lower layers than this have below a node.
func (n *node) hide(layer int16) { n.below = max(n.below, layer) }

// remove makes a node a folder that merely has to be there.
func (n *node) remove(layer int16) { n.made, n.entry, n.layer = nil, nil, layer }

// clear empties a folder. A node is lost once, so that this costs what was added.
func (n *node) clear() {
	for c := n.first; c != nil; c = c.next {
		c.lost = true
	}
	n.first = nil
}

// A tree has the nodes of a fold, in pieces that never move, and finds them by the
// folder and the name: a table with open addresses, of half the words that a map for
// each folder takes.
type tree struct {
	root   *node
	pieces [][]node
	table  []uint32 // ids of nodes; 0 is free
	seed   maphash.Seed
}

const pieceNodes = 1 << 12

func newTree() *tree {
	t := &tree{table: make([]uint32, 1<<10), seed: maphash.MakeSeed()}
	t.root = t.newNode()
	t.root.parent, t.root.touched = t.root, -1
	return t
}

// newNode returns the next node, which is in no folder yet.
func (t *tree) newNode() *node {
	last := len(t.pieces) - 1
	if last < 0 || len(t.pieces[last]) == pieceNodes {
		t.pieces = append(t.pieces, make([]node, 0, pieceNodes))
		last++
	}
	t.pieces[last] = append(t.pieces[last], node{id: uint32(last*pieceNodes + len(t.pieces[last]) + 1)})
	return &t.pieces[last][len(t.pieces[last])-1]
}

// count is how many nodes there are.
func (t *tree) count() int {
	last := len(t.pieces) - 1
	return last*pieceNodes + len(t.pieces[last])
}

func (t *tree) node(id uint32) *node { return &t.pieces[(id-1)/pieceNodes][(id-1)%pieceNodes] }

// slot is where the search for a name in a folder begins.
func (t *tree) slot(folder uint32, name string) int {
	const odd = 0x9e3779b97f4a7c15 // spreads consecutive numbers
	return int((maphash.String(t.seed, name) ^ uint64(folder)*odd) & uint64(len(t.table)-1))
}

// find returns what a folder has under a name, hidden or not; nil when nothing.
func (t *tree) find(n *node, name string) *node {
	for i := t.slot(n.id, name); t.table[i] != 0; i = (i + 1) & (len(t.table) - 1) {
		if c := t.node(t.table[i]); c.parent == n && c.name == name && !c.lost {
			return c
		}
	}
	return nil
}

// child returns what a folder has under a name, nil when nothing. What is hidden
// there is no more than a folder that may have to be there.
func (t *tree) child(n *node, name string) *node {
	c := t.find(n, name)
	if c != nil {
		c.settle()
	}
	return c
}

// settle makes of a node what is not hidden of it by what was done to its folder.
func (n *node) settle() {
	if n.below < n.parent.below {
		n.below = n.parent.below
	}
	if n.layer < n.parent.below {
		n.remove(n.parent.below)
	}
}

// add returns what a folder has under a name; where there is nothing, a folder.
func (t *tree) add(n *node, name string, layer int16) *node {
	c := t.child(n, name)
	if c == nil {
		c = t.newNode()
		c.parent, c.name, c.layer, c.below = n, name, layer, n.below
		c.next, n.first = n.first, c
		t.insert(c)
	}
	c.touched = layer
	return c
}

// insert enters a node in the table, of which at least a quarter stays free.
func (t *tree) insert(c *node) {
	if 4*t.count() > 3*len(t.table) {
		t.table = make([]uint32, 2*len(t.table))
		for id := uint32(2); id < c.id; id++ { // the first is the root, which has no name
			t.enter(t.node(id))
		}
	}
	t.enter(c)
}

func (t *tree) enter(c *node) {
	i := t.slot(c.parent.id, c.name)
	for t.table[i] != 0 {
		i = (i + 1) & (len(t.table) - 1)
	}
	t.table[i] = c.id
}
