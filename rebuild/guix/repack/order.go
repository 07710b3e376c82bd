package repack

import (
	"math"
	"slices"

	"audit/inspect"
)

// closureOrder returns the store items in the order in which Guix hands them
// to the packer: depth first through the references, leaves first, from the
// items that no other refers to. The daemon writes the graph sorted by path,
// and reading it turns both lists round (guix/build/store-copy.scm of 1.5.0,
// read-reference-graph and topological-sort).
func closureOrder(items []inspect.StoreItem) []string {
	refs := make(map[string][]string, len(items))
	referred := make(map[string]bool, len(items))
	var paths []string
	for _, it := range items {
		refs[it.Path] = it.References
		paths = append(paths, it.Path)
		for _, r := range it.References {
			referred[r] = referred[r] || r != it.Path
		}
	}
	slices.Sort(paths)
	s := sorter{refs: refs, visited: make(map[string]bool, len(items))}
	for _, p := range slices.Backward(paths) {
		if !referred[p] {
			s.visit(p)
		}
	}
	return s.order
}

// A sorter walks the references without recursion: a hostile image could make
// the graph as deep as it likes.
type sorter struct {
	refs    map[string][]string // of the items that there are, sorted
	visited map[string]bool
	order   []string
}

func (s *sorter) visit(root string) {
	type step struct {
		path string
		left int // references still to follow, from the end
	}
	if s.visited[root] {
		return
	}
	s.visited[root] = true
	stack := []step{{root, len(s.refs[root])}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.left == 0 {
			s.order = append(s.order, top.path)
			stack = stack[:len(stack)-1]
			continue
		}
		top.left--
		next := s.refs[top.path][top.left]
		if r, ok := s.refs[next]; ok && !s.visited[next] {
			s.visited[next] = true
			stack = append(stack, step{next, len(r)})
		}
	}
}

// A shape is what the size of a folder depends on.
type shape struct {
	entries int64
	names   int64 // bytes of the names of its entries
	dirents int64 // bytes of its directory entries in ext4
}

func (s *shape) grow(name string) {
	n := int64(len(name))
	s.entries++
	s.names += n
	s.dirents += (8 + n + 3) &^ 3
}

// A fileSystem gives folders a size, which is what stat(2) says of them.
type fileSystem struct {
	name string
	size func(shape) bounds
}

// bounds are the least and the most that a size can be.
type bounds struct{ low, high int64 }

func exactly(n int64) bounds { return bounds{n, n} }

// fileSystems lists those whose folder sizes are known: exactly for small
// folders, within bounds for those that take more than a block, since their
// size depends on the order in which their entries came.
func fileSystems() [5]fileSystem {
	return [...]fileSystem{
		{"ext4", ext4Size},
		{"tmpfs", func(s shape) bounds { return exactly(40 + 20*s.entries) }}, // Linux, mm/shmem.c
		{"btrfs", func(s shape) bounds { return exactly(2 * s.names) }},       // Linux, fs/btrfs/inode.c
		{"xfs", xfsSize},
		{"zfs", func(s shape) bounds { return exactly(2 + s.entries) }}, // OpenZFS, module/os/linux/zfs/zfs_dir.c
	}
}

// fileBlock is what these file systems allocate at once.
const fileBlock = 4096

// ext4Size: whole blocks, half full at worst (Linux, fs/ext4/namei.c).
func ext4Size(s shape) bounds {
	used := s.dirents + 36 // ".", ".." and the checksum
	if used <= fileBlock/2 {
		return exactly(fileBlock)
	}
	return bounds{fileBlock * ((used + fileBlock - 1) / fileBlock), fileBlock * (3 + 2*used/fileBlock)}
}

// xfsSize: a small folder lies in its inode, with inode numbers of four or
// eight bytes (Linux, fs/xfs/libxfs/xfs_dir2_sf.c).
func xfsSize(s shape) bounds {
	low, high := 6+s.names+8*s.entries, 10+s.names+12*s.entries
	if high > 200 {
		high = fileBlock * (3 + 2*(s.names+24*s.entries)/fileBlock)
	}
	return bounds{low, high}
}

// A weight is the size of a store item, as far as the image shows. The packer
// sorts by it (guix/build/store-copy.scm of 1.5.0, file-size), and counts the
// folders' own sizes in, which differ from one file system to the next.
type weight struct {
	path    string
	layer   int
	content int64 // bytes of files and link targets
	folders int64
	spread  int64     // how far its folders may go beyond a size common to all
	sizes   [5]bounds // of its folders together, on each of fileSystems
}

func (w *weight) addFolder(s shape) {
	w.folders++
	w.spread += 64 + 2*(s.names+24*s.entries)
	if s.dirents > 256 { // it may need blocks more than an empty one
		w.spread += 2 * fileBlock * (1 + s.dirents/fileBlock)
	}
	for i, fs := range fileSystems() {
		b := fs.size(s)
		w.sizes[i].low += b.low
		w.sizes[i].high += b.high
	}
}

// splitOn returns the name of a file system on which sorting by size gives
// this order, "" when there is none.
func splitOn(weights []weight, closure []string) string {
	rank := make(map[string]int, len(closure))
	for i, p := range closure {
		rank[p] = i
	}
	for i, fs := range fileSystems() {
		if fitsOn(i, weights, rank) {
			return fs.name
		}
	}
	return ""
}

// fitsOn says whether no item can be larger than one before it, on one file
// system. Items of equal size stay in the order of the closure.
func fitsOn(fs int, weights []weight, rank map[string]int) bool {
	least := int64(math.MaxInt64) // that any item so far can have at most
	for i, w := range weights {
		b := w.sizes[fs]
		if w.content+b.low > least {
			return false
		}
		least = min(least, w.content+b.high)
		if i == 0 {
			continue
		}
		before := weights[i-1]
		equal := before.content+before.sizes[fs].low == w.content+b.high && b.low == b.high
		if equal && rank[before.path] > rank[w.path] {
			return false
		}
	}
	return true
}

// impossible returns the first two neighbours of which the first must have
// been the smaller one whatever size folders had on the builder's file system:
// some size common to all of them, at most 64 KiB, and their spread.
func impossible(weights []weight) (a, b weight, found bool) {
	low, high := int64(0), int64(64<<10)
	for i := 1; i < len(weights); i++ {
		a, b := weights[i-1], weights[i]
		// a.content + size*a.folders + a.spread >= b.content + size*b.folders
		lack, gain := b.content-a.content-a.spread, a.folders-b.folders
		switch {
		case gain > 0:
			low = max(low, -floorDiv(-lack, gain))
		case gain < 0:
			high = min(high, floorDiv(-lack, -gain))
		case lack > 0:
			return a, b, true
		}
		if low > high {
			return a, b, true
		}
	}
	return weight{}, weight{}, false
}

// floorDiv divides by a positive number and rounds down.
func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}
