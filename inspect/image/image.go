package image

import (
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"io"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/store"
)

// An Image is what one pass over the bytes of an image found.
type Image struct {
	Reference   string           // as the user named it
	File        string           // what is read of a reference that was fetched; "" for itself
	Transport   Transport        // the form in which it was read
	Compression compression.Kind // of the archive as a whole
	Archive     v1.Hash          // SHA-256 of the file or stream as it was given; zero where there is none
	Tags        []string         // names that the image claims for itself, in its order

	Config   Config
	Manifest Manifest
	Layers   []*Layer // lowest first
	Members  []Member // of the archive, in its order

	// Stores are where the stores lie that were looked for.
	Stores store.Dirs
	// Items are the store items of all layers, sorted by path.
	Items []store.Item
	// Dangling are the store paths that the bytes name and that no layer
	// has, sorted by To, then From.
	Dangling []store.Reference
	// Loose are the references to store items that are made outside the
	// store, by link targets and contents of other files; sorted likewise.
	Loose []store.Reference

	// Index is the digest of the image index that led here; zero when none did.
	Index v1.Hash
	// Platforms are the entries of that index, in its order; of a layout with several
	// images, those of the one that was asked for.
	Platforms []IndexEntry
	// Attestations are the statements that lie beside the image in its index,
	// then those that refer to it in its registry.
	Attestations []Attestation
	// MoreAttestations says that there are, or may be, others that were not read.
	MoreAttestations bool
	// Documents are what a SIF says of itself beside its file system, in the
	// order of the file.
	Documents []Document

	// Copies are those of layers that came as a stream, within Limits.CopyBytes; nil
	// where that is 0.
	Copies Copies `json:"-"`
	// Dropped are the contents that were asked for as optional and are not kept,
	// in the order of layers.
	Dropped []Dropped

	// Problems are the findings of the integrity check, in the order of the
	// ladder: archive, config, layers.
	Problems []check.Finding

	root      *Root
	Claimless bool // the form claims no digest of its layers, though it has a config
}

// An IndexEntry is what an index says of one of the images, or the like, in it.
type IndexEntry struct {
	Digest       v1.Hash
	Platform     string // "linux/arm64/v8"; "" where it says none
	Name         string
	Kind         EntryKind
	ArtifactType string // of the OCI image-spec v1.1, descriptor.md
	Chosen       bool   // it is the one that was read
}

// An EntryKind is what an entry of an index is, as the index says.
type EntryKind string

// The kinds of entries.
const (
	ImageEntry       EntryKind = "image"       // it can be run
	AttestationEntry EntryKind = "attestation" // labelled so, as BuildKit does
	ArtifactEntry    EntryKind = "artifact"    // of another type than an image
)

// Copies are layers that can be read once more, by the name of their member: see
// pass.Copies.
type Copies interface {
	Open(member string) (io.Reader, bool)
	Close()
}

// A Config is the image configuration, the JSON document that docker run
// obeys (OCI image-spec v1.1, config.md).
type Config struct {
	Member string        // name in the archive
	Raw    []byte        // the bytes as stored
	Digest v1.Hash       // computed over Raw; the image ID
	File   v1.ConfigFile // Raw, decoded

	written *Written // the rest of it; see Written
}

// A Manifest is the image manifest where one was observed. A docker-archive
// has none: Digest is then zero and Origin is [Synthesised].
type Manifest struct {
	Digest    v1.Hash
	MediaType types.MediaType
	Raw       []byte
	Origin    Origin
}

// An Origin says how a digest came about.
type Origin string

// The kinds of digest, which are never mixed up.
const (
	Claimed     Origin = "claimed"     // a descriptor says so
	Computed    Origin = "computed"    // hashed here
	Synthesised Origin = "synthesised" // the form has none: a tool would make it up
)

