package repack

import (
	"archive/tar"
	"bytes"
	"io"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/paths"
	"audit/provenance/nix"
	"audit/rebuild/gnutar"
)

// A layerCheck packs one layer again and compares the outcome with it.
type layerCheck struct {
	layer *inspect.Layer
	rules *rules
	list  []string // its store items in order, as the history has them; nil where it has none
	out   *check.List

	appendedAt  int // entry that begins the part that buildImage appends; -1 for none
	same        constants
	variant     int  // of the writer's headers, once it is known
	settled     bool // it is
	rootEntries int  // outside the store, taken as they are
	permEntries int  // of store items, with modes or owners that the author gave
	disordered  bool // entries stand in another order, which the writer's time may allow
}

// Constants are what all entries of a layer have in common: arguments of the
// packer, read off the first entry that it gives no others to.
type constants struct {
	uid, gid     int
	uname, gname string
	time         int64
}

func newLayerCheck(l *inspect.Layer, out *check.List) *layerCheck {
	c := &layerCheck{layer: l, rules: newRules(l), out: out, appendedAt: -1}
	if c.rules != nil && c.rules.appended {
		c.appendedAt = appendedAt(l.Entries)
	}
	for i := range l.Entries {
		if e := l.Entries[i]; i == 0 || !c.atRoot(i) {
			c.same = constants{e.Attr().UID, e.Attr().GID, e.Attr().Uname, e.Attr().Gname, e.ModTime}
			if !c.atRoot(i) {
				break
			}
		}
	}
	return c
}

// appendedAt returns the entry that begins the part that buildImage appends: a
// store item, or before it the two folders above all items.
func appendedAt(entries []*inspect.Entry) int {
	i := slices.IndexFunc(entries, func(e *inspect.Entry) bool { return strings.HasPrefix(e.Name(), storeDir[1:]) })
	if i >= 2 && entries[i-2].Path == "nix" && entries[i-1].Path == "nix/store" {
		return i - 2
	}
	return i
}

// atRoot says whether entry i is one of those that the author decides.
func (c *layerCheck) atRoot(i int) bool {
	e := c.layer.Entries[i]
	if nix.Store().ItemOf(e.Path) != "" {
		return false
	}
	return e.Path != "nix" && e.Path != "nix/store" || i < c.appendedAt
}

// run reports whether the packer, too, would have made the layer as it is.
func (c *layerCheck) run() bool {
	before := c.out.Count(check.Problem)
	c.checkOrder()
	c.checkFolders()
	c.checkFrame(c.layer.Frame.Open())
	c.noteConstants()
	return c.out.Count(check.Problem) == before
}

func (c *layerCheck) problem(path, code string, args ...any) {
	c.out.Problem(c.layer.Index, path, code, args...)
}

// appended says whether entry i is in the part that buildImage appends.
func (c *layerCheck) appended(i int) bool { return c.appendedAt >= 0 && i >= c.appendedAt }

// checkOrder looks whether each entry comes after the one before it, in the
// order of the writer; store items follow each other as the history lists them.
func (c *layerCheck) checkOrder() {
	rank := make(map[string]int, len(c.list))
	for i, item := range c.list {
		rank[item] = i
	}
	seen := make(map[string]int, len(c.layer.Entries))
	for i := range c.layer.Entries {
		e := c.layer.Entries[i]
		if first, ok := seen[e.Path]; ok {
			c.problem(e.Path, "repack/duplicate-entry", "entry", i, "first", first)
		}
		seen[e.Path] = i
		if i == 0 || i == c.appendedAt {
			continue
		}
		if before := c.layer.Entries[i-1]; c.compare(i, rank, before.Path, e.Path) > 0 {
			c.misplaced(e, before)
		}
	}
}

func (c *layerCheck) misplaced(e, before *inspect.Entry) {
	if c.rules.unsorted {
		c.disordered = true
		return
	}
	c.problem(e.Path, "repack/entry-order", "after", before.Path, "packer", c.rules.name)
}

