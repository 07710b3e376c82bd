package sbom

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Options say what a bill cannot take from the image.
type Options struct {
	// Created is the date of the bill, as SOURCE_DATE_EPOCH gives it. When it
	// is zero the date is that of the image, or the first second of 1970.
	Created time.Time
	// Version of audit; "" leaves it out.
	Version string
	// Files asks for the files of the image, and for what Go noted in programs.
	Files bool
	// Again is the image as it was read again to keep the contents of the
	// files that [Programs] names. It may be nil.
	Again *inspect.Image
}

// A Bill says what an image is made of.
type Bill struct {
	ID      [16]byte // of the image: derived from its digests
	Tool    string   // that made the bill
	Version string   // of the tool; may be empty
	Created time.Time
	Image   Subject
	Layers  []Layer     // lowest first
	Items   []Item      // sorted by path
	Roots   []string    // paths of the items that no other refers to, sorted
	Parts   []Part      // packages of distributions and languages, sorted by key
	Files   []FileEntry // sorted by path; nil unless they were asked for
	Gaps    []Gap       // sorted by path
	Formula *Formula    // how the image says that it was made; nil when it does not
	// Closure is how the check of that name ended: while it did not pass,
	// there may be more in the image than the bill says.
	Closure check.Status
	Recipe  provenance.Status // how much of the recipe the image tells
	Packer  string            // the tool that made the image; may be empty
}

// A Subject is the image that a bill is of.
type Subject struct {
	Name     string   // without tag; never empty
	Tags     []string // as the image claims them
	Config   v1.Hash  // digest of the config: the image ID
	Manifest v1.Hash  // digest of the image manifest; zero when there was none to hash
	Platform string   // "linux/amd64"; may be empty
	PURL     string   // may be empty
}

// A Layer is a layer of the image.
type Layer struct {
	Index  int
	Member string  // name in the archive, or digest
	Digest v1.Hash // of the blob as stored; may be zero
	DiffID v1.Hash // of the uncompressed tar
	Size   int64   // of the blob, in bytes
}

// A Kind says what sort of thing a store item is.
type Kind int

// The kinds.
const (
	Data    Kind = iota // a folder that is no software, such as a profile
	File                // a single file or link
	Package             // software
)

// An Item is a store item as a component of the image.
type Item struct {
	Path    string // "/gnu/store/HASH-NAME"
	Name    string // never empty
	Version string
	Output  string // "" for the main one, or when it is not known
	Kind    Kind
	Named   bool // the recipe names it; otherwise the item's own name was read

	NarHash v1.Hash // zero when it cannot be told
	NarSize int64
	Layer   int
	Channel *provenance.Channel // that defines the package; nil when not recorded
	PURL    string              // "" for what is no package
	CPE     string              // a candidate; "" for what is no package

	DependsOn []string // paths of other items, sorted
	Evidence  []Place  // where it was found, and what names it
	Problem   string   // why NarHash is zero, or DependsOn incomplete
}

// A Place is a path in a layer.
type Place struct {
	Layer int
	Path  string
}

// Collect makes the bill of an image. ev may be nil: then nothing is known of
// a recipe.
func Collect(img *inspect.Image, ev *provenance.Evidence, opt Options) *Bill {
	if ev == nil {
		ev = &provenance.Evidence{Recipe: provenance.Recipe{Status: provenance.None}}
	}
	b := &Bill{
		ID:      identity(img, opt.Files),
		Tool:    "audit",
		Version: opt.Version,
		Created: created(opt.Created, img.Config.File.Created.Time),
		Image:   subject(img),
		Closure: ev.Closure.Status,
		Recipe:  ev.Recipe.Status,
		Packer:  ev.Recipe.Packer,
	}
	for _, l := range img.Layers {
		b.Layers = append(b.Layers, Layer{Index: l.Index, Member: l.Member, Digest: l.Digest, DiffID: l.DiffID, Size: l.Size})
	}
	b.Items = items(img, &ev.Recipe)
	b.Roots = roots(b.Items, ev.Recipe.Pack.Root)
	b.Formula = newFormula(&ev.Recipe)
	b.find(img, opt)
	return b
}

// identity hashes the digests that together are the image: those of the config
// and of the layers as they are, so that an image that does not keep its own
// claims gets another id than the one that does. A bill that lists the files is
// another document than one that does not.
func identity(img *inspect.Image, files bool) [16]byte {
	h := sha256.New()
	fmt.Fprintf(h, "audit bill of materials\nconfig %s\n", img.Config.Digest)
	for _, l := range img.Layers {
		fmt.Fprintf(h, "layer %s\n", l.DiffID)
	}
	if files {
		fmt.Fprintln(h, "with its files")
	}
	return [16]byte(h.Sum(nil))
}

