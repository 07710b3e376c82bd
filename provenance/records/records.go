package records

import (
	"cmp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
)

// An Ecosystem is a language, or a tool, whose packages have records of their own.
type Ecosystem string

// The ecosystems.
const (
	Conda     Ecosystem = "conda"
	Spack     Ecosystem = "spack"
	EasyBuild Ecosystem = "easybuild"
	Python    Ecosystem = "python"
	R         Ecosystem = "r"
	Npm       Ecosystem = "npm"
	Gem       Ecosystem = "gem"
	Composer  Ecosystem = "composer"
	Nuget     Ecosystem = "nuget"
	Java      Ecosystem = "java"
	Rust      Ecosystem = "rust"
	Go        Ecosystem = "go"
)

// A family reads the records of one ecosystem.
type family struct {
	ecosystem Ecosystem
	// describes says whether a file at this path describes a package.
	describes func(path string) bool
	// keeps says whether the content of a file at this path is needed beside what
	// describes a package; nil for none.
	keeps func(path string) bool
	// read reads a file that describes a package. The error says why it cannot be
	// read.
	read func(r *reader, at found, body []byte) error
}

// families are all of them. Where several know a path the first reads it, and packages
// of one can have those of the later in them.
func families() [10]family {
	return [...]family{
		{Conda, isConda, nil, (*reader).conda},
		{Spack, isSpack, isSpackManifest, (*reader).spack},
		{EasyBuild, isEasyBuild, nil, (*reader).easybuild},
		{Python, isPython, isPythonRecord, (*reader).python},
		{R, isR, isRRecord, (*reader).r},
		{Npm, isNpm, isNpmLock, (*reader).npm},
		{Gem, isGem, nil, (*reader).gem},
		{Composer, isComposer, nil, (*reader).composer},
		{Nuget, isDotnet, nil, (*reader).dotnet},
		{Java, func(string) bool { return false }, isJarSum, nil}, // archives are read in the pass
	}
}

// A Component is a package that a record describes. That is what the image itself
// says: nobody has signed it.
type Component struct {
	Ecosystem Ecosystem
	Name      string // never empty
	Version   string
	Arch      string
	Build     string    // what tells apart those of one version: the build of conda, the hash of Spack
	Licenses  []License // as it declares them, the most exact first
	Locator   Locator
	URL       string    // that the package was fetched from; "" where that is not recorded
	Origin    string    // where it was installed from, where that was no index and no archive at an address: "git+https://…@COMMIT", or Local
	Digests   []v1.Hash // of the package as it is distributed, as recorded; of an archive of Java, as computed
	Signed    bool      // it has a signature, which was not verified
	Sum       string    // of its source in a form of the ecosystem's own, "h1:…"; may be empty
	At        Place     // of what describes it
	Library   string    // of a package of R or Python: the folder that it is in, or a link to it
	In        int       // the component that contains it; -1 for none

	// Of the files that its record lists with a digest: those that have it, those
	// that have another one, those that are not there, and those whose digest is of a
	// kind that was not taken, or is none.
	Agree, Differ, Missing, Uncompared int
}

// A Locator has the parts of a package URL that are not name and version
// (github.com/package-url/purl-spec). One without a type has none.
type Locator struct {
	Type, Namespace string
	Name            string // where it is not that of the component
	Qualifiers      map[string]string
}

// Local is the origin of what was installed from a folder, a file or a repository that
// others cannot fetch: what an index has under this name, if it does, may be another.
const Local = "local"

// Title names the component for people: "python numpy 1.26.4".
func (c *Component) Title() string {
	return strings.TrimSpace(string(c.Ecosystem) + " " + c.Name + " " + c.Version)
}

// rank is the place of the ecosystem among all.
func (c *Component) rank() int {
	all := families()
	for i := range all {
		if all[i].ecosystem == c.Ecosystem {
			return i
		}
	}
	return len(all)
}

// A License is one that a component declares.
type License struct {
	Text    string // in the image
	Meaning string // as an SPDX license expression, by the rules of the ecosystem; "" where these have none
}

