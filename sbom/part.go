package sbom

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
	"audit/provenance/records"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// An Ecosystem says whose package a part is.
type Ecosystem string

// The ecosystems of distributions; the others are those of package records.
const (
	Dpkg Ecosystem = "dpkg"
	Apk  Ecosystem = "apk"
	Rpm  Ecosystem = "rpm"
)

// isSystem says whether the packages are those of a distribution, which can
// contain others.
func (e Ecosystem) isSystem() bool { return e == Dpkg || e == Apk || e == Rpm }

// A Part is a package that a database or the metadata of a language's package
// manager list. That is what they claim: the files themselves are in the
// layers.
type Part struct {
	Key       string // unique in the bill
	Ecosystem Ecosystem
	Name      string // never empty
	Version   string
	Arch      string
	License   License
	PURL      string    // may be empty
	CPE       string    // a candidate, made of name and version; may be empty
	URL       string    // that it was fetched from, as recorded; may be empty
	Origin    string    // of what is of no index, as package records has it: a commit, or records.Local; may be empty
	Digests   []v1.Hash // of the package as it is distributed, as recorded
	Sum       string    // of its source, in a form of the ecosystem's own; may be empty
	DependsOn []string  // Keys of packages of the same manager, sorted; as far as the database has it
	In        string    // path of the store item, or Key of the package, that contains it; "" for neither
	Evidence  []Place
}

// A FileEntry is a regular file of the image as a container sees it.
type FileEntry struct {
	Place
	Digest inspect.Sum
	Size   int64
	In     string // as of a Part
}

// A Gap is something that may have packages and was not, or not in full,
// looked into.
type Gap struct {
	Place
	Message check.Message
}

// maxParts bounds the packages of a bill. The largest image seen has some
// thousands.
const maxParts = 200_000

// A finder gathers the parts of an image.
type finder struct {
	img   *inspect.Image
	known licenses
	// licenses are those of the copyright files that were read, by path.
	licenses map[string]License
	os       *ospackages.Installed
	// stored are the store items.
	stored *itemSet
	keys   map[string]string // of packages of the distribution, by manager, name, version and architecture

	found map[string]*Part
	gaps  []Gap
	full  bool
}

// find fills in the parts and files of the bill.
func (b *Bill) find(img *inspect.Image, installed *ospackages.Installed, all *records.All, opt Options) {
	files := img.Root().Files()
	f := &finder{
		img: img, known: newLicenses(), licenses: make(map[string]License),
		os: installed, keys: make(map[string]string), found: make(map[string]*Part),
		stored: newItemSet(b.Items),
	}
	f.system()
	f.languages(all)
	if opt.Files {
		b.Files = f.contents(files)
	}
	for _, p := range f.found {
		slices.SortFunc(p.Evidence, comparePlaces)
		p.Evidence = slices.Compact(p.Evidence)
		b.Parts = append(b.Parts, *p)
	}
	slices.SortFunc(b.Parts, func(a, b Part) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(f.gaps, func(a, b Gap) int {
		return cmp.Or(comparePlaces(a.Place, b.Place), cmp.Compare(a.Message.String(), b.Message.String()))
	})
	b.Gaps = slices.CompactFunc(f.gaps, func(a, b Gap) bool { return a.Place == b.Place && a.Message.String() == b.Message.String() })
}

func comparePlaces(a, b Place) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer))
}

// container returns what a file belongs to.
func (f *finder) container(path string) string {
	if item := f.stored.of(path); item != "" {
		return item
	}
	if p, _ := f.os.Owner(path); p != nil {
		return f.keys[systemKey(p)]
	}
	return ""
}

// add notes a part and returns its key; one that is there already gains its
// evidence. Two of one name whose digests or origins differ are two.
func (f *finder) add(p Part) string {
	p.Key = strings.Join([]string{string(p.Ecosystem), p.Name, p.Version, p.Arch, p.In}, "\x00")
	if same := f.found[p.Key]; same != nil && same.isOther(&p) {
		p.Key += fmt.Sprint("\x00", p.Digests, p.Origin)
	}
	if same := f.found[p.Key]; same != nil {
		same.Evidence = append(same.Evidence, p.Evidence...)
		return p.Key
	}
	if len(f.found) == maxParts {
		if !f.full {
			f.gaps = append(f.gaps, Gap{p.Evidence[0], check.Say("sbom/too-many-packages", "limit", maxParts)})
		}
		f.full = true
		return ""
	}
	f.found[p.Key] = &p
	return p.Key
}

// isOther says whether two parts of one name and version are known to be different.
func (p *Part) isOther(q *Part) bool {
	return p.Origin != q.Origin || len(p.Digests) > 0 && len(q.Digests) > 0 && !slices.Equal(p.Digests, q.Digests)
}

func (f *finder) gap(file inspect.File, message check.Message) {
	f.gaps = append(f.gaps, Gap{Place{file.Layer, file.Path}, message})
}

// contents lists the regular files with their digests, by path. A hard link is a
// file with the content that it was made with, whatever became of its target.
func (f *finder) contents(files iter.Seq[inspect.File]) []FileEntry {
	var list []FileEntry
	for file := range files {
		switch source := file.Inode; {
		case source.Type == '0':
			list = append(list, FileEntry{Place{file.Layer, file.Path}, source.Digest, source.Size, f.container(file.Path)})
		case source.Type == '1':
			f.gap(file, check.Say("sbom/dangling-hard-link"))
		}
	}
	return list
}
