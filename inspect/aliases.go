package inspect

import (
	"audit/inspect/choice"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/paths"
	"audit/inspect/squashfs"
	"audit/inspect/store"
)

// What callers of [Open] need has its name here too, so that one import is
// enough. The documentation stands where each is made.
type (
	Image       = image.Image
	Layer       = image.Layer
	Entry       = image.Entry
	File        = image.File
	Config      = image.Config
	Manifest    = image.Manifest
	Member      = image.Member
	Frame       = image.Frame
	Attestation = image.Attestation
	Place       = image.Place
	Document    = image.Document
	IndexEntry  = image.IndexEntry
	EntryKind   = image.EntryKind
	Symlinks    = image.Symlinks
	Root        = image.Root
	Inode       = image.Inode
	Transport   = image.Transport
	Origin      = image.Origin

	StoreItem = store.Item
	StoreDirs = store.Dirs
	Reference = store.Reference
	Sum       = digest.Sum
	Weak      = digest.Weak
	WeakKinds = digest.Kinds

	Compression = compression.Kind
	GzipHeader  = compression.GzipHeader

	Options     = pass.Options
	Limits      = limit.Limits
	LimitError  = limit.Error
	FormatError = limit.FormatError
	ChoiceError = choice.Error
)

// Forms of an image, kinds of digest, compressions, and types of entries and
// layers.
const (
	DockerArchive = image.DockerArchive
	DockerDaemon  = image.DockerDaemon
	Registry      = image.Registry
	OCIArchive    = image.OCIArchive
	OCI           = image.OCI
	RootFS        = image.RootFS
	SquashFS      = image.SquashFS
	SIF           = image.SIF

	ImageEntry       = image.ImageEntry
	AttestationEntry = image.AttestationEntry
	ArtifactEntry    = image.ArtifactEntry

	InIndex   = image.InIndex
	Referring = image.Referring
	Tagged    = image.Tagged

	Claimed     = image.Claimed
	Computed    = image.Computed
	Synthesised = image.Synthesised

	MD5  = digest.MD5
	SHA1 = digest.SHA1

	None  = compression.None
	Gzip  = compression.Gzip
	Zstd  = compression.Zstd
	XZ    = compression.XZ
	Bzip2 = compression.Bzip2
	Lzip  = compression.Lzip

	Socket        = image.Socket
	SquashfsLayer = squashfs.MediaType
)

// CleanPath is [paths.Clean].
func CleanPath(name string) string { return paths.Clean(name) }

// ComparePaths is [paths.Compare].
func ComparePaths(a, b string) int { return paths.Compare(a, b) }

// IsStoreName is [store.IsStoreName].
func IsStoreName(base string) bool { return store.IsStoreName(base) }

// StoreName is [store.NameOf].
func StoreName(item string) string { return store.NameOf(item) }

// StoreMode is [image.StoreMode].
func StoreMode(e *Entry) int64 { return image.StoreMode(e) }

// NewFrame is [image.NewFrame].
func NewFrame(raw []byte) Frame { return image.NewFrame(raw) }

// NewSymlinks is [image.NewSymlinks].
func NewSymlinks(files []File) *Symlinks { return image.NewSymlinks(files) }

// DefaultLimits is [limit.DefaultLimits].
func DefaultLimits() Limits { return limit.DefaultLimits() }
