package inspect

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A storeReader gathers the store items of one layer.
type storeReader struct {
	pass  *pass
	where string // the layer
	items map[string]*storeItem
	loose []*sightings // of files outside the store that name store items
	at    io.ReaderAt  // the layer's tar, where it can be read again; else nil
	spool spool
	own   *storeItem // of the entry being read; nil outside the store
	links []hardLink
}

// A storeItem is a store item while it is being gathered.
type storeItem struct {
	path    string
	nodes   []narNode
	seen    sightings
	bytes   int64
	problem string
}

// A hardLink stands for the content of an earlier entry.
type hardLink struct {
	item   *storeItem
	node   int
	target string
}

func newStoreReader(p *pass, where string) *storeReader {
	return &storeReader{pass: p, where: where, items: make(map[string]*storeItem), spool: spool{dir: p.opt.TempDir}}
}

// enter takes note of an entry and returns where its references belong.
func (s *storeReader) enter(e *Entry) *sightings {
	path := ItemOf(e.Path)
	if path == "" {
		s.own = nil
		return s.outside(e)
	}
	s.own = s.items[path]
	if s.own == nil {
		s.own = &storeItem{path: path, seen: sightings{budget: s.pass.hashes}}
		s.items[path] = s.own
	}
	s.own.bytes += e.FrameSize
	s.node(e)
	return &s.own.seen
}

// outside returns the sightings of a file outside the store. Most files name
// no store item, so one is reused until it was needed.
func (s *storeReader) outside(e *Entry) *sightings {
	if n := len(s.loose); n > 0 && s.loose[n-1].empty() {
		return s.loose[n-1]
	}
	seen := &sightings{budget: s.pass.hashes}
	s.loose = append(s.loose, seen)
	return seen
}

func (s *sightings) empty() bool { return len(s.hashes) == 0 && len(s.paths) == 0 }

func (s *storeReader) node(e *Entry) {
	n := narNode{path: s.relative(e), kind: e.Type, executable: e.Mode&0o100 != 0, target: e.Linkname}
	n.content, n.offset = s.place(e)
	switch e.Type {
	case '0', '2', '5':
	case '1':
		n.kind = '0'
		s.links = append(s.links, hardLink{s.own, len(s.own.nodes), cleanPath(e.Linkname)})
	default:
		s.own.problem = fmt.Sprintf("%s is neither file, folder nor symlink: a NAR cannot hold it", e.Path)
	}
	s.own.nodes = append(s.own.nodes, n)
}

// place says where the content of an entry can be read again: in the tar
// itself where that is a file on disk, else in the spool. A sparse file is not
// in the tar as it is.
func (s *storeReader) place(e *Entry) (io.ReaderAt, int64) {
	if s.at != nil && !e.Sparse {
		return s.at, e.Offset
	}
	return &s.spool, s.spool.size
}

// relative returns the path of an entry inside its store item, "" for the item
// itself; outside the store the path as it is.
func (s *storeReader) relative(e *Entry) string {
	if s.own == nil {
		return e.Path
	}
	return strings.TrimPrefix(e.Path[len(s.own.path)-1:], "/")
}

// write takes a piece of the content of the entry being read.
func (s *storeReader) write(p []byte) error {
	if s.own == nil {
		return nil
	}
	n := &s.own.nodes[len(s.own.nodes)-1]
	n.size += int64(len(p))
	s.own.bytes += int64(len(p))
	if n.content != &s.spool {
		return nil
	}
	_, err := s.spool.Write(p)
	return err
}

// finish hashes the NARs when the layer has been read.
func (s *storeReader) finish(layer *Layer) error {
	if err := s.resolveLinks(); err != nil {
		return err
	}
	for _, it := range s.items {
		item := StoreItem{Path: it.path, Bytes: it.bytes, Files: len(it.nodes), Problem: it.problem}
		if layer.Broken != nil {
			item.Problem = "its layer can be read only in part"
		}
		if item.Problem == "" {
			sum, size, err := hashNar(lastOfEach(it.nodes))
			if fatal := s.pass.fatal(err); fatal != nil {
				return fatal
			}
			if err != nil {
				item.Problem = "its NAR cannot be made: " + err.Error()
			}
			item.NarHash, item.NarSize = sum.Hash(), size
		}
		layer.items = append(layer.items, gathered{item, &it.seen})
	}
	slices.SortFunc(layer.items, func(a, b gathered) int { return strings.Compare(a.Path, b.Path) })
	for _, seen := range s.loose {
		if !seen.empty() {
			layer.loose = append(layer.loose, seen)
		}
	}
	return nil
}

// lastOfEach drops all but the last of the nodes that have the same path: that
// is the one that stays when a tar is unpacked.
func lastOfEach(nodes []narNode) []narNode {
	slices.SortStableFunc(nodes, func(a, b narNode) int { return ComparePaths(a.path, b.path) })
	kept := nodes[:0]
	for i, n := range nodes {
		if i+1 < len(nodes) && nodes[i+1].path == n.path {
			continue
		}
		kept = append(kept, n)
	}
	return kept
}

// resolveLinks gives each hard link the content of its target.
func (s *storeReader) resolveLinks() error {
	if len(s.links) == 0 {
		return nil
	}
	files := make(map[string]narNode)
	for _, it := range s.items {
		for _, n := range it.nodes {
			files[strings.TrimSuffix(it.path[1:]+"/"+n.path, "/")] = n
		}
	}
	for _, l := range s.links {
		n := &l.item.nodes[l.node]
		target, ok := files[l.target]
		if !ok || target.kind == '5' {
			l.item.problem = fmt.Sprintf("hard link %q leads to no file of this layer's store items", n.path)
			continue
		}
		path := n.path
		*n = target
		n.path = path
		files[strings.TrimSuffix(l.item.path[1:]+"/"+n.path, "/")] = *n
		if err := s.pass.grow(s.where, n.size); err != nil {
			return err
		}
		s.scanLinked(l.item, *n)
	}
	return nil
}

// scanLinked scans the content that a hard link stands for: the NAR of its
// item has it too.
func (s *storeReader) scanLinked(it *storeItem, n narNode) {
	it.seen.from = it.path[1:] + "/" + n.path
	scan := scanner{seen: &it.seen}
	if n.kind == '2' {
		scan.write([]byte(n.target))
		scan.close()
		return
	}
	io.Copy(scanWriter{&scan}, io.NewSectionReader(n.content, n.offset, n.size))
	scan.close()
}

type scanWriter struct{ *scanner }

func (w scanWriter) Write(p []byte) (int, error) {
	w.write(p)
	return len(p), nil
}

// gathered is a store item with what its bytes name.
type gathered struct {
	StoreItem
	seen *sightings
}
