package ospackages

import (
	"cmp"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/digest"
	"audit/inspect/paths"
)

// Weak says which digests the pass over an image has to take beside SHA-256, as
// Options.Weak of package inspect takes it: those that the databases of dpkg and
// apk record. A layer that shows early which of them it has costs one of the two,
// and one of an image by rpm none; where distributions put nothing, none is taken.
func Weak() func(path string) digest.Kinds {
	var known digest.Kinds
	hinted := false
	return func(p string) digest.Kinds {
		if kinds, ok := hint(p); ok {
			known |= kinds
			hinted = true
		}
		switch {
		case isForeign(p):
			return 0
		case !hinted:
			return digest.MD5 | digest.SHA1
		}
		return known
	}
}

// isForeign says whether a path is where the packages of distributions put no files
// (Filesystem Hierarchy Standard 3.0): what is recorded there all the same is
// [Unread].
func isForeign(p string) bool {
	top, rest, _ := strings.Cut(p, "/")
	switch top {
	case "usr":
		return strings.HasPrefix(rest, "local/")
	case "var":
		return strings.HasPrefix(rest, "cache/") || strings.HasPrefix(rest, "log/") || strings.HasPrefix(rest, "lib/apt/")
	case "app", "home", "root", "srv", "tmp", "workspace":
		return true
	}
	return false
}

// hint returns what a path reveals of the package manager.
func hint(p string) (digest.Kinds, bool) {
	for _, h := range []struct {
		prefix string
		kinds  digest.Kinds
	}{
		{"etc/apt", digest.MD5}, {"etc/dpkg", digest.MD5}, {"etc/debian_version", digest.MD5}, {"var/lib/dpkg", digest.MD5},
		{"lib/x86_64-linux-gnu", digest.MD5}, {"usr/lib/x86_64-linux-gnu", digest.MD5},
		{"lib/aarch64-linux-gnu", digest.MD5}, {"usr/lib/aarch64-linux-gnu", digest.MD5},
		{"etc/apk", digest.SHA1}, {"etc/alpine-release", digest.SHA1}, {"lib/apk", digest.SHA1}, {"usr/lib/apk", digest.SHA1},
		{"etc/rpm", 0}, {"etc/yum.repos.d", 0}, {"etc/zypp", 0}, {"var/lib/rpm", 0}, {"usr/lib/sysimage/rpm", 0},
	} {
		if rest, ok := strings.CutPrefix(p, h.prefix); ok && (rest == "" || rest[0] == '/') {
			return h.kinds, true
		}
	}
	return 0, false
}

// A Standing says how the content of an entry stands to what the image's own
// database records of the file at its path.
type Standing int

// The standings. Only [Changed] contradicts a package.
const (
	Unrecorded Standing = iota // no package records a digest
	OwnRecord                  // they agree; the record is unsigned, so this says nothing of an origin
	Unread                     // the digest of the recorded kind was not taken
	Config                     // they differ, and the package expects that
	Made                       // they differ, and a script of the package makes the file again
	Diverted                   // they differ, and dpkg-divert has put the package's file elsewhere
	Changed                    // they differ
)

// A Comparison is an entry of a layer beside its record.
type Comparison struct {
	Standing Standing
	Package  string // that records the file
	Version  string // "" when it is not known
	Recorded Digest
}

// A version is a file of a database as it is from one layer on, up to another one
// that replaces or removes it.
type version struct{ from, until int }

const forever = 1 << 30

func (v *version) at(layer int) bool { return v.from <= layer && layer < v.until }

// A record is what one version of a database has of a file.
type record struct {
	*version
	pkg, number string // name and version of the package
	digest      Digest
	mode        int64    // 0 when there is none
	excuse      Standing // where the content differs
}

// maxRecords bounds the records of one path in one version: packages that share a
// file are few.
const maxRecords = 8

// expect makes room for records of the files that packages have so far.
func (in *Installed) expect() {
	records := make(map[string][]record, in.files())
	maps.Copy(records, in.records)
	in.records = records
}

// files counts the files that packages have.
func (in *Installed) files() (n int) {
	for i := range in.Packages {
		n += len(in.Packages[i].Files)
	}
	return n
}

