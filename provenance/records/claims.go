package records

import (
	"encoding/hex"
	"path"
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/digest"
	"audit/inspect/paths"
)

// A Standing says how the content of a file stands to the records that list it.
type Standing int

// The standings. Where several records list a file the last of these holds.
const (
	Unlisted Standing = iota // none does
	Listed                   // without a digest
	Unread                   // with a digest that was not taken
	Differs                  // with another digest
	Agrees                   // with this digest
)

// A claim is what records have of a file.
type claim struct {
	component int32 // whose record it is
	holder    int32 // the component of the outermost ecosystem that lists the file
	standing  Standing
	recorded  v1.Hash // where it differs
}

// A list takes the files of one record.
type list struct {
	*reader
	record    inspect.File
	component int
	room      int  // bytes of paths that the record may yet name
	outside   bool // a path reaches out of the prefix of the package, which was said
}

// list begins the record of a component with so many bytes. A record in a deep folder
// may name no more bytes of paths than in proportion to its own.
func (r *reader) list(record inspect.File, component, size int) *list {
	return &list{reader: r, record: record, component: component, room: 32*size + 1<<16}
}

// put takes a file from the record: its path from the root, which may lead through
// links, and its digest, zero where the record has none. It is false when the record
// names too much; then the rest is not looked at.
func (l *list) put(p string, recorded v1.Hash) bool {
	if recorded.Hex == "" {
		return l.putAny(p, Listed)
	}
	return l.putAny(p, Differs, recorded)
}

// putAny takes a file that may have any of these digests, and says how it stands when it
// has none of them.
func (l *list) putAny(p string, otherwise Standing, recorded ...v1.Hash) bool {
	if l.component < 0 {
		return false
	}
	if p == "" {
		if !l.outside {
			l.problem(l.record, "records/outside")
		}
		l.outside = true
		return true
	}
	if l.room -= len(p); l.room < 0 {
		l.problem(l.record, "records/too-many-paths", "limit", 32)
		return false
	}
	c := &l.Components[l.component]
	file, ok := l.root.Name(paths.Clean(p))
	if !ok {
		if len(recorded) > 0 {
			c.Missing++
		}
		return true
	}
	if len(recorded) == 0 {
		otherwise = Listed
	}
	now := claim{component: int32(l.component), holder: int32(l.component), standing: otherwise}
	for _, d := range recorded {
		if found := l.compare(file, d); found == Agrees || found == Unread {
			now.standing = found
			break
		}
	}
	switch now.standing {
	case Agrees:
		c.Agree++
	case Unread:
		c.Uncompared++
	case Differs:
		c.Differ++
		now.recorded = recorded[0]
	}
	l.claim(file.Path, now)
	return true
}

// unclear takes a file whose digest in the record is none that can be read.
func (l *list) unclear(p string) bool {
	if l.component >= 0 && p != "" {
		l.Components[l.component].Uncompared++
	}
	return l.put(p, v1.Hash{})
}

// claim joins what a record has of a file with what others have.
func (r *reader) claim(p string, now claim) {
	if old, taken := r.claims[p]; taken {
		if r.isOuter(old.holder, now.holder) {
			now.holder = old.holder
		}
		if old.standing >= now.standing {
			old.holder = now.holder
			now = old
		}
	}
	r.claims[p] = now
}

// isOuter says whether a component comes, or is of an ecosystem that comes, before that
// of another one: those can have the others in them.
func (r *reader) isOuter(a, b int32) bool { return r.Components[a].rank() <= r.Components[b].rank() }

// contain says of each component which other one lists what describes it.
func (r *reader) contain() {
	for i := range r.Components {
		c := &r.Components[i]
		held, ok := r.claims[c.At.Path]
		if ok && c.In < 0 && r.Components[held.holder].rank() < c.rank() {
			c.In = int(held.holder)
		}
	}
}

// compare compares the content that a file or link leads to with a digest.
func (r *reader) compare(file inspect.File, recorded v1.Hash) Standing {
	if recorded.Hex == "" {
		return Listed
	}
	if file.Inode.Type == '2' {
		target, ok := r.root.Lookup(file.Path)
		if !ok {
			return Differs
		}
		file = target
	}
	if file.Inode.Type != '0' {
		return Differs
	}
	computed := r.computed(file.Inode.Entry, recorded.Algorithm)
	switch computed {
	case "":
		return Unread
	case recorded.Hex:
		return Agrees
	}
	return Differs
}

