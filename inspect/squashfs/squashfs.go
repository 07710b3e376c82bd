package squashfs

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/layers"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/paths"
)

// MediaType is the media type of a layer that is a squashfs: the one that
// Singularity CE 4 gives to those of its OCI images.
const MediaType types.MediaType = "application/vnd.sylabs.image.layer.v1.squashfs"

// A fileSystem is a squashfs 4.0 file system that is read without being mounted
// (Linux 6.6, fs/squashfs/squashfs_fs.h and Documentation/filesystems/
// squashfs.rst). All of its numbers are an attacker's: each is compared with the
// size of the file, of a block or of a table before it is used, and whatever is
// unpacked counts as growth of the pass.
type fileSystem struct {
	pass   *pass.Pass
	file   *pass.Region
	super  superblock
	unpack unpackFunc
	ids    []uint32
	raw    []byte // of the block being unpacked, as stored
	data   []byte // of the block of a file being read
	zeros  []byte // of a hole
	meta   recent[int64, metaBlock]
	tails  recent[int64, []byte] // fragment blocks
	xattrs xattrTable
	used   extents // of the data that files and fragments occupy
}

// theFileSystem is what errors call a squashfs.
const theFileSystem = "the squashfs"

// Form is that of a file system alone.
func Form() form.Form {
	return form.Form{
		Transport: image.SquashFS, Argument: "PATH",
		Match: form.HasHead(Is), Open: open,
	}
}

func open(in *form.Input) (*image.Image, error) {
	b, err := in.RegionOf(image.SquashFS, Is)
	if err != nil {
		return nil, err
	}
	sum, err := b.Digest()
	if err != nil {
		return nil, err
	}
	layer, err := ReadLayer(in.Pass, b, "squashfs")
	if err != nil {
		return nil, err
	}
	layer.Digest = sum
	return &image.Image{Transport: image.SquashFS, Manifest: image.Manifest{Origin: image.Synthesised}, Layers: []*image.Layer{layer}}, nil
}

// ReadLayer reads the squashfs that is all of b as a layer. It has no
// tar, so DiffID and Frame stay zero, and its uncompressed size is that of all
// contents; Compression is that of its blocks. Digest is left to the caller.
func ReadLayer(p *pass.Pass, b *pass.Region, member string) (*image.Layer, error) {
	layer := &image.Layer{Member: member, MediaType: MediaType, Size: b.Size}
	err := walkSquashfs(p, b, layer)
	if fatal := p.Fatal(err); fatal != nil {
		return nil, fatal
	}
	if err != nil {
		return nil, &limit.FormatError{Where: theFileSystem, Err: err}
	}
	for i := range layer.Entries {
		layer.UncompressedSize += layer.Entries[i].Size
	}
	return layer, nil
}

func walkSquashfs(p *pass.Pass, b *pass.Region, layer *image.Layer) error {
	s, err := openSquashfs(p, b, layer)
	if err != nil {
		return err
	}
	w := &walk{fileSystem: s, layer: layer, sink: layers.NewSink(p, layer), refs: make(map[uint32]uint64), names: make(map[linkKey]string)}
	w.sink.KeepAll() // deduplicated files are hard links there, across store items
	if err := w.tree(); err != nil {
		w.sink.Abandon()
		return err
	}
	if err := w.sink.Close(); err != nil {
		return err
	}
	if n := len(w.refs); n != int(s.super.inodes) {
		layer.Notes = append(layer.Notes, check.Say("integrity/squashfs-inode-count", "claimed", int64(s.super.inodes), "found", n))
	}
	return s.leftovers(layer)
}

func openSquashfs(p *pass.Pass, b *pass.Region, layer *image.Layer) (*fileSystem, error) {
	s := &fileSystem{pass: p, file: b, meta: newRecent[int64, metaBlock](metaKept), tails: newRecent[int64, []byte](tailsKept)}
	var err error
	if s.super, err = readSuperblock(b); err != nil {
		return nil, err
	}
	if s.unpack, err = newUnpacker(s.super.compressor); err != nil {
		return nil, err
	}
	layer.Compression = s.super.compressor.compression()
	s.raw, s.data, s.zeros = make([]byte, maxStored), make([]byte, s.super.blockSize), make([]byte, s.super.blockSize)
	if err := s.readIDs(); err != nil {
		return nil, fmt.Errorf("reading the table of owners: %w", err)
	}
	if err := s.readXattrTable(); err != nil {
		return nil, fmt.Errorf("reading the table of extended attributes: %w", err)
	}
	return s, nil
}

// maxFolders bounds how deep folders may lie in each other.
const maxFolders = 4096

// A walk reads a whole squashfs, folder by folder.
type walk struct {
	*fileSystem
	layer    *image.Layer
	sink     *layers.Sink
	refs     map[uint32]uint64  // inode number → where the inode is
	names    map[linkKey]string // the path under which an inode was seen first
	disorder bool               // a folder is not sorted
}

