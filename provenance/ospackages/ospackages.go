package ospackages

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// A Manager is a package manager.
type Manager string

// The package managers.
const (
	Dpkg Manager = "dpkg"
	Apk  Manager = "apk"
	Rpm  Manager = "rpm"
)

// A Package is one that is installed.
type Package struct {
	Manager Manager
	Name    string
	Version string // with epoch and release, as its manager prints it
	Arch    string
	Source  string // the package that it was built from, "" when it is not told
	License string // "" when it is not told: dpkg's database has none
	// Needs are what it depends on, each by the names that will do, the first
	// before others, and Provides the names that it answers to beside its own;
	// both without versions. They are not read from the databases of rpm.
	Needs    [][]string
	Provides []string
	Layer    int    // of the database
	Path     string // of the database
	Files    []File // folders too, in the order of the database
}

// A File is one that a package has installed.
type File struct {
	Path   string      // of the form of inspect.Entry.Path, as the package names it
	Digest inspect.Sum // zero unless the database has a SHA-256
	Config bool        // the package expects it to be changed
}

// Installed is all that the databases of an image tell.
type Installed struct {
	Release   Release
	Databases []Database // sorted by path
	Packages  []Package  // sorted by manager, name, version and architecture
	// Problems say why a database is not, or not in full, read: codes packages/…,
	// sorted by path.
	Problems []check.Finding

	links  *inspect.Symlinks
	owners map[string]owner
}

// A Database is a file, or of dpkg a status file with the folder beside it.
type Database struct {
	Manager  Manager
	Path     string
	Layer    int
	Packages int
}

// An owner is a package and one of its files, by position.
type owner struct{ pkg, file int }

// Keep says whether this package needs the content of the file at path.
func Keep(p string) bool {
	return isRelease(p) || isDpkg(p) || isApk(p) || isRpm(p)
}

// Large says of the files that Keep wants which of them can have tens of MiB,
// in each layer that installs something. An image whose kept files go past the
// limit can be opened again without them; Problems then names them.
func Large(p string) bool { return isRpm(p) }

// Read reads all databases of an image, which must have been opened with
// [Keep]. What cannot be read is a Problem.
func Read(img *inspect.Image) *Installed {
	return ReadFiles(img, img.Files())
}

// ReadFiles is Read for callers that have folded the image already.
func ReadFiles(img *inspect.Image, files []inspect.File) *Installed {
	r := &reader{img: img, files: make(map[string]inspect.File)}
	for _, f := range files {
		if Keep(f.Path) {
			r.files[f.Path] = f
			r.paths = append(r.paths, f.Path)
		}
	}
	in := &Installed{links: inspect.NewSymlinks(files)}
	in.Release = r.release()
	r.dpkg()
	r.apk()
	r.rpm()
	in.Packages, in.Databases, in.Problems = r.packages, r.databases, r.problems
	in.sort()
	in.index()
	return in
}

func (in *Installed) sort() {
	slices.SortStableFunc(in.Packages, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Manager, b.Manager), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Arch, b.Arch))
	})
	slices.SortStableFunc(in.Databases, func(a, b Database) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortStableFunc(in.Problems, func(a, b check.Finding) int { return cmp.Compare(a.Path, b.Path) })
}

// index finds files by the path that they really have: a package that installs
// /bin/sh owns /usr/bin/sh where /bin is a link to usr/bin. The first package
// wins where several claim a file.
func (in *Installed) index() {
	in.owners = make(map[string]owner)
	for i := range in.Packages {
		for j, f := range in.Packages[i].Files {
			real := in.links.Real(f.Path)
			if _, taken := in.owners[real]; !taken {
				in.owners[real] = owner{i, j}
			}
		}
	}
}

// Owner returns the package that claims the file at path, and what it says of
// the file; nil when none does.
func (in *Installed) Owner(path string) (*Package, *File) {
	o, ok := in.owners[in.links.Real(path)]
	if !ok {
		return nil, nil
	}
	p := &in.Packages[o.pkg]
	return p, &p.Files[o.file]
}

// A reader gathers what the databases tell.
type reader struct {
	img       *inspect.Image
	files     map[string]inspect.File // those that Keep wants
	paths     []string                // of files, sorted as the image's are
	packages  []Package
	databases []Database
	problems  []check.Finding
}

// body returns the content of a regular file; a hard link's is with its target.
// It is false, and a problem when it is there, where there is no content.
func (r *reader) body(p string) ([]byte, inspect.File, bool) {
	f, ok := r.files[p]
	if ok && f.Type == '1' {
		f, ok = r.files[inspect.CleanPath(f.Linkname)]
	}
	if !ok || f.Type != '0' {
		return nil, f, false
	}
	data, ok := r.img.Body(f.Layer, f.Path)
	if !ok {
		r.problem(p, f.Layer, "packages/content-not-kept")
	}
	return data, f, ok
}

func (r *reader) problem(p string, layer int, code string, args ...any) {
	r.problems = append(r.problems, check.Find(check.Undecided, layer, p, code, args...))
}

// in lists the files in a folder, without those in folders below.
func (r *reader) in(dir string) []string {
	var found []string
	for _, p := range r.paths {
		if path.Dir(p) == dir {
			found = append(found, p)
		}
	}
	return found
}

// found notes a database and its packages.
func (r *reader) found(m Manager, f inspect.File, packages []Package) {
	for i := range packages {
		packages[i].Manager, packages[i].Layer, packages[i].Path = m, f.Layer, f.Path
	}
	r.databases = append(r.databases, Database{m, f.Path, f.Layer, len(packages)})
	r.packages = append(r.packages, packages...)
}

// clean turns the absolute path of a database into that of an entry.
func clean(p string) string { return inspect.CleanPath(strings.TrimSpace(p)) }

// namesOf bounds the bytes of all paths together that so many bytes of a
// database may name. A folder is written once for all files in it; honest
// databases have about as many bytes themselves.
func namesOf(size int) int { return 16*size + 1<<10 }