// A Place is a path in a layer.
type Place struct {
	Layer int
	Path  string
}

// All is what the records of an image have.
type All struct {
	Components []Component
	// Problems say what was not, or not in full, read: sorted by path.
	Problems []check.Finding

	img    *inspect.Image
	claims map[string]claim       // of files, by their path in the root
	places map[string]environment // folders in which there are packages
}

// maxComponents bounds the components of an image. The largest image seen has some
// thousands.
const maxComponents = 200_000

// Read reads all records of an image, which must have been opened with [Keep] and
// completed with [Wanted]. What cannot be read is a Problem.
func Read(img *inspect.Image) *All {
	all := &All{img: img, claims: make(map[string]claim), places: make(map[string]environment)}
	r := &reader{All: all, root: img.Root(), room: maxRead, locks: make(map[string]map[string]npmLocked)}
	r.findTarballs()
	s := newSeeker(img)
	s.found = r.describe
	s.dangling = func(link inspect.File) { r.problem(link, "packages/dangling-link", "target", link.Linkname) }
	s.seek()
	r.jars()
	r.eggs()
	r.programs()
	r.contain()
	slices.SortStableFunc(all.Problems, func(a, b check.Finding) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// A reader gathers what records have.
type reader struct {
	*All
	root *inspect.Root
	full bool
	room int // bytes of records that may yet be read
	// tarballs of npm, by their SHA-512
	tarballs map[string]tarball
	locks    map[string]map[string]npmLocked // of npm, by the folder of a project
	weak     map[*inspect.Entry]weakSum      // made when it is needed
}

// found is a file that describes a package.
type found struct {
	inspect.File
	name   string // by which it does: its path, or one that a link is part of
	family family
}

// maxRecord bounds a record: those of the largest packages have some megabytes.
const maxRecord = 32 << 20

// describe reads a file that describes a package.
func (r *reader) describe(at found) {
	body, ok := r.content(at.File)
	if !ok {
		return
	}
	if err := at.family.read(r, at, body); err != nil {
		r.problem(at.File, "records/unread", "error", err)
	}
}

// content returns the content of a file that is a record.
func (r *reader) content(file inspect.File) ([]byte, bool) {
	body, _, ok := r.root.Content(file.Path)
	switch {
	case !ok:
		r.problem(file, "packages/content-not-kept")
	case len(body) > maxRecord:
		r.problem(file, "records/too-long", "bytes", len(body))
	default:
		return body, r.charge(file, len(body))
	}
	return nil, false
}

// maxRead bounds the bytes of all records that are read, each as often as the image has
// a name for it. A large environment has some 100 MiB.
const maxRead = 512 << 20

// charge counts bytes of a record, and says whether it may be read.
func (r *reader) charge(file inspect.File, n int) bool {
	if r.room < 0 {
		return false
	}
	if r.room -= n; r.room < 0 {
		r.problem(file, "records/too-many", "limit", maxRead)
		return false
	}
	return true
}

// note returns what was noted of a file while the image was read.
func (r *reader) note(file inspect.File) []byte {
	note := r.root.Note(file)
	if !r.charge(file, len(note)) {
		return nil
	}
	return note
}

// beside returns the content of a record beside the one that describes a package;
// false where there is none.
func (r *reader) beside(p string) ([]byte, inspect.File, bool) {
	file, ok := r.root.Lookup(p)
	if !ok || file.Inode.Type != '0' {
		return nil, file, false
	}
	body, ok := r.content(file)
	return body, file, ok
}

func (r *reader) problem(file inspect.File, code string, args ...any) {
	r.Problems = append(r.Problems, check.Find(check.Undecided, file.Layer, file.Path, code, args...))
}

// add notes a component that a file describes and returns its place, -1 where there
// are too many.
func (r *reader) add(c Component, file inspect.File) int {
	if len(r.Components) == maxComponents {
		if !r.full {
			r.problem(file, "sbom/too-many-packages", "limit", maxComponents)
		}
		r.full = true
		return -1
	}
	c.At = Place{file.Layer, file.Path}
	r.Components = append(r.Components, c)
	return len(r.Components) - 1
}
