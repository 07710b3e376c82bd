package layers

import (
	"io"
	"maps"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/digest/sha256mb"
	"audit/inspect/image"
	"audit/inspect/pass"
	"audit/inspect/paths"
	"audit/inspect/store"
)

// A storeReader gathers the store items of one layer. Their NARs are hashed
// while the bytes go by; an item whose entries do not come in the order of a NAR,
// or that has hard links, is hashed from the spool when it has ended, while the bytes
// of the next ones go by into other spools.
//
// Then its spool is emptied for an item to come, unless the source cannot be read a
// second time: hard links to another item, and items that go on after another one
// began, need what was there before.
type storeReader struct {
	pass   *pass.Pass
	group  *sha256mb.Group
	where  string // the layer
	items  map[string]*storeItem
	loose  []*store.Sightings // of files outside the store that name store items
	at     io.ReaderAt        // the layer's tar, where it can be read again; else nil
	offset int64              // of the content of the entry being read, in at
	once   bool               // the spool keeps all items, since nothing is read twice
	spool  *pass.Spool        // of the items being read
	free   []*pass.Spool      // that are empty
	jobs   []*narJob          // of the items that have ended and are not hashed yet
	owed   int                // by how many bytes they are to go on
	bufs   [3][]byte          // of jobs
	own    *storeItem         // of the entry being read; nil outside the store
	links  []hardLink
}

// A storeItem is a store item while it is being gathered.
type storeItem struct {
	path    string
	nodes   []store.NarNode
	files   int // how many nodes it has
	seen    store.Sightings
	bytes   int64
	lane    *sha256mb.Lane
	nar     *store.NarWriter // to lane; nil when the entries do not come in its order
	promise int64            // size of the file being written to nar
	problem check.Message

	settled bool // the NAR is hashed, the nodes are gone
	sum     digest.Sum
	size    int64
}

// A hardLink stands for the content of an earlier entry.
type hardLink struct {
	item   *storeItem
	node   int
	target string
}

func newStoreReader(p *pass.Pass, group *sha256mb.Group, where string) *storeReader {
	return &storeReader{pass: p, group: group, where: where, items: make(map[string]*storeItem), once: p.Once,
		spool: &pass.Spool{Dir: p.Opt.TempDir}}
}

// close frees the spools.
func (s *storeReader) close() {
	s.spool.Close()
	for _, spool := range s.free {
		spool.Close()
	}
	for _, job := range s.jobs {
		job.spool.Close()
	}
}

// drops says whether contents are kept no longer than their item lasts.
func (s *storeReader) drops() bool { return s.at == nil && !s.once }

// enter takes note of an entry, of whose content e.Size is promised, and
// returns where its references belong.
func (s *storeReader) enter(e *image.Entry) (*store.Sightings, error) {
	path := s.pass.Hashes.Dirs.ItemOf(e.Path)
	if err := s.leave(path); err != nil {
		return nil, err
	}
	if path == "" {
		return s.outside(), nil
	}
	s.own = s.items[path]
	if s.own == nil {
		s.own = &storeItem{path: path, seen: store.Sightings{Budget: s.pass.Hashes}}
		s.own.lane = s.group.NewLane()
		s.own.nar = store.NewNarWriter(s.own.lane)
		s.items[path] = s.own
	}
	if s.own.settled {
		return nil, pass.ErrDropped
	}
	s.own.bytes += e.FrameSize
	s.node(e)
	return &s.own.seen, nil
}

// leave ends the entry being read, and its item when next is another one.
func (s *storeReader) leave(next string) error {
	if s.own == nil {
		return nil
	}
	s.own.endFile()
	if s.own.path == next {
		return nil
	}
	own := s.own
	s.own = nil
	if !s.drops() {
		if own.nar != nil {
			own.lane.Park()
		}
		return nil
	}
	if err := s.resolveLinks(own); err != nil {
		return err
	}
	job := s.settle(own)
	if job == nil {
		s.spool.Empty()
		return nil
	}
	job.spool = s.spool
	s.jobs = append(s.jobs, job)
	err := s.run(lateJobs)
	if s.spool = (&pass.Spool{Dir: s.pass.Opt.TempDir}); len(s.free) > 0 {
		s.spool, s.free = s.free[0], s.free[1:]
	}
	return err
}

// outside returns the sightings of a file outside the store. Most files name
// no store item, so one is reused until it was needed.
func (s *storeReader) outside() *store.Sightings {
	if n := len(s.loose); n > 0 && s.loose[n-1].IsEmpty() {
		return s.loose[n-1]
	}
	seen := &store.Sightings{Budget: s.pass.Hashes}
	s.loose = append(s.loose, seen)
	return seen
}