// compare orders two paths that follow each other. Between two store items it
// is the list that counts, where there is one; else any order is the packer's.
func (c *layerCheck) compare(i int, rank map[string]int, a, b string) int {
	if c.appended(i) {
		return appendedOrder(a, b)
	}
	one, other := nix.Store().ItemOf(a), nix.Store().ItemOf(b)
	if one != "" && other != "" && one != other && c.storeOnly() {
		x, known := rank[one]
		y, also := rank[other]
		if known && also {
			return x - y
		}
		return 0
	}
	return c.rules.order(a, b)
}

// storeOnly says whether the layer has store items and nothing else, each
// handed to the writer by itself.
func (c *layerCheck) storeOnly() bool {
	first := c.layer.Entries[0].Path
	return first == "nix" || first == "nix/store" || nix.Store().ItemOf(first) != ""
}

// checkFolders looks whether each entry has the folder that it is in before it:
// writers put a folder before what is in it, and leave none out.
func (c *layerCheck) checkFolders() {
	folders := map[string]bool{}
	for i := range c.layer.Entries {
		e := c.layer.Entries[i]
		if c.rules.files && e.Type == tar.TypeDir {
			c.problem(e.Path, "repack/unexpected-folder", "packer", c.rules.name)
		}
		if e.Type == tar.TypeDir {
			folders[e.Path] = true
		}
		dir := paths.Above(e.Path)
		if !c.rules.files && dir != "" && !folders[dir] && !(c.appended(i) && (dir == "nix" || dir == "nix/store")) {
			c.problem(e.Path, "repack/missing-folder", "folder", dir)
		}
	}
}

// due returns the header that the packer writes for entry i. It is false when
// there is none: the packer would not write such an entry at all.
func (c *layerCheck) due(i int) (gnutar.Header, bool) {
	e := c.layer.Entries[i]
	h := gnutar.Header{
		Name: c.rules.entryName(e.Path, e.Type == tar.TypeDir), Kind: e.Type, Time: c.same.time,
		UID: int64(c.same.uid), GID: int64(c.same.gid), Uname: c.same.uname, Gname: c.same.gname,
	}
	if c.appended(i) && (nix.Store().ItemOf(e.Path) != "" || !strings.HasPrefix(e.Name(), "./")) {
		h.Name = slashBehind(e.Path, e.Type == tar.TypeDir)
	}
	switch e.Type {
	case tar.TypeReg:
		h.Size = e.Size
	case tar.TypeSymlink:
		h.Link = e.Linkname
	case tar.TypeDir:
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		if c.atRoot(i) { // fakeRootCommands can make such a one
			c.rootEntries++
			return h, false
		}
		fallthrough
	default:
		c.problem(e.Path, "repack/unexpected-type", "type", string(rune(e.Type)))
		return h, false
	}
	if nix.Store().ItemOf(e.Path) != "" {
		h.Mode = image.StoreMode(e)
		if c.rules.perms && c.given(&h, e) {
			c.permEntries++
		}
		return h, true
	}
	h.Mode = int64(e.Mode)
	if c.atRoot(i) {
		c.rootEntries++
		h.UID, h.GID, h.Uname, h.Gname = int64(e.Attr().UID), int64(e.Attr().GID), e.Attr().Uname, e.Attr().Gname
	}
	return h, true
}

// given takes mode and owner of an entry that has others than it would by
// itself; false when it has not.
func (c *layerCheck) given(h *gnutar.Header, e *inspect.Entry) bool {
	mode, owner := int64(e.Mode), constants{e.Attr().UID, e.Attr().GID, e.Attr().Uname, e.Attr().Gname, c.same.time}
	if mode == h.Mode && owner == c.same {
		return false
	}
	h.Mode, h.UID, h.GID, h.Uname, h.Gname = mode, int64(e.Attr().UID), int64(e.Attr().GID), e.Attr().Uname, e.Attr().Gname
	return true
}

