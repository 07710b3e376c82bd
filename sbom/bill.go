package sbom

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance"
	"audit/provenance/ospackages"
	"audit/provenance/records"
)

// Options say what a bill cannot take from the image.
type Options struct {
	// Created is the date of the bill, as SOURCE_DATE_EPOCH gives it. When it
	// is zero the date is that of the image, or the first second of 1970.
	Created time.Time
	// Version of audit; "" leaves it out.
	Version string
	// Files asks for the files of the image.
	Files bool
	// Stores are those that the image can have items of.
	Stores []Store
	// Sources are what the image was made from, as far as that is known.
	Sources []Source
	// Text returns the sentence of a code; nil for the codes themselves.
	Text func(check.Message) string
}

// A Store is a folder of store items.
type Store struct {
	Folder    string    // "/gnu/store"
	Ecosystem Ecosystem // of the packages in it, which is the type of their package URLs
	// StartsVersion says whether a character after a dash in the name of an item
	// starts the version. Nil means that a digit does.
	StartsVersion func(c byte) bool
}

// store returns the store that an item lies in; zero for one that is not known.
func (o Options) store(item string) Store {
	i := slices.IndexFunc(o.Stores, func(s Store) bool { return s.Folder == path.Dir(item) })
	if i < 0 {
		return Store{}
	}
	return o.Stores[i]
}

// A Bill says what an image is made of.
type Bill struct {
	ID      [16]byte // of the image: derived from its digests
	Tool    string   // that made the bill
	Version string   // of the tool; may be empty
	Created time.Time
	Image   Subject
	Layers  []Layer            // lowest first
	Items   []Item             // sorted by path
	Roots   []string           // paths of the items that no other refers to, sorted
	Parts   []Part             // packages of distributions and languages, sorted by key
	Files   []FileEntry        // sorted by path; nil unless they were asked for
	Gaps    []Gap              // layers that were not read to the end, then by path
	Sources []Source           // that it was made from, sorted by name
	Formula *provenance.Recipe // how the image says that it was made; nil when it does not
	// Closure is how the check of that name ended: while it did not pass,
	// there may be more in the image than the bill says.
	Closure check.Status
	Recipe  provenance.Status // how much of the recipe the image reveals
	Packer  string            // the tool that made the image; may be empty

	text func(check.Message) string // as of Options
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

	Unread check.Message // why it was not read, or only in part; zero when it was
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
	Named   bool   // the recipe names it
	Alias   string // name and version by which the recipe calls it, when the item's own name has others

	Ecosystem Ecosystem // of its store; "" when that is not known

	NarHash v1.Hash // zero when it is not known
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
	installed, all := ev.Installed, ev.Records
	if installed == nil {
		installed = ospackages.Read(img)
	}
	if all == nil {
		all = records.Read(img)
	}
	if opt.Text == nil {
		opt.Text = check.Message.String
	}
	b := &Bill{
		ID:      identity(img, opt),
		Tool:    "audit",
		Version: opt.Version,
		Created: created(opt.Created, img.Config.File.Created.Time),
		Image:   subject(img),
		Closure: ev.Closure.Status,
		Recipe:  ev.Recipe.Status,
		Packer:  ev.Recipe.Packer,
		text:    opt.Text,
		Sources: opt.Sources,
	}
	for _, l := range img.Layers {
		b.Layers = append(b.Layers, Layer{Index: l.Index, Member: l.Member, Digest: l.Digest, DiffID: l.DiffID, Size: l.Size, Unread: unread(l)})
	}
	b.Items = items(img, &ev.Recipe, opt)
	b.Roots = roots(b.Items, ev.Recipe.Root)
	b.Formula = formula(&ev.Recipe)
	b.find(img, installed, all, opt)
	var layers []Gap
	for _, l := range b.Layers {
		if !l.Unread.IsZero() {
			layers = append(layers, Gap{Place{l.Index, l.Member}, l.Unread})
		}
	}
	b.Gaps = append(layers, b.Gaps...)
	return b
}

// unread says why a layer was not read to its end; zero when it was.
func unread(l *inspect.Layer) check.Message {
	if l.Broken == nil {
		return check.Message{}
	}
	return provenance.UnreadLayer(l).Message
}

