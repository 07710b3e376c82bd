package image

import (
	"hash/maphash"
	"iter"

	"audit/inspect/paths"
)

// A node is a name in the tree under construction. There is one for each file, so it
// is small, and other nodes and entries are numbers in it, from 1 on: those of the tree,
// and those of its layer. Its name is the last of the path of its entry, and without one
// in the table of names. Its children are a list, and are found by name in the table of
// the tree.
type node struct {
	id          uint32 // of the node
	parent      uint32
	first, next uint32 // of the children, in no order; 0 for none
	made        uint32 // the entry that made what is there; 0 where a folder merely has to be there
	entry       uint32 // by which the name was made last
	file        int32  // its place among the files, from 1 on
	madeIn      int16  // the layer of made
	layer       int16  // of entry, or that needed the folder
	touched     int16  // the last layer that has something here or below
	below       int16  // what lower layers than this have below is hidden
	deleted     int16  // the layer that has a whiteout of this full folder; 0 when none has
	straight    bool   // no link leads to the node: its path is that of its entry
	lost        bool   // something replaced the folder that it was in
}

// hide hides what lower layers than this have below a node.
func (n *node) hide(layer int16) { n.below = max(n.below, layer) }

// A tree has the nodes of a fold, in pieces that never move, and finds them by the
// folder and the name: a table with open addresses, of half the words that a map for
// each folder takes.
type tree struct {
	layers []*Layer
	root   *node
	pieces [][]node
	table  []uint32          // ids of nodes; 0 is free
	names  map[uint32]string // of nodes that have no entry, by their ids
	seed   maphash.Seed
}

const pieceNodes = 1 << 12

func newTree(layers []*Layer) *tree {
	t := &tree{layers: layers, table: make([]uint32, 1<<10), names: make(map[uint32]string), seed: maphash.MakeSeed()}
	t.root = t.newNode()
	t.root.parent, t.root.touched = t.root.id, -1
	return t
}

// made returns the entry that made what is at a node, nil where a folder merely has to
// be there.
func (t *tree) made(n *node) *Entry { return t.entryOf(n.madeIn, n.made) }

// last returns the entry by which the name of a node was made last, nil for none.
func (t *tree) last(n *node) *Entry { return t.entryOf(n.layer, n.entry) }

func (t *tree) entryOf(layer int16, number uint32) *Entry {
	if number == 0 {
		return nil
	}
	return t.layers[layer].Entries[number-1]
}

// name returns the name of a node.
func (t *tree) name(n *node) string {
	if n.entry == 0 {
		return t.names[n.id]
	}
	_, base := paths.Split(t.last(n).Path)
	return base
}

// set makes a name that of an entry, which made what is there or is a hard link to it.
func (t *tree) set(n *node, layer int16, number uint32) {
	if n.entry == 0 {
		delete(t.names, n.id)
	}
	n.entry, n.layer = number, layer
}

// remove makes a node a folder that merely has to be there.
func (t *tree) remove(n *node, layer int16) {
	if n.entry != 0 {
		t.names[n.id] = t.name(n)
	}
	n.made, n.entry, n.layer = 0, 0, layer
}

func (t *tree) inode(n *node) InodeID { return InodeID{t.made(n), n.madeIn} }

func (t *tree) isFolder(n *node) bool { return n.made == 0 || t.made(n).Type == '5' }

func (t *tree) isLink(n *node) bool {
	made := t.made(n)
	return made != nil && made.Type == '2' && made.Linkname != ""
}

func (t *tree) parent(n *node) *node { return t.node(n.parent) }

// children yields what is in a folder, in no order.
func (t *tree) children(n *node) iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for id := n.first; id != 0; {
			c := t.node(id)
			if id = c.next; !yield(c) {
				return
			}
		}
	}
}

// clear empties a folder. A node is lost once, so that this costs what was added.
func (t *tree) clear(n *node) {
	for c := range t.children(n) {
		c.lost = true
	}
	n.first = 0
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
		if c := t.node(t.table[i]); c.parent == n.id && t.name(c) == name && !c.lost {
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
		t.settle(c)
	}
	return c
}

// settle makes of a node what is not hidden of it by what was done to its folder.
func (t *tree) settle(n *node) {
	hidden := t.parent(n).below
	n.below = max(n.below, hidden)
	if n.layer < hidden {
		t.remove(n, hidden)
	}
}

// add returns what a folder has under a name; where there is nothing, a folder, whose
// name is that of an entry unless its number is 0.
func (t *tree) add(n *node, name string, layer int16, number uint32) *node {
	c := t.child(n, name)
	if c == nil {
		c = t.newNode()
		c.parent, c.layer, c.entry, c.below = n.id, layer, number, n.below
		if number == 0 {
			t.names[c.id] = name
		}
		c.next, n.first = n.first, c.id
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
	i := t.slot(c.parent, t.name(c))
	for t.table[i] != 0 {
		i = (i + 1) & (len(t.table) - 1)
	}
	t.table[i] = c.id
}