// A Layer is one change set of the image, a tar archive or, where its media
// type is [SquashfsLayer], a file system. That one has no frame, and outside of
// OCI images no diffID; its compression is that of its blocks, its uncompressed
// size the sum of its contents.
type Layer struct {
	Index            int    // 0 is the lowest
	Member           string // name in the archive, or the blob's digest
	MediaType        types.MediaType
	Compression      compression.Kind        // of the blob
	Gzip             *compression.GzipHeader // of the blob's first member; nil when it is not gzip
	Digest           v1.Hash                 // computed over the blob as stored
	ClaimedDigest    v1.Hash                 // of the blob; zero where nothing claims one
	Size             int64                   // of the blob, in bytes
	DiffID           v1.Hash                 // computed over the uncompressed tar, to its last byte
	ClaimedDiffID    v1.Hash                 // what the config says; zero when it says nothing
	UncompressedSize int64                   // of the tar, in bytes
	Entries          []*Entry                // in the order of the tar
	Frame            Frame                   // the bytes of the tar that are no file's content
	Broken           error                   // why the tar could be read only in part; nil when whole

	Notes       []check.Message            // what is wrong with the packing
	Remarks     []check.Finding            // about its entries
	Skipped     []compression.SkippedFrame // of a blob that is compressed with zstd
	MoreSkipped int                        // how many of them are not listed
	Chunked     *Chunked                   // what the descriptor claims of them; nil when nothing
	TOC         *TOC                       // the table of contents of eStargz; nil when there is none
	Overlayfs   bool                       // it is mounted as it is: marks of overlayfs are meant as such
	Unended     bool                       // the tar lacks the blocks of zeros that end one
	Absent      bool                       // the blob is not part of the image
	Elsewhere   string                     // URL of a blob that is not part of the image; "" where its descriptor has none
	Unknown     bool                       // its media type is none of those of a tar or squashfs; Broken says whether it can be read all the same
	OtherDigest v1.Hash                    // computed over the blob, of the algorithm of ClaimedDigest when that is not SHA-256
	Watched     bool                       // contents were read along with, and the notes are there: see Root.Note
	Stores      store.Found                // what its bytes have of stores, until [Image.Items] is made of it
	bodies      map[string][]byte          // contents that were kept: the last at each path
	byDigest    map[digest.Sum][]byte      // all of them, by their digest
	spare       map[digest.Sum][]byte      // those that can be done without
	optional    []string                   // their paths
	notes       map[digest.Sum][]byte      // on contents, by their digest
	weak        weak                       // digests of entries beside SHA-256
}

// An Entry is one member of a layer's tar archive (POSIX.1-2017 pax, with the
// GNU extensions of GNU tar 1.35). It is what memory goes to, so the small
// fields share a word, and what many entries have alike is kept once.
type Entry struct {
	Path      string     // that the name means: without leading "./" and "/" and trailing "/"; "." for the root
	Linkname  string     // of links
	Size      int64      // of the content, in bytes
	FrameSize int64      // bytes of the frame between the previous content and this one
	ModTime   int64      // seconds since 1970
	ModNanos  int32      // the rest of it, in nanoseconds
	Mode      uint16     // permissions with setuid, setgid and sticky bit (07777)
	Type      byte       // the header's type flag: '0' file, '1' hard link, '2' symlink, '5' folder, …, or Socket
	Sparse    bool       // the tar stores fewer bytes than Size
	Digest    digest.Sum // SHA-256 of the content of a regular file

	Attributes *Attributes // not to be changed: entries share it; nil for zeros, see Attr
}

// Attributes are what entries of a layer have in common with most others.
type Attributes struct {
	UID, GID           int
	Uname, Gname       string
	Devmajor, Devminor int64
	Xattrs             map[string]string // PAX SCHILY.xattr.*; nil when none
	Spelling           Spelling
}

// A Spelling is how the header of an entry writes its path.
type Spelling struct {
	Before, After string // the path
	Other         bool   // what comes before stands for all of it, as a/../b does for b
}