// record notes the digests of packages.
func (in *Installed) record(v *version, packages ...Package) {
	for i := range packages {
		p := &packages[i]
		for _, f := range p.Files {
			if f.Digest.IsZero() {
				continue
			}
			at := in.links.Real(f.Path)
			in.recorded = append(in.recorded, named{f.Path, p.Name})
			all := in.records[at]
			if n := len(all); n >= maxRecords && all[n-maxRecords].version == v {
				continue
			}
			excuse := Changed
			switch {
			case f.Config:
				excuse = Config
			case f.Made || IsMade(at):
				excuse = Made
			case in.diverted[f.Path]:
				excuse = Diverted
			}
			in.records[at] = append(all, record{v, p.Name, p.Version, f.Digest, f.Mode, excuse})
		}
	}
}

// IsMade names the files that packages bring and that their scripts and triggers
// make again on the machine (glibc's ldconfig and localedef, texinfo, GTK, GLib,
// shared-mime-info, ca-certificates).
func IsMade(p string) bool {
	switch p {
	case "etc/ld.so.cache", "usr/share/info/dir", "usr/lib/locale/locale-archive", "etc/ssl/certs/ca-certificates.crt":
		return true
	}
	switch path.Base(p) {
	case "loaders.cache", "immodules.cache", "gschemas.compiled", "icon-theme.cache", "mimeinfo.cache", "mime.cache":
		return strings.HasPrefix(p, "usr/")
	}
	return false
}

// Compare compares the entry at an index of a layer with what the database that
// the layer, or those below it, have records of the file at its path. An entry
// that a container sees is compared with the final database too.
func (in *Installed) Compare(layer, index int) Comparison {
	e := in.img.Layers[layer].Entries[index]
	records := in.records[in.Place(e)]
	if len(records) == 0 {
		return Comparison{}
	}
	out := in.against(records, layer, index, layer)
	if _, ok := in.seen(e); ok && (out.Standing == Unrecorded || out.Standing == OwnRecord) {
		if last := in.against(records, layer, index, len(in.img.Layers)-1); last.Standing != Unrecorded {
			return last
		}
	}
	return out
}

// Raised says whether a file that a package owns gives whoever runs it rights that
// the package does not: the setuid or setgid bit or a capability, which the record
// has not or, where the database has no modes, the next lower layer that has the
// file.
func (in *Installed) Raised(layer, index int) bool {
	e := in.img.Layers[layer].Entries[index]
	rights := rightsOf(e)
	if rights == 0 {
		return false
	}
	recorded := false
	for _, r := range in.records[in.Place(e)] {
		if !r.at(layer) || r.mode == 0 {
			continue
		}
		if rights&^r.mode == 0 {
			return false
		}
		recorded = true
	}
	if recorded && rights&capability == 0 {
		return true
	}
	below, ok := in.position(layer-1, e.Path)
	return ok && rights&^rightsOf(in.img.Layers[below.layer].Entries[below.index]) != 0
}

// capability stands for one among the bits of a mode, of which it is none.
const capability = 1 << 20

// rightsOf returns the bits of a file's mode that give rights. The setgid bit
// without the group's execute bit marks a file for locking.
func rightsOf(e *inspect.Entry) (bits int64) {
	if e.Type != '0' && e.Type != '1' {
		return 0
	}
	bits = int64(e.Mode & 0o4000)
	if e.Mode&0o010 != 0 {
		bits |= int64(e.Mode & 0o2000)
	}
	if e.Attr().Xattrs["security.capability"] != "" {
		bits |= capability
	}
	return bits
}

// against compares an entry with the records that are in force as of a layer: one
// that agrees is enough.
func (in *Installed) against(records []record, layer, index, asOf int) (out Comparison) {
	for _, r := range records {
		if !r.at(asOf) {
			continue
		}
		computed, taken := in.computed(layer, index, r.digest.Algorithm)
		found := Comparison{r.excuse, r.pkg, r.number, r.digest}
		switch {
		case !taken:
			found.Standing = Unread
		case computed == r.digest:
			found.Standing = OwnRecord
			return found
		}
		if out.Standing == Unrecorded || out.Standing > found.Standing {
			out = found
		}
	}
	return out
}

// computed returns the digest of an entry's content; it is zero for what has none,
// and false when it was not taken.
func (in *Installed) computed(layer, index int, algorithm string) (Digest, bool) {
	layer, index, ok := in.content(layer, index)
	if !ok {
		return Digest{}, true
	}
	l := in.img.Layers[layer]
	weak := l.Weak(index)
	switch {
	case algorithm == "md5" && weak.Kinds&digest.MD5 != 0:
		return Digest{algorithm, hex.EncodeToString(weak.MD5[:])}, true
	case algorithm == "sha1" && weak.Kinds&digest.SHA1 != 0:
		return Digest{algorithm, hex.EncodeToString(weak.SHA1[:])}, true
	case algorithm == "sha256" && !l.Entries[index].Digest.IsZero():
		return Digest{algorithm, l.Entries[index].Digest.Hash().Hex}, true
	}
	return in.again(layer, l.Entries[index], algorithm)
}

