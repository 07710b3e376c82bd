package ospackages

import (
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"sort"
	"strings"

	"audit/inspect"
)

// A Change is an entry that changes, removes or hides what lower layers have of a
// database, in a layer whose instructions write elsewhere. What it brings is not in
// force.
type Change struct {
	Layer int
	Entry *inspect.Entry
}

// A Replacement is a record of a package that a layer replaced, while the package
// kept its version.
type Replacement struct {
	Layer    int
	Path     string // of the first file of which the record differs
	Package  string
	Version  string // "" when it is not known
	Recorded Digest // before
	Removed  bool   // the record is gone, and no other has taken its place
}

// folders are those in which package managers keep their databases.
func folders() []string {
	return append([]string{"var/lib/dpkg", "var/lib/dpkg/info", "var/lib/dpkg/status.d", "lib/apk/db", "usr/lib/apk/db"}, rpmFolders()...)
}

// managerOf returns the manager that keeps a database in a folder.
func managerOf(folder string) Manager {
	switch {
	case strings.HasSuffix(folder, "apk/db"):
		return Apk
	case strings.HasSuffix(folder, "/rpm"):
		return Rpm
	}
	return Dpkg
}

// changes finds the entries that change a database which a lower layer has, and that
// no instruction of their layer can have written.
func (r *reader) changes(excludes func(layer int, path string) bool) {
	if excludes == nil {
		return
	}
	r.foreign = make(map[*inspect.Entry]bool)
	places := r.places()
	have := make(map[Manager]bool)
	for _, l := range r.img.Layers {
		brought := make(map[Manager]bool)
		for _, e := range l.Entries {
			place := r.in.Place(e)
			own, really := touched(e, e.Path), touched(e, place)
			for _, at := range places {
				if !meets(own, at.folder) && !meets(really, at.folder) {
					continue
				}
				if Keep(e.Path) || Keep(place) {
					brought[at.manager] = true
				}
				if have[at.manager] && !r.foreign[e] && (excludes(l.Index, e.Path) || excludes(l.Index, place)) {
					r.foreign[e] = true
					r.in.Changes = append(r.in.Changes, Change{l.Index, e})
				}
			}
		}
		for m := range brought {
			have[m] = true
		}
	}
}

// A databasePlace is a folder in which a package manager keeps its database.
type databasePlace struct {
	folder  string
	manager Manager
}

// places are the folders of databases, by their names and where these really are.
func (r *reader) places() []databasePlace {
	var all []databasePlace
	for _, f := range folders() {
		all = append(all, databasePlace{f, managerOf(f)})
		if real := r.folderOf(f); real != f {
			all = append(all, databasePlace{real, managerOf(f)})
		}
	}
	return all
}

// touched returns what an entry puts at its path p, or hides there: "" when that is
// a folder, which changes nothing in it.
func touched(e *inspect.Entry, p string) string {
	dir, base := path.Split(p)
	name, hides := strings.CutPrefix(base, ".wh.")
	switch {
	case base == ".wh..wh..opq":
		return path.Clean(dir)
	case hides:
		return path.Join(dir, name)
	case e.Type == '5', p == ".":
		return ""
	}
	return p
}

// meets says whether what is touched lies in a folder, or stands where a folder above
// has to be.
func meets(p, folder string) bool {
	switch {
	case p == "":
		return false
	case p == ".", p == folder:
		return true
	case len(p) > len(folder):
		return p[len(folder)] == '/' && strings.HasPrefix(p, folder)
	}
	return len(p) < len(folder) && folder[len(p)] == '/' && strings.HasPrefix(folder, p)
}

// Place returns where the file of an entry is: where the root file system has it,
// else where its path leads through the links that the image has in the end.
func (in *Installed) Place(e *inspect.Entry) string {
	if f, ok := in.moved[e]; ok {
		return f.Path
	}
	return in.links.Real(e.Path)
}

// findMoved finds the entries that lead to another place through links.
func (in *Installed) findMoved() {
	in.moved = make(map[*inspect.Entry]inspect.File)
	for f := range in.img.Root().Files() {
		if f.Path != f.Entry.Path {
			in.moved[f.Entry] = f
		}
	}
}

// seen returns the file that a container sees by an entry; false when it sees none.
func (in *Installed) seen(e *inspect.Entry) (inspect.File, bool) {
	if f, ok := in.moved[e]; ok {
		return f, true
	}
	f, ok := in.img.Root().Name(e.Path)
	return f, ok && f.Entry == e
}