// Spell returns how a name writes the path that it means.
func Spell(name, path string) Spelling {
	if name == path {
		return Spelling{}
	}
	before, after, ok := strings.Cut(name, path)
	if !ok || before != "" && before != "./" && before != "/" || after != "" && after != "/" {
		return Spelling{Before: name, Other: true}
	}
	return Spelling{Before: before, After: after}
}

// Name returns the name of the entry as the header has it.
func (e *Entry) Name() string {
	s := &e.Attr().Spelling
	if s.Other {
		return s.Before
	}
	return s.Before + e.Path + s.After
}

// Attr returns the attributes of an entry, which are not to be changed.
func (e *Entry) Attr() *Attributes {
	if e.Attributes == nil {
		return &Attributes{}
	}
	return e.Attributes
}

// TOCName is the name of the table of contents of eStargz.
const TOCName = "stargz.index.json"

// A TOC is the table of contents that eStargz adds to a layer, from which files are
// fetched one by one.
type TOC struct {
	Claimed  string  // the digest that the descriptor of the layer says; "" when it says none
	Digest   v1.Hash // computed; zero when the layer has no such table
	Appended bool    // it follows the end of the tar, and engines that unpack the tar do not see it
	Footer   bool    // the blob ends in what says where it lies
	Unread   bool    // it was not compared with the layer: it is too large, or an entry
	Differs  string  // a file of which it says something else than the layer; "" when there is none, or it was not compared
}

// Chunked are the claims of a descriptor about zstd:chunked (containers/storage
// pkg/chunked/internal/minimal/compression.go): where in the blob data lies, as
// "OFFSET:LENGTH:…", and its digest.
type Chunked struct {
	Position, Checksum           string // of the table of contents
	SplitPosition, SplitChecksum string // of what tar-split needs; "" when there is none
}

// Socket is the type of an entry that is a socket, which a squashfs can have
// and a tar cannot.
const Socket = 's'

// A Member is one entry of the archive that carries the image.
type Member struct {
	Name       string
	Size       int64
	Digest     v1.Hash
	Referenced bool // something of the image leads to it
}

// LayerBytes counts the bytes of all layers, uncompressed.
func (img *Image) LayerBytes() (n int64) {
	for _, l := range img.Layers {
		n += l.UncompressedSize
	}
	return n
}

// A Place is where a statement about an image lies.
type Place string

// The places.
const (
	InIndex   Place = "index"    // listed beside the image
	Referring Place = "referrer" // of the registry
	Tagged    Place = "tag"      // that the registry has for the image's digest
)

// An Attestation is a document that lies beside the image and says something of it, or
// of another such document: a statement, signed or not, or a signature alone. Where it
// lies and what its annotations say is signed by nobody.
type Attestation struct {
	Place       Place
	Manifest    v1.Hash // that lists the document
	ManifestRaw []byte
	Refers      v1.Hash // the manifest that the place says it is about; zero when it does not
	MediaType   types.MediaType
	Digest      v1.Hash
	Annotations map[string]string
	Raw         []byte // nil when it is not there or over the limit of JSON

	// SignedBy are the names of the keys whose signatures of the document, or of the
	// manifest that lists it, package evidence has verified.
	SignedBy []string
}

// A Document is an object of a SIF that says something of the image.
type Document struct {
	Member string // the name of the object among Image.Members
	Kind   string // definition, environment, labels, json, sbom, signature
	Digest v1.Hash
	Raw    []byte
}

// KeepBody keeps the content of an entry, which is the last one at its path so far.
// What is optional may be dropped.
func (l *Layer) KeepBody(e *Entry, content []byte, optional bool) {
	if l.bodies == nil {
		l.bodies, l.byDigest = make(map[string][]byte), make(map[digest.Sum][]byte)
		l.spare = make(map[digest.Sum][]byte)
	}
	l.bodies[e.Path] = content
	if !optional {
		l.byDigest[e.Digest] = content
		return
	}
	l.spare[e.Digest] = content
	l.optional = append(l.optional, e.Path)
}

func (l *Layer) content(sum digest.Sum) ([]byte, bool) {
	if content, ok := l.byDigest[sum]; ok {
		return content, true
	}
	content, ok := l.spare[sum]
	return content, ok
}