// content returns the regular file that an entry is, or that it is a hard link to;
// false when it is neither.
func (in *Installed) content(layer, index int) (int, int, bool) {
	for range maxHardLinks {
		e := in.img.Layers[layer].Entries[index]
		if e.Type != '1' {
			return layer, index, e.Type == '0'
		}
		if f, ok := in.seen(e); ok {
			at, ok := in.inode(f)
			return at.layer, at.index, ok && f.Inode.Type == '0'
		}
		at, ok := in.position(layer, e.Linkname)
		if !ok {
			break
		}
		layer, index = at.layer, at.index
	}
	return 0, 0, false
}

// maxHardLinks bounds the hard links to hard links that are followed; those that
// archivers write lead to a file.
const maxHardLinks = 8

// A place is that of an entry.
type place struct{ layer, index int }

// position returns the last file at a path in a layer, or in the next one below it
// that has it.
func (in *Installed) position(layer int, name string) (at place, ok bool) {
	if in.positions == nil {
		in.positions = make(map[string][]place)
		for _, l := range in.img.Layers {
			for i := range l.Entries {
				if e := l.Entries[i]; e.Type == '0' || e.Type == '1' {
					real := in.Place(e)
					in.positions[real] = append(in.positions[real], place{l.Index, i})
				}
			}
		}
	}
	places := in.positions[in.links.Real(paths.Clean(name))]
	n, _ := slices.BinarySearchFunc(places, layer+1, func(p place, layer int) int { return cmp.Compare(p.layer, layer) })
	if n == 0 {
		return place{}, false
	}
	return places[n-1], true
}

// versions goes through the layers and calls put for each version of the files of
// a database: those that isPart knows by where they really are. End ends with the
// versions that a layer replaces or removes.
func (r *reader) versions(folder string, isPart func(p string) bool, put func(layer int, e *inspect.Entry, v *version)) {
	current := make(map[string]*version)
	for _, l := range r.relevant() {
		for _, e := range l.hides {
			r.remove(e, l.index, folder, current)
		}
		for _, e := range l.files {
			at := r.in.Place(e)
			if !isPart(at) {
				continue
			}
			if old := current[at]; old != nil {
				old.until = l.index
			}
			current[at] = &version{l.index, forever}
			put(l.index, e, current[at])
		}
	}
}

// A relevantLayer has the entries of a layer that databases are made of.
type relevantLayer struct {
	index int
	files []*inspect.Entry // that Keep wants
	hides []*inspect.Entry // the whiteouts
}

// relevant returns the layers as far as they matter to databases, without Changes.
func (r *reader) relevant() []relevantLayer {
	if r.layers != nil {
		return r.layers
	}
	r.layers = make([]relevantLayer, len(r.img.Layers))
	for i, l := range r.img.Layers {
		r.layers[i].index = l.Index
		for _, e := range l.Entries {
			_, base := paths.Split(e.Path)
			hides, keeps := strings.HasPrefix(base, ".wh."), e.Type == '0' && Keep(e.Path)
			if !hides && !keeps || r.foreign[e] {
				continue
			}
			if hides {
				r.layers[i].hides = append(r.layers[i].hides, e)
			}
			if keeps {
				r.layers[i].files = append(r.layers[i].files, e)
			}
		}
	}
	return r.layers
}

// remove ends the versions that a whiteout hides.
func (r *reader) remove(e *inspect.Entry, layer int, folder string, current map[string]*version) {
	dir, base := path.Split(e.Path)
	hidden, ok := strings.CutPrefix(base, ".wh.")
	if !ok || len(current) == 0 {
		return
	}
	at := r.in.links.Real(path.Join(dir, hidden))
	if hidden == ".wh..opq" {
		at = r.in.links.Real(path.Clean(dir))
	}
	if old := current[at]; old != nil {
		old.until = layer
		delete(current, at)
	}
	if at != folder && !strings.HasPrefix(folder, at+"/") {
		return
	}
	for p, old := range current {
		old.until = layer
		delete(current, p)
	}
}

// folderOf returns where a folder really is.
func (r *reader) folderOf(p string) string { return path.Dir(r.in.links.Real(p + "/x")) }