// inode returns the entry whose content a file has by a hard link.
func (in *Installed) inode(f inspect.File) (place, bool) {
	if in.inodes == nil {
		in.inodes = make(map[*inspect.Entry]place)
		for f := range in.img.Root().Files() {
			if f.Entry != f.Inode.Entry {
				in.inodes[f.Inode.Entry] = place{-1, 0}
			}
		}
		for _, l := range in.img.Layers {
			for i := range l.Entries {
				if _, ok := in.inodes[l.Entries[i]]; ok {
					in.inodes[l.Entries[i]] = place{l.Index, i}
				}
			}
		}
	}
	at, ok := in.inodes[f.Inode.Entry]
	return at, ok && at.layer >= 0
}

// Redirects says whether an entry is a link, or anything but a folder, where
// packages have installed files in a folder. It returns one of these packages' names.
func (in *Installed) Redirects(e *inspect.Entry) (pkg string, ok bool) {
	if e.Type == '5' || strings.HasPrefix(path.Base(e.Path), ".wh.") {
		return "", false
	}
	if !in.isSorted {
		slices.SortFunc(in.recorded, func(a, b named) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.pkg, b.pkg)) })
		in.isSorted = true
	}
	below := in.Place(e) + "/"
	n := sort.Search(len(in.recorded), func(i int) bool { return in.recorded[i].path >= below })
	if n == len(in.recorded) || !strings.HasPrefix(in.recorded[n].path, below) {
		return "", false
	}
	return in.recorded[n].pkg, true
}

// A named file is one that a package has recorded, by the path that the record has.
type named struct{ path, pkg string }

// again returns the digest of a content that was read again.
func (in *Installed) again(layer int, e *inspect.Entry, algorithm string) (Digest, bool) {
	content, ok := in.img.Body(layer, e.Path)
	if !ok || sha256.Sum256(content) != e.Digest {
		return Digest{}, false
	}
	switch algorithm {
	case "md5":
		sum := md5.Sum(content)
		return Digest{algorithm, hex.EncodeToString(sum[:])}, true
	case "sha1":
		sum := sha1.Sum(content)
		return Digest{algorithm, hex.EncodeToString(sum[:])}, true
	}
	return Digest{}, false
}

// undigested returns the files of packages whose recorded kind of digest was not
// taken, since they lie where packages put nothing and a link leads there.
func undigested(img *inspect.Image) []inspect.File {
	root := img.Root()
	if !anyLeadsAway(root) {
		return nil
	}
	in := Read(img)
	var wanted []inspect.File
	for _, l := range img.Layers {
		for i := range l.Entries {
			if in.Compare(l.Index, i).Standing != Unread {
				continue
			}
			if f, ok := in.seen(l.Entries[i]); ok && f.Inode.Type == '0' {
				wanted = append(wanted, f)
			}
		}
	}
	return wanted
}

func anyLeadsAway(root *inspect.Root) bool {
	for f := range root.Files() {
		if leadsAway(root, f) {
			return true
		}
	}
	return false
}

// leadsAway says whether a file is a link from where packages put files to where
// they put none, or has one name here and its content from there.
func leadsAway(root *inspect.Root, f inspect.File) bool {
	switch {
	case f.Type == '2' && !isForeign(f.Path):
		to, ok := root.FolderPath(f.Path)
		return ok && isForeign(to+"/x")
	case f.Inode.Type == '0' && !isForeign(f.Path):
		return isForeign(f.Inode.Entry.Path)
	}
	return false
}

// A history has what a version of a database's file records, by package.
type history map[string]map[string]Digest

// add adds the records of a package, and returns all that it has of it.
func (h history) add(p *Package) (key string, files map[string]Digest) {
	key = strings.Join([]string{p.Name, p.Version, p.Arch}, "\x00")
	if files = h[key]; files == nil {
		files = make(map[string]Digest, len(p.Files))
		h[key] = files
	}
	for _, f := range p.Files {
		if !f.Digest.IsZero() && !f.Config && !f.Made {
			files[f.Path] = f.Digest
		}
	}
	return key, files
}

// replaced notes the packages of which the next version of a file records other
// digests than the one before, though they have the same version. What packages
// expect to be changed or make again does not matter.
func (r *reader) replaced(layer int, before, packages []Package) {
	if len(before) == 0 {
		return
	}
	was, now := make(history, len(before)), make(history, len(packages))
	for i := range before {
		was.add(&before[i])
	}
	for i := range packages {
		key, files := now.add(&packages[i])
		r.differs(layer, &packages[i], was[key], files)
	}
}

// differs notes the first file of a package of which its records differ.
func (r *reader) differs(layer int, p *Package, before, now map[string]Digest) {
	found := Replacement{Layer: layer, Package: p.Name, Version: p.Version}
	for name, was := range before {
		is, ok := now[name]
		switch {
		case is == was:
			continue
		case found.Path == "", found.Removed && ok, found.Removed == !ok && name < found.Path:
			found.Path, found.Recorded, found.Removed = name, was, !ok
		}
	}
	if found.Path != "" {
		found.Path = r.in.links.Real(found.Path)
		r.in.Replacements = append(r.in.Replacements, found)
	}
}