// SetNote notes what was found in a content: see [Root.Note].
func (l *Layer) SetNote(sum digest.Sum, note []byte) {
	if l.notes == nil {
		l.notes = make(map[digest.Sum][]byte)
	}
	l.notes[sum] = note
}

// DropOptional forgets all contents that were kept as optional.
func (img *Image) DropOptional() {
	for _, l := range img.Layers {
		for _, path := range l.optional {
			delete(l.bodies, path)
			img.Dropped = append(img.Dropped, Dropped{l.Index, path})
		}
		l.optional, l.spare = nil, nil
	}
}

// DropNotes forgets all notes.
func (img *Image) DropNotes() {
	for _, l := range img.Layers {
		l.notes, l.Watched = nil, false
	}
}

// Dropped is an entry whose content was not kept although it was asked for.
type Dropped struct {
	Layer int
	Path  string
}

// weak are digests beside SHA-256, each by the index of the entry, in its order. Of
// nothing they are known, and only the kinds are kept.
type weak struct {
	empty []weakEmpty
	md5   []weakMD5
	sha1  []weakSHA1
}

type weakEmpty struct {
	index int32
	kinds digest.Kinds
}

type weakMD5 struct {
	index int32
	sum   [md5.Size]byte
}

type weakSHA1 struct {
	index int32
	sum   [sha1.Size]byte
}

// SetWeak notes the digests of the entry at an index for Weak; indices grow.
func (l *Layer) SetWeak(index int, sum digest.Weak) {
	empty := digest.WeakOf(nil, sum.Kinds)
	if sum == empty {
		l.weak.empty = append(l.weak.empty, weakEmpty{int32(index), sum.Kinds})
		return
	}
	if sum.Kinds&digest.MD5 != 0 {
		l.weak.md5 = append(l.weak.md5, weakMD5{int32(index), sum.MD5})
	}
	if sum.Kinds&digest.SHA1 != 0 {
		l.weak.sha1 = append(l.weak.sha1, weakSHA1{int32(index), sum.SHA1})
	}
}

// Weak returns the digests of the content of the entry at an index, as far as
// Options.Weak asked for them.
func (l *Layer) Weak(index int) (sum digest.Weak) {
	at := int32(index)
	if i, ok := slices.BinarySearchFunc(l.weak.empty, at, func(w weakEmpty, at int32) int { return cmp.Compare(w.index, at) }); ok {
		return digest.WeakOf(nil, l.weak.empty[i].kinds)
	}
	if i, ok := slices.BinarySearchFunc(l.weak.md5, at, func(w weakMD5, at int32) int { return cmp.Compare(w.index, at) }); ok {
		sum.Kinds, sum.MD5 = digest.MD5, l.weak.md5[i].sum
	}
	if i, ok := slices.BinarySearchFunc(l.weak.sha1, at, func(w weakSHA1, at int32) int { return cmp.Compare(w.index, at) }); ok {
		sum.Kinds, sum.SHA1 = sum.Kinds|digest.SHA1, l.weak.sha1[i].sum
	}
	return sum
}

// Body returns the content of the last entry at path in a layer, when Options.Keep
// asked for it. [Root.Content] finds contents by their path in the root file system.
func (img *Image) Body(layer int, path string) ([]byte, bool) {
	if layer < 0 || layer >= len(img.Layers) {
		return nil, false
	}
	content, ok := img.Layers[layer].bodies[path]
	return content, ok
}

// Claims says whether the form of the image makes claims about its layers: a
// bare file system makes none, and neither does the legacy form of Docker.
func (img *Image) Claims() bool { return img.Config.Raw != nil && !img.Claimless }

// StoreMode is the mode that a store gives to an entry in it.
func StoreMode(e *Entry) int64 {
	switch {
	case e.Type == '2':
		return 0o777
	case e.Type == '5' || e.Mode&0o100 != 0:
		return 0o555
	}
	return 0o444
}