func (s *storeReader) node(e *image.Entry) {
	n := store.NarNode{Path: s.relative(e), Kind: e.Type, Executable: e.Mode&0o100 != 0, Target: e.Linkname}
	n.Content, n.Offset = s.place(e)
	switch e.Type {
	case '0', '2', '5':
	case '1':
		n.Kind, n.Linked = '0', true
		s.links = append(s.links, hardLink{s.own, len(s.own.nodes), paths.Clean(e.Linkname)})
	default:
		s.own.problem = check.Say("item/no-nar-node", "entry", e.Path)
	}
	s.own.nodes = append(s.own.nodes, n)
	s.own.files++
	s.own.stream(n, e.Size)
}

// stream writes what is known of a node before its content to the NAR.
func (it *storeItem) stream(n store.NarNode, size int64) {
	if it.nar == nil {
		return
	}
	if n.Linked || !it.problem.IsZero() || it.nar.Enter(n.Path) != nil {
		it.unstream()
		return
	}
	switch n.Kind {
	case '5':
		it.nar.Folder(n.Path)
	case '2':
		it.nar.Symlink(n.Target)
	default:
		it.nar.File(n.Executable, size)
		it.promise = size
	}
}

// unstream gives up hashing the NAR while the bytes go by.
func (it *storeItem) unstream() {
	it.lane.Reset()
	it.nar = nil
}

// endFile ends the content of the last node, if it has one.
func (it *storeItem) endFile() {
	n := it.nodes[len(it.nodes)-1]
	if it.nar == nil || n.Kind != '0' {
		return
	}
	if n.Size != it.promise {
		it.unstream()
		return
	}
	it.nar.EndFile(n.Size)
}

// place says where the content of an entry can be read again: in the tar
// itself where that is a file on disk, else in the spool. A sparse file is not
// in the tar as it is.
func (s *storeReader) place(e *image.Entry) (io.ReaderAt, int64) {
	if s.at != nil && !e.Sparse {
		return s.at, s.offset
	}
	return s.spool, s.spool.Size
}

// relative returns the path of an entry inside its store item, "" for the item
// itself; outside the store the path as it is.
func (s *storeReader) relative(e *image.Entry) string {
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
	n.Size += int64(len(p))
	s.own.bytes += int64(len(p))
	if s.own.nar != nil {
		s.own.lane.Lend(p)
	}
	if n.Content != s.spool {
		return nil
	}
	_, err := s.spool.Write(p)
	return err
}

// A narJob hashes the NAR of an item of which all is known, a piece at a time.
type narJob struct {
	item  *storeItem
	hash  *store.NarHash
	spool *pass.Spool // to be emptied when it is done; nil when others use it
}

// settle returns what is left to do for an item of which all is known, nil when its
// NAR is hashed.
func (s *storeReader) settle(it *storeItem) *narJob {
	var job *narJob
	switch {
	case !it.problem.IsZero():
		it.lane.Reset()
	case it.nar != nil:
		it.size = it.nar.Close()
		it.sum = it.lane.Finish()
	default:
		job = &narJob{item: it, hash: store.NewNarHash(it.lane, lastOfEach(it.nodes))}
	}
	it.nodes, it.nar, it.lane, it.settled = nil, nil, nil, true
	return job
}

// lateJobs is how many items wait for their NAR at most while others are read.
const lateJobs = 2

// meanwhile goes on with the items that have ended, by about n bytes. The group is to
// be run before anything else.
func (s *storeReader) meanwhile(n int) error {
	if len(s.jobs) == 0 {
		return nil
	}
	if s.owed += n; s.owed < jobLeast {
		return nil
	}
	n, s.owed = min(s.owed, jobBytes), 0
	return s.step(n)
}

// run goes on with the jobs until no more than so many are left.
func (s *storeReader) run(left int) error {
	for len(s.jobs) > left {
		if err := s.step(jobBytes); err != nil {
			return err
		}
		s.group.Run()
	}
	return nil
}

// step goes on with the first jobs by n bytes each: three are as fast as two.
func (s *storeReader) step(n int) error {
	left := s.jobs[:0]
	for i, job := range s.jobs {
		if i >= len(s.bufs) || job.hash.Step(s.buf(i)[:n]) {
			left = append(left, job)
			continue
		}
		if err := s.end(job); err != nil {
			return err
		}
	}
	clear(s.jobs[len(left):])
	s.jobs = left
	return nil
}

