package ospackages

import (
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/paths"
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
	Source  string // the package that it was built from, "" when it is not recorded
	License string // "" when it is not recorded: dpkg's database has none
	// Needs are what it depends on, each by the names that will do, the first
	// before others, and Provides the names that it answers to beside its own;
	// both without versions. They are not read from the databases of rpm.
	Needs    [][]string
	Provides []string
	// Checksum is that of the part of a package which its maker signs, of apk alone.
	Checksum Digest
	Layer    int    // of the database
	Path     string // of the database
	Files    []File // folders too, in the order of the database
}

// A File is one that a package has installed.
type File struct {
	Path   string // of the form of inspect.Entry.Path, where the package has it or dpkg-divert has put it
	Digest Digest // as the database records it; zero when it does not
	Link   string // the target of a symbolic link, as the databases of rpm record it
	Mode   int64  // permissions with setuid, setgid and sticky bit; 0 when they are not recorded
	Config bool   // the package expects it to be changed
	Made   bool   // a script of the package makes it again: the record is no more than a start
}

// HasTarget says whether the database records a file as a link to a target: rpm's has the
// target, apk's a digest of it, and dpkg's neither.
func (f *File) HasTarget(target string) bool {
	switch {
	case f.Link != "":
		return f.Link == target
	case f.Digest.Algorithm == "sha1":
		sum := sha1.Sum([]byte(target))
		return f.Digest.Hex == hex.EncodeToString(sum[:])
	}
	return false
}

// A Digest is that of a file's content, as a database records it.
type Digest struct {
	Algorithm string // md5, sha1 or sha256
	Hex       string
}

// IsZero says that there is none.
func (d Digest) IsZero() bool { return d.Hex == "" }

func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Algorithm + ":" + d.Hex
}

// Installed is all that the databases of an image have.
type Installed struct {
	Release   Release
	Databases []Database // sorted by path
	Packages  []Package  // sorted by manager, name, version and architecture
	Headers   []Header   // of rpm's databases, in their order, those that cannot be read too
	// Problems say why a database is not, or not in full, read: codes packages/…,
	// sorted by path.
	Problems []check.Finding
	// Changes and Replacements are those of the databases, in the order of the layers.
	Changes      []Change
	Replacements []Replacement

	img       *inspect.Image
	links     *image.Symlinks
	owners    map[string]owner
	diverted  map[string]bool                 // the paths from which and to which dpkg-divert has moved files
	records   map[string][]record             // of files, by where they really are
	unused    []record                        // of what was made for records
	positions map[string][]place              // of files in layers, by where they really are; made when it is needed
	moved     map[*inspect.Entry]inspect.File // files in the root file system whose entry has another path
	inodes    map[*inspect.Entry]place        // of files with hard links; made when it is needed
	recorded  []named                         // files of records, by the paths that these have
	isSorted  bool                            // recorded is
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
	return isRelease(p) || isOwners(p) || isApkKey(p) || isApkScripts(p) || isDpkg(p) || isApk(p) || isRpm(p)
}

// Large says of the files that Keep wants which of them can have tens of MiB,
// in each layer that installs something. An image whose kept files go past the
// limit can be opened again without them; Problems then names them.
func Large(p string) bool { return isRpm(p) }

// maxWanted bounds the bytes of databases that have other names.
const maxWanted = 48 << 20

// Wanted returns the files that Read looks into by links and whose contents were not
// kept, since they have other names than databases have, and those of packages whose
// recorded digests were not taken: see [inspect.Complete].
func Wanted(img *inspect.Image) []inspect.File {
	root := img.Root()
	names := []string{etcRelease, usrRelease, dpkgStatus, dpkgDiversions}
	names = append(names, apkPaths[:]...)
	for _, dir := range rpmFolders() {
		names = append(names, dir+"/"+rpmSqlite, dir+"/"+rpmNdb, dir+"/"+rpmBerkeley)
	}
	for _, dir := range []string{dpkgInfo, dpkgParts} {
		folder, parts, _ := root.Folder(dir)
		for _, name := range parts {
			if dir == dpkgParts || path.Ext(name) == ".list" || path.Ext(name) == sums {
				names = append(names, path.Join(folder, name))
			}
		}
	}
	var files []inspect.File
	for _, name := range names {
		_, f, kept := root.Content(name)
		if kept || f.Entry == nil || f.Inode.Type != '0' || Keep(f.Inode.Entry.Path) {
			continue
		}
		files = append(files, f)
	}
	var wanted []inspect.File
	room := int64(maxWanted)
	for _, f := range append(files, undigested(img)...) {
		if room -= f.Inode.Size; room < 0 {
			break
		}
		wanted = append(wanted, f)
	}
	return wanted
}