// checkFrame writes the frame that the packer would have written and compares
// it with r, the one that was read, entry by entry.
func (c *layerCheck) checkFrame(r io.Reader) {
	var end, pad int64 // of the content before
	var want []byte
	for i := range c.layer.Entries {
		e := c.layer.Entries[i]
		got := make([]byte, min(e.FrameSize, maxHeaders))
		if _, err := io.ReadFull(r, got); err != nil {
			c.problem(e.Path, "repack/frame-unreadable", "error", err)
			return
		}
		if _, err := io.CopyN(io.Discard, r, e.FrameSize-int64(len(got))); err != nil {
			c.problem(e.Path, "repack/frame-unreadable", "error", err)
			return
		}
		if h, ok := c.due(i); ok {
			want = c.write(append(want[:0], make([]byte, pad)...), h, got)
			c.compareHeaders(e, got, want, pad)
		}
		end += e.FrameSize + e.Size
		pad = gnutar.Padding(e.Size)
	}
	c.checkEnd(r, end, pad)
}

// write appends the headers that are due. Where the writer has variants, the
// first header in which they differ decides for the layer.
func (c *layerCheck) write(b []byte, h gnutar.Header, got []byte) []byte {
	pad := len(b)
	b = c.rules.append[c.variant](b, h)
	if c.settled || bytes.Equal(b, got) && !c.differ(h) {
		return b
	}
	for i, variant := range c.rules.append {
		if other := variant(bytes.Clone(b[:pad]), h); bytes.Equal(other, got) {
			c.variant, c.settled = i, c.differ(h)
			return other
		}
	}
	return b
}

// differ says whether the variants of the writer differ in this header.
func (c *layerCheck) differ(h gnutar.Header) bool {
	first := c.rules.append[0](nil, h)
	return slices.ContainsFunc(c.rules.append, func(v appender) bool { return !bytes.Equal(v(nil, h), first) })
}

// maxHeaders bounds the headers of one entry that are looked at; two names of
// the greatest length fit.
const maxHeaders = 1 << 20

// compareHeaders reports how the headers of an entry differ from the due ones.
func (c *layerCheck) compareHeaders(e *inspect.Entry, got, want []byte, pad int64) {
	if bytes.Equal(got, want) {
		return
	}
	pad = min(pad, int64(len(got)))
	if at := gnutar.FirstNonZero(got[:pad]); at >= 0 {
		c.problem(e.Path, "repack/padding-differs", "byte", at, "value", gnutar.HexByte(got[at]))
		return
	}
	if d := gnutar.Differences(got[pad:], want[min(pad, int64(len(want))):]); d != nil {
		c.problem(e.Path, "repack/header-differs", gnutar.Arguments(d)...)
		return
	}
	c.problem(e.Path, "repack/header-size-differs", "got", e.FrameSize, "want", len(want))
}

// checkEnd compares what follows the last entry.
func (c *layerCheck) checkEnd(r io.Reader, end, pad int64) {
	rest, err := gnutar.ReadRest(r)
	due := pad + c.rules.end(end+pad)
	switch {
	case err != nil:
		c.problem("", "repack/frame-unreadable", "error", err)
	case rest.First >= 0:
		c.problem("", "repack/data-after-end", "byte", rest.First, "value", gnutar.HexByte(rest.Value))
	case rest.Size != due:
		c.problem("", "repack/record-padding", "got", rest.Size, "want", due)
	}
}

// The date that the packers give by default: that of nixpkgs for GNU tar, and
// the first second of 1970 for the others.
const (
	nixpkgsDate = 315532800
	storeDate   = 1
)

// noteConstants names the arguments of the packer that are not those by default.
func (c *layerCheck) noteConstants() {
	s := c.same
	if s.time != nixpkgsDate && s.time != storeDate {
		c.out.Note(c.layer.Index, "", "repack/date-taken", "time", s.time)
	}
	if c.permEntries > 0 {
		c.out.Note(c.layer.Index, "", "repack/perms-taken", "entries", c.permEntries)
	}
	if s.uid != 0 || s.gid != 0 {
		c.out.Note(c.layer.Index, "", "repack/owner-taken", "uid", s.uid, "user", s.uname, "gid", s.gid, "group", s.gname)
	}
}