// jobLeast and jobBytes are how much of a job is done at a time.
const jobLeast, jobBytes = 32 << 10, 128 << 10

// buf returns the buffer of one of the jobs.
func (s *storeReader) buf(i int) []byte {
	if s.bufs[i] == nil {
		s.bufs[i] = make([]byte, jobBytes)
	}
	return s.bufs[i]
}

// end takes the result of a job.
func (s *storeReader) end(job *narJob) error {
	var err error
	job.item.sum, job.item.size, err = job.hash.Sum()
	if job.spool != nil {
		job.spool.Empty()
		s.free = append(s.free, job.spool)
	}
	if fatal := s.pass.Fatal(err); fatal != nil {
		return fatal
	}
	if err != nil {
		job.item.problem = check.Say("item/no-nar", "error", err)
	}
	return nil
}

// finish ends the layer.
func (s *storeReader) finish(layer *image.Layer) error {
	if err := s.settleAll(); err != nil {
		return err
	}
	for _, it := range s.items {
		item := store.Item{Path: it.path, Bytes: it.bytes, Files: it.files, Problem: it.problem}
		if layer.Broken != nil {
			item.Problem = check.Say("item/layer-broken")
		}
		if item.Problem.IsZero() {
			item.NarHash, item.NarSize = it.sum.Hash(), it.size
		}
		layer.Stores.Items = append(layer.Stores.Items, store.Gathered{Item: item, Seen: &it.seen})
	}
	slices.SortFunc(layer.Stores.Items, func(a, b store.Gathered) int { return strings.Compare(a.Path, b.Path) })
	for _, seen := range s.loose {
		if !seen.IsEmpty() {
			layer.Stores.Loose = append(layer.Stores.Loose, seen)
		}
	}
	return nil
}

// settleAll settles the items that are left.
func (s *storeReader) settleAll() error {
	if err := s.leave(""); err != nil {
		return err
	}
	if s.drops() {
		return s.run(0)
	}
	items := slices.Collect(maps.Values(s.items))
	if err := s.resolveLinks(items...); err != nil {
		return err
	}
	for _, it := range items {
		if job := s.settle(it); job != nil {
			s.jobs = append(s.jobs, job)
		}
	}
	return s.run(0)
}

// lastOfEach drops all but the last of the nodes that have the same path: that
// is the one that stays when a tar is unpacked.
func lastOfEach(nodes []store.NarNode) []store.NarNode {
	slices.SortStableFunc(nodes, func(a, b store.NarNode) int { return paths.Compare(a.Path, b.Path) })
	kept := nodes[:0]
	for i, n := range nodes {
		if i+1 < len(nodes) && nodes[i+1].Path == n.Path {
			continue
		}
		kept = append(kept, n)
	}
	return kept
}

// resolveLinks gives each hard link the content of its target, which is in one
// of these items.
func (s *storeReader) resolveLinks(items ...*storeItem) error {
	if len(s.links) == 0 {
		return nil
	}
	files := make(map[string]store.NarNode)
	for _, it := range items {
		for _, n := range it.nodes {
			files[strings.TrimSuffix(it.path[1:]+"/"+n.Path, "/")] = n
		}
	}
	for _, l := range s.links {
		if err := s.resolve(l, files); err != nil {
			return err
		}
	}
	s.links = nil
	return nil
}

func (s *storeReader) resolve(l hardLink, files map[string]store.NarNode) error {
	n := &l.item.nodes[l.node]
	target, ok := files[l.target]
	switch {
	case !ok && s.drops():
		return pass.ErrDropped
	case !ok || target.Kind == '5':
		l.item.problem = check.Say("item/link-to-no-file", "link", n.Path)
		return nil
	}
	path := n.Path
	*n = target
	n.Path = path
	files[strings.TrimSuffix(l.item.path[1:]+"/"+n.Path, "/")] = *n
	if err := s.pass.Grow(s.where, n.Size); err != nil {
		return err
	}
	s.scanLinked(l.item, *n)
	return nil
}

// scanLinked scans the content that a hard link stands for: the NAR of its
// item has it too.
func (s *storeReader) scanLinked(it *storeItem, n store.NarNode) {
	it.seen.From = it.path[1:] + "/" + n.Path
	scan := store.Scanner{Seen: &it.seen}
	if n.Kind == '2' {
		scan.Write([]byte(n.Target))
		scan.Close()
		return
	}
	io.Copy(&scan, io.NewSectionReader(n.Content, n.Offset, n.Size))
	scan.Close()
}