// created returns the first date that a bill can carry, in whole seconds.
func created(dates ...time.Time) time.Time {
	for _, t := range dates {
		t = t.UTC().Truncate(time.Second)
		if !t.IsZero() && t.Year() >= 1 && t.Year() <= 9999 {
			return t
		}
	}
	return time.Unix(1, 0).UTC()
}

func subject(img *inspect.Image) Subject {
	s := Subject{
		Tags:     img.Tags,
		Config:   img.Config.Digest,
		Platform: strings.Trim(img.Config.File.OS+"/"+img.Config.File.Architecture, "/"),
	}
	if img.Manifest.Origin != inspect.Synthesised {
		s.Manifest = img.Manifest.Digest
	}
	var tag string
	if len(s.Tags) > 0 {
		s.Name, tag = splitTag(s.Tags[0])
	}
	s.PURL = imagePURL(s.Name, tag, s.Config, s.Manifest)
	if s.Name == "" {
		s.Name = "image"
	}
	return s
}

// splitTag splits "host/name:tag"; the tag may be missing.
func splitTag(reference string) (name, tag string) {
	colon := strings.LastIndexByte(reference, ':')
	if colon <= strings.LastIndexByte(reference, '/') {
		return reference, ""
	}
	return reference[:colon], reference[colon+1:]
}

func items(img *inspect.Image, recipe *provenance.Recipe) []Item {
	named := make(map[string]*provenance.Package)
	for i := range recipe.Packages {
		p := &recipe.Packages[i]
		if named[p.Path] == nil {
			named[p.Path] = p
		}
	}
	folders := folders(img)
	list := make([]Item, 0, len(img.Items))
	for _, stored := range img.Items {
		it := newItem(stored)
		if p := named[stored.Path]; p != nil {
			it.name(p, recipe)
		}
		switch {
		case it.Named || it.Version != "":
			it.Kind = Package
		case !folders[stored.Path]:
			it.Kind = File
		}
		if it.Kind == Package {
			it.PURL, it.CPE = it.purl(), cpe(it.Name, it.Version)
		}
		list = append(list, it)
	}
	slices.SortFunc(list, func(a, b Item) int { return cmp.Compare(a.Path, b.Path) })
	return slices.CompactFunc(list, func(a, b Item) bool { return a.Path == b.Path })
}

// folders returns the paths of the store items that are folders.
func folders(img *inspect.Image) map[string]bool {
	is := make(map[string]bool)
	for _, l := range img.Layers {
		for i := range l.Entries {
			e := &l.Entries[i]
			if item := inspect.ItemOf(e.Path); item != "" && (e.Type == '5' || len(e.Path) > len(item)) {
				is[item] = true
			}
		}
	}
	return is
}

func newItem(stored inspect.StoreItem) Item {
	it := Item{
		Path: stored.Path, NarHash: stored.NarHash, NarSize: stored.NarSize, Layer: stored.Layer, Problem: stored.Problem,
		Evidence: []Place{{Layer: stored.Layer, Path: stored.Path}},
	}
	it.Name, it.Version, it.Output = splitName(baseName(stored.Path), strings.HasPrefix(stored.Path, "/nix/"))
	for _, ref := range stored.References {
		if ref != stored.Path {
			it.DependsOn = append(it.DependsOn, ref)
		}
	}
	slices.Sort(it.DependsOn)
	it.DependsOn = slices.Compact(it.DependsOn)
	return it
}

// name takes name, version, output and origin from an entry of the recipe.
func (it *Item) name(p *provenance.Package, recipe *provenance.Recipe) {
	it.Named = true
	if p.Name != "" {
		it.Name = p.Name
	}
	it.Version = p.Version
	it.Output = ""
	if p.Output != "out" {
		it.Output = p.Output
	}
	it.Channel = origin(p, recipe.Channels)
	for _, s := range recipe.Sources {
		if s.Layer >= 0 {
			it.Evidence = append(it.Evidence, Place{Layer: s.Layer, Path: s.Path})
		}
	}
}

// origin returns the channel that defines a package: the one that the entry
// itself records, or the only one of its name.
func origin(p *provenance.Package, channels []provenance.Channel) *provenance.Channel {
	if p.Origin != nil {
		return p.Origin
	}
	var found *provenance.Channel
	for i := range channels {
		if channels[i].Name == p.Channel && p.Channel != "" {
			if found != nil {
				return nil
			}
			found = &channels[i]
		}
	}
	return found
}

// roots returns the paths of the items that the image is made of: the one that
// the recipe says, and all that no other item refers to. They are sorted.
func roots(items []Item, root string) []string {
	referred := make(map[string]bool)
	for _, it := range items {
		for _, ref := range it.DependsOn {
			referred[ref] = true
		}
	}
	var list []string
	for _, it := range items {
		if it.Path == root || !referred[it.Path] {
			list = append(list, it.Path)
		}
	}
	return list
}