// Read reads all databases of an image, which must have been opened with [Keep]
// and, for [Installed.Compare], with [Weak]. What cannot be read is a Problem.
func Read(img *inspect.Image) *Installed { return ReadExcluding(img, nil) }

// ReadExcluding reads all databases as [Read] does, where it is known of some layers
// that their instructions cannot have written at a path. What is there all the same is
// one of the Changes where it is of a database that lower layers have, and the records
// of these stay in force.
func ReadExcluding(img *inspect.Image, excludes func(layer int, path string) bool) *Installed {
	root := img.Root()
	in := &Installed{img: img, links: image.NewSymlinks(root.Files()), records: make(map[string][]record)}
	r := &reader{img: img, root: root, in: in}
	in.findMoved()
	r.changes(excludes)
	in.Release = r.release()
	r.dpkg()
	r.apk()
	r.rpm()
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
	in.owners = make(map[string]owner, in.files())
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

// A reader gathers what the databases have.
type reader struct {
	img  *inspect.Image
	root *inspect.Root
	in   *Installed
	seen map[image.InodeID]bool // databases of one file that were read

	diverted map[string]diversion    // by the path that packages have
	foreign  map[*inspect.Entry]bool // entries of Changes
	layers   []relevantLayer         // made when they are needed, without these
	statuses []statusVersion
}

// body returns the content of the regular file that a path leads to, through links
// of any kind. It is false when there is nothing at the path, and with a problem
// when there is something that cannot be read.
func (r *reader) body(p string) ([]byte, inspect.File, bool) {
	name, ok := r.root.Name(p)
	if !ok {
		return nil, inspect.File{}, false
	}
	data, f, ok := r.root.Content(p)
	switch {
	case ok:
	case f.Entry == nil:
		r.problem(name.Path, name.Layer, "packages/dangling-link", "target", name.Linkname)
	case f.Inode.Type != '0':
		r.problem(name.Path, name.Layer, "packages/no-file")
	default:
		r.problem(name.Path, name.Layer, "packages/content-not-kept")
	}
	return data, f, ok
}

func (r *reader) problem(p string, layer int, code string, args ...any) {
	r.in.Problems = append(r.in.Problems, check.Find(check.Undecided, layer, p, code, args...))
}

// found notes a database and its packages.
func (r *reader) found(m Manager, f inspect.File, packages []Package) {
	for i := range packages {
		packages[i].Manager, packages[i].Layer, packages[i].Path = m, f.Layer, f.Path
	}
	r.in.Databases = append(r.in.Databases, Database{m, f.Path, f.Layer, len(packages)})
	r.in.Packages = append(r.in.Packages, packages...)
}

// newDigest reads a digest in hexadecimal; zero when it is none.
func newDigest(algorithm, text string) Digest {
	var raw [sha256.Size]byte
	if len(text) != 2*digestSize(algorithm) || len(text) == 0 {
		return Digest{}
	}
	if _, err := hex.Decode(raw[:], []byte(text)); err != nil {
		return Digest{}
	}
	return Digest{algorithm, strings.ToLower(text)}
}

// digestSize is the size of a digest in bytes, 0 of no algorithm that is known.
func digestSize(algorithm string) int {
	switch algorithm {
	case "md5":
		return md5.Size
	case "sha1":
		return sha1.Size
	case "sha256":
		return sha256.Size
	}
	return 0
}

// clean turns the absolute path of a database into that of an entry.
func clean(p string) string { return paths.Clean(strings.TrimSpace(p)) }

// namesOf bounds the bytes of all paths together that so many bytes of a
// database may name. A folder is written once for all files in it; honest
// databases have about as many bytes themselves.
func namesOf(size int) int { return 16*size + 1<<10 }