// A linkKey distinguishes names of an inode in the store from those outside, since a
// NAR has to have the content of its files whatever links there are elsewhere.
type linkKey struct {
	number uint32
	store  bool
}

func (w *walk) tree() error {
	root, err := w.inode(w.super.root)
	if err != nil {
		return fmt.Errorf("reading the root folder: %w", err)
	}
	if root.kind != folderKind {
		return errors.New("its root is no folder")
	}
	if err := w.place(".", root); err != nil {
		return err
	}
	return w.folder(".", root, 0)
}

// folder reads what is in a folder, in its order. Its own entry is made.
func (w *walk) folder(path string, in *inode, depth int) error {
	if depth > maxFolders {
		return &limit.Error{Name: "folders in each other", Limit: maxFolders, Where: theFileSystem}
	}
	list, err := w.listing(in)
	if err != nil {
		return fmt.Errorf("reading folder %q: %w", path, err)
	}
	last := ""
	for {
		d, err := list.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading folder %q: %w", path, err)
		}
		if d.name <= last {
			w.unsorted(path, d.name)
		}
		last = d.name
		if err := w.name(paths.Join(path, d.name), d, depth); err != nil {
			return err
		}
	}
}

// unsorted takes note, once, that a folder is not in order.
func (w *walk) unsorted(path, name string) {
	if !w.disorder {
		w.layer.Notes = append(w.layer.Notes, check.Say("integrity/squashfs-order", "folder", path, "name", name))
	}
	w.disorder = true
}

// name reads what a name in a folder leads to.
func (w *walk) name(path string, d name, depth int) error {
	if err := w.pass.Ctx.Err(); err != nil {
		return err
	}
	in, err := w.inode(d.ref)
	if err == nil {
		err = d.matches(in)
	}
	if err == nil {
		err = w.place(path, in)
	}
	if err != nil {
		return fmt.Errorf("reading %q: %w", path, err)
	}
	if in.kind == folderKind {
		return w.folder(path, in, depth+1)
	}
	return nil
}

// place makes an entry of an inode that was found at path. One that was found
// before is a further name of the same file: the first name in path order is
// taken for the file, as tar does it, the others for hard links to it.
func (w *walk) place(path string, in *inode) error {
	again, err := w.seen(in)
	if err != nil {
		return err
	}
	if again && in.kind == folderKind {
		return errors.New("the folder lies in itself, or in two places")
	}
	e, err := w.entry(path, in)
	if err != nil {
		return err
	}
	key := linkKey{in.number, w.pass.Hashes.Dirs.ItemOf(path) != ""}
	first, linked := w.names[key]
	if linked && (in.kind == fileKind || !key.store) {
		e.Type, e.Linkname = '1', first
		return w.sink.Add(e, nil)
	}
	if !linked {
		w.names[key] = path
	}
	return w.content(e, in)
}

// seen says whether an inode was met before. The number is what Linux knows an
// inode by: were there two of one number, it would take one for the other.
func (w *walk) seen(in *inode) (bool, error) {
	ref, ok := w.refs[in.number]
	if ok && ref != in.ref {
		return false, fmt.Errorf("inode %d is there twice", in.number)
	}
	w.refs[in.number] = in.ref
	return ok, nil
}

// content hands an entry and its content to the sink.
func (w *walk) content(e *image.Entry, in *inode) error {
	switch in.kind {
	case fileKind:
	case socketKind:
		return w.socket(e)
	default:
		return w.sink.Add(e, nil)
	}
	r := w.open(in)
	e.Size = in.size
	if err := w.sink.Add(e, r); err != nil {
		return err
	}
	w.used.add(in.start, r.at)
	w.layer.Entries[len(w.layer.Entries)-1].Sparse = r.holes
	return nil
}

// socket hands over a socket. The sink, made for tars, does not know that it
// has no content.
func (w *walk) socket(e *image.Entry) error {
	err := w.sink.Add(e, strings.NewReader(""))
	if err == nil {
		w.layer.Entries[len(w.layer.Entries)-1].Digest = digest.Sum{}
	}
	return err
}

// entry returns the entry that a tar would have of an inode.
func (w *walk) entry(path string, in *inode) (*image.Entry, error) {
	xattrs, err := w.xattrs.of(in.xattr)
	if err != nil {
		return nil, fmt.Errorf("reading its extended attributes: %w", err)
	}
	e := &image.Entry{
		Path: path, Type: in.kind.entryType(), Linkname: in.target,
		Mode: in.mode, ModTime: int64(in.mtime), Attributes: &image.Attributes{UID: int(in.uid), GID: int(in.gid), Xattrs: xattrs},
	}
	if in.kind == charDevice || in.kind == blockDevice {
		e.Attributes.Devmajor, e.Attributes.Devminor = in.device()
	}
	return e, nil
}