// identity hashes the digests that together are the image: those of the config
// and of the layers as they are, so that an image that does not keep its own
// claims gets another id than the one that does. A bill that lists the files,
// or sources, is another document than one that does not.
func identity(img *inspect.Image, opt Options) [16]byte {
	h := sha256.New()
	fmt.Fprintf(h, "audit bill of materials\nconfig %s\n", img.Config.Digest)
	for _, l := range img.Layers {
		fmt.Fprintf(h, "layer %s\n", l.DiffID)
	}
	if opt.Files {
		fmt.Fprintln(h, "with its files")
	}
	for _, s := range opt.Sources {
		fmt.Fprintf(h, "source %s %s\n", s.Algorithm, s.Hash)
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
	if img.Manifest.Origin != image.Synthesised {
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

func items(img *inspect.Image, recipe *provenance.Recipe, opt Options) []Item {
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
		it := newItem(stored, opt.store(stored.Path))
		it.Problem = opt.Text(stored.Problem)
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
	stored := newItemSet(nil)
	for _, it := range img.Items {
		stored.add(it.Path)
	}
	is := make(map[string]bool)
	for _, l := range img.Layers {
		for i := range l.Entries {
			e := l.Entries[i]
			if item := stored.of(e.Path); item != "" && (e.Type == '5' || len(e.Path) >= len(item)) {
				is[item] = true
			}
		}
	}
	return is
}

// An itemSet are store items, to find the one that a path lies in.
type itemSet struct {
	items   map[string]bool // by path
	folders []string        // of the stores, "/gnu/store/"
}

func newItemSet(items []Item) *itemSet {
	s := &itemSet{items: make(map[string]bool)}
	for i := range items {
		s.add(items[i].Path)
	}
	return s
}

func (s *itemSet) add(item string) {
	s.items[item] = true
	if folder := path.Dir(item) + "/"; !slices.Contains(s.folders, folder) {
		s.folders = append(s.folders, folder)
	}
}

// of returns the item that a path of an entry is or lies in; "" when it is in none.
func (s *itemSet) of(p string) string {
	for _, folder := range s.folders {
		if rest, ok := strings.CutPrefix("/"+p, folder); ok {
			name, _, _ := strings.Cut(rest, "/")
			if s.items[folder+name] {
				return folder + name
			}
		}
	}
	return ""
}

func newItem(stored inspect.StoreItem, store Store) Item {
	it := Item{
		Path: stored.Path, NarHash: stored.NarHash, NarSize: stored.NarSize, Layer: stored.Layer,
		Evidence: []Place{{Layer: stored.Layer, Path: stored.Path}}, Ecosystem: store.Ecosystem,
	}
	it.Name, it.Version, it.Output = store.splitName(baseName(stored.Path))
	for _, ref := range stored.References {
		if ref != stored.Path {
			it.DependsOn = append(it.DependsOn, ref)
		}
	}
	slices.Sort(it.DependsOn)
	it.DependsOn = slices.Compact(it.DependsOn)
	return it
}

// name takes the origin from an entry of the recipe, and where the item's name
// agrees the way in which that is made of name, version and output. An entry that
// calls the item something else is no more than an alias: the bytes are those of
// the path.
func (it *Item) name(p *provenance.Package, recipe *provenance.Recipe) {
	it.Named = true
	output := p.Output
	if output == "out" {
		output = ""
	}
	if joined(p.Name, p.Version, output) == baseName(it.Path) {
		it.Name, it.Version, it.Output = p.Name, p.Version, output
	} else if p.Name != "" {
		it.Alias = strings.TrimSpace(p.Name + " " + p.Version)
	}
	it.Channel = origin(p, recipe.Channels)
	for _, s := range recipe.Locations {
		if s.Layer >= 0 {
			it.Evidence = append(it.Evidence, Place{Layer: s.Layer, Path: s.Path})
		}
	}
}

// agrees says whether name and version are those by which the recipe calls the
// item.
func (it *Item) agrees() bool { return it.Named && it.Alias == "" }

// joined makes the name of a store item, of which only the first part is a must.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "-")
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