// computed returns the digest of an entry's content in hexadecimal, "" where it was not
// taken.
func (r *reader) computed(e *inspect.Entry, algorithm string) string {
	switch {
	case algorithm == "sha256" && !e.Digest.IsZero():
		return e.Digest.Hash().Hex
	case algorithm == "md5":
		return r.weakSum(e).md5
	case algorithm == "sha1":
		return r.weakSum(e).sha1
	}
	return ""
}

// A weakSum has the digests beside SHA-256 that were taken of an entry, in
// hexadecimal.
type weakSum struct{ md5, sha1 string }

func (r *reader) weakSum(e *inspect.Entry) weakSum {
	if r.weak == nil {
		r.weak = make(map[*inspect.Entry]weakSum)
		for _, l := range r.img.Layers {
			for i, e := range l.Entries {
				if e.Type == '0' && Weak(e.Path) != 0 {
					r.weak[e] = newWeakSum(l.Weak(i))
				}
			}
		}
	}
	return r.weak[e]
}

func newWeakSum(sum digest.Weak) (out weakSum) {
	if sum.Kinds&digest.MD5 != 0 {
		out.md5 = hex.EncodeToString(sum.MD5[:])
	}
	if sum.Kinds&digest.SHA1 != 0 {
		out.sha1 = hex.EncodeToString(sum.SHA1[:])
	}
	return out
}

// Weak says which digests the pass over an image has to take beside SHA-256 of the file
// at a path: the MD5 of what lies in a library of R or in renv's cache, and the SHA-1 of what lies in a
// prefix of Spack, whose name ends in a hash, and of archives in a repository of Maven.
func Weak(p string) (kinds digest.Kinds) {
	dir := path.Dir(p)
	if isJar(p) && strings.Contains("/"+p, mavenFolder) {
		kinds |= digest.SHA1
	}
	for element := range strings.SplitSeq(dir, "/") {
		switch {
		case element == "library", strings.HasSuffix(element, "-library"), element == "renv", element == "packrat":
			kinds |= digest.MD5
		case isSpackPrefix(element):
			kinds |= digest.SHA1
		}
	}
	return kinds
}

// isSpackPrefix says whether the name of a folder ends in a hash as Spack writes it: 32
// characters of base 32.
func isSpackPrefix(name string) bool {
	n := len(name) - 33
	return n > 0 && name[n] == '-' && strings.Trim(name[n+1:], "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// An environment is a folder of packages.
type environment struct {
	ecosystem Ecosystem
	placed    bool // the records of its packages list no files
}

// environment notes that a folder has packages of an ecosystem.
func (r *reader) environment(folder string, e Ecosystem, placed bool) {
	real, ok := r.root.FolderPath(folder)
	if !ok {
		return
	}
	old, taken := r.places[real]
	if taken && old.ecosystem != e {
		return // the first, which has the more exact records
	}
	r.places[real] = environment{e, placed || taken && old.placed}
}

// under joins a path of a record to the folder that it is relative to; one that starts
// with a slash is relative to the root. It is "" where the record reaches out of the
// prefix that its package was installed into: what lies there is not its own.
func under(folder, p string) string {
	if !path.IsAbs(p) {
		p = folder + "/" + p
	}
	p = paths.Clean(p)
	if top := prefixOf(paths.Clean(folder)); top != "." && p != top && !strings.HasPrefix(p, top+"/") {
		return ""
	}
	return p
}

// prefixOf is the prefix that a folder of packages lies in: of PREFIX/lib/python3.11/…
// PREFIX, of any other itself.
func prefixOf(folder string) string {
	found := libraries.FindStringIndex("/" + folder)
	if found == nil {
		return folder
	}
	return paths.Clean(("/" + folder)[:found[0]])
}

// libraries are the folders in a prefix below which Python's packages are (PEP 370,
// sysconfig).
var libraries = regexp.MustCompile(`/lib(64|32)?/(python|pypy)[0-9.]*/`)
