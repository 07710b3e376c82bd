package apk

import (
	"archive/tar"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
)

// A judge compares the files of an image with those of verified packages.
type judge struct {
	table    *vouch.Table
	root     *inspect.Root
	owners   ospackages.Owners
	claims   []claim
	of       map[string][]int      // claims on a file, by its path in the root
	applets  map[string]*pkg       // links to busybox, by their path in the root
	others   map[string]string     // packages that are not verified, by the files that they claim
	scripts  map[string]digest.Sum // of verified packages, as apk calls them
	verified map[string]*pkg       // by what the names of their scripts begin with
	list     check.List
	absent   []string
	flat     bool // owners that differ are not reported
}

func newJudge(t *vouch.Table) *judge {
	root := t.Image().Root()
	j := &judge{table: t, root: root, owners: ospackages.ReadOwners(root), of: make(map[string][]int), applets: make(map[string]*pkg), others: make(map[string]string),
		scripts: make(map[string]digest.Sum), verified: make(map[string]*pkg)}
	j.list.Notes = vouch.MaxNames
	return j
}

// add takes the content of a verified package.
func (j *judge) add(all content) {
	for _, c := range all.claims {
		i := len(j.claims)
		j.claims = append(j.claims, c)
		if j.place(c.path, i) {
			continue
		}
		if !j.place(c.path+".apk-new", i) && c.kind != tar.TypeDir {
			j.absent = append(j.absent, c.path)
		}
	}
	for _, p := range all.links {
		if f, ok := j.root.Name(p); ok && len(all.claims) > 0 {
			j.applets[f.Path] = all.claims[0].pkg
		}
	}
}

// addOther takes what a package that is not verified claims: it may replace files of others.
func (j *judge) addOther(p *ospackages.Package) {
	for _, file := range p.Files {
		if f, ok := j.root.Name(file.Path); ok && f.Inode.Type != '5' {
			j.others[f.Path] = check.Brief(p.Name + "-" + p.Version)
		}
	}
}

// place finds the file that a claim is about, with links on the way followed. What has
// the ending .apk-new stands beside a file that was changed, so a claim can be on two.
func (j *judge) place(name string, i int) bool {
	f, ok := j.root.Name(name)
	if ok {
		j.of[f.Path] = append(j.of[f.Path], i)
	}
	if next, both := j.root.Name(name + ".apk-new"); both && ok {
		j.of[next.Path] = append(j.of[next.Path], i)
	}
	return ok
}

func (j *judge) judge() {
	for f := range j.root.Files() {
		if claims := j.of[f.Path]; len(claims) > 0 {
			j.file(f, claims)
		}
	}
	for at, p := range j.applets {
		if f, ok := j.root.Name(at); ok && len(j.of[at]) == 0 && f.Inode.Type == '2' && j.isBusybox(f) {
			j.table.Vouch(f.Path, vouch.Word{Kind: vouch.Made, By: "apk " + p.name, Keys: []string{p.key.Fingerprint}, Rule: "busybox --install"})
		}
	}
}

// isBusybox says whether a link is one that busybox makes for each of its programs, to
// itself as it was signed.
func (j *judge) isBusybox(f inspect.File) bool {
	target, ok := j.root.Lookup(busybox)
	if !ok || f.Inode.Linkname != "/"+busybox {
		return false
	}
	w, ok := j.table.Word(target.Path)
	return ok && w.Kind == vouch.Signed
}

const busybox = "bin/busybox"

// A difference is one between a file and what a package has.
type difference struct {
	code          string
	level         check.Level
	signed, found string
	content       bool // it concerns what the file is, and not who may use it how
}

// file compares a file with the claims on it; one that holds is enough.
func (j *judge) file(f inspect.File, claims []int) {
	i, best := vouch.Best(claims, func(i int) []difference { return j.compare(f, &j.claims[i]) }, worst)
	of := &j.claims[i]
	word := vouch.Word{Kind: vouch.Signed, By: "apk " + of.pkg.name, Keys: []string{of.pkg.key.Fingerprint}}
	vouches, broken := true, false
	for _, d := range best {
		if other := j.others[f.Path]; other != "" && d.content && d.level == check.Problem {
			d = difference{"signatures/apk-replaced", check.Undecided, d.signed, other, true}
		}
		vouches = vouches && !d.content
		broken = broken || d.content && d.level == check.Problem
		j.list.Append(check.Find(d.level, f.Layer, f.Path, d.code, "package", of.pkg.name, "signed", d.signed, "found", d.found))
	}
	switch {
	case f.Inode.Type == '5':
	case vouches:
		j.table.Vouch(f.Path, word)
	case broken:
		j.table.Contradict(f.Path, word.By)
	}
}

func worst(found []difference) (rank int) {
	for _, d := range found {
		rank = max(rank, int(d.level)+1)
	}
	return rank
}

// isProtected says whether apk lets a file be changed: by default what is below etc
// (apk-tools 2.14, protected_paths).
func isProtected(p string) bool { return strings.HasPrefix(p, "etc/") }

// changed is how much it weighs that a file is another than the signed one.
func changed(f inspect.File) check.Level {
	if isProtected(f.Path) || ospackages.IsMade(f.Path) {
		return check.Note
	}
	return check.Problem
}

// otherKind is how much it weighs that a file is of another kind. What may change a
// content excuses none: a tool can have put a link in the place of a configuration, and
// none makes a device of one.
func otherKind(f inspect.File) check.Level {
	switch f.Inode.Type {
	case '0', '2', '5':
		return max(check.Undecided, changed(f))
	}
	return check.Problem
}

// compare compares a file with a claim.
func (j *judge) compare(f inspect.File, c *claim) (all []difference) {
	kind := typeOf(c.kind)
	if kind == '5' && f.Inode.Type == '2' {
		if _, ok := j.root.FolderPath(f.Path); ok {
			return []difference{{"signatures/apk-folder-is-link", check.Undecided, "folder", f.Inode.Linkname, true}}
		}
	}
	if f.Inode.Type != kind {
		all = append(all, difference{"signatures/apk-type", otherKind(f), typeName(kind), typeName(f.Inode.Type), true})
		if kind == '0' {
			all = append(all, j.access(f, c)...)
		}
		return append(all, j.privileges(f, c)...)
	}
	switch kind {
	case '0':
		if c.sum.IsZero() {
			all = append(all, difference{"signatures/apk-no-content", check.Undecided, check.Brief(c.link), "", true})
		} else if f.Inode.Digest != c.sum {
			all = append(all, difference{"signatures/apk-changed", changed(f), c.sum.String(), f.Inode.Digest.String(), true})
			if isProtected(f.Path) {
				all[0].code = "signatures/apk-config"
			}
		}
	case '2':
		if f.Inode.Linkname != c.link {
			all = append(all, difference{"signatures/apk-link", changed(f), check.Brief(c.link), check.Brief(f.Inode.Linkname), true})
		}
	case '3', '4':
		a := f.Inode.Attr()
		if signed, found := device(c.major, c.minor), device(a.Devmajor, a.Devminor); signed != found {
			all = append(all, difference{"signatures/apk-device", check.Problem, signed, found, true})
		}
	}
	all = append(all, j.privileges(f, c)...)
	return append(all, j.access(f, c)...)
}

const (
	setuidOrGid   = 0o6000
	worldWritable = 0o002
)

// privileges are those that a file has and that nobody signed.
func (j *judge) privileges(f inspect.File, c *claim) (all []difference) {
	if f.Inode.Type != '0' {
		return nil
	}
	found := int64(f.Inode.Header.Mode & 0o7777)
	if found&^c.mode&setuidOrGid != 0 {
		all = append(all, difference{"signatures/apk-setuid", check.Problem, octal(c.mode), octal(found), false})
	}
	const attribute = "security.capability"
	caps := cmp.Or(f.Inode.Header.Attr().Xattrs[attribute], f.Inode.Entry.Attr().Xattrs[attribute])
	if caps != "" && caps != c.capability {
		all = append(all, difference{"signatures/apk-capability", check.Problem, fmt.Sprintf("%x", c.capability), fmt.Sprintf("%x", caps), false})
	}
	return all
}

// access compares mode and owner.
func (j *judge) access(f inspect.File, c *claim) (all []difference) {
	level := check.Problem
	if isProtected(f.Path) || f.Inode.Type == '5' {
		level = check.Undecided
	}
	h := f.Inode.Header
	found := int64(h.Mode & 0o7777)
	if gained := found &^ c.mode; found != c.mode && f.Inode.Type != '2' && (gained&setuidOrGid == 0 || f.Inode.Type == '5') {
		d := difference{"signatures/apk-mode", level, octal(c.mode), octal(found), false}
		switch {
		case f.Inode.Type == '5' && gained&^0o700 == 0:
			d.level = check.Note
		case gained == 0:
			d.level = check.Undecided
		case isProtected(f.Path) && f.Inode.Type != '5' && gained&worldWritable != 0:
			d.level = check.Problem
		}
		all = append(all, d)
	}
	uid, known := j.owners.User(c.user)
	gid, both := j.owners.Group(c.group)
	if c.user == "" {
		uid = c.uid
	}
	if c.group == "" {
		gid = c.gid
	}
	a := h.Attr()
	if uid == a.UID && gid == a.GID || isMounted(f.Path) {
		return all
	}
	if j.owners.IsFlat() {
		j.flat = true
		return all
	}
	if !known || !both {
		level = check.Undecided
	}
	return append(all, difference{"signatures/apk-owner", level, fmt.Sprintf("%d:%d", uid, gid), fmt.Sprintf("%d:%d", a.UID, a.GID), false})
}

// isMounted says whether an engine mounts something at a path, so that the folder there
// is never seen.
func isMounted(p string) bool { return p == "dev" || p == "proc" || p == "sys" }

// findings returns those of the files, and of those that are not there.
func (j *judge) findings() []check.Finding {
	if j.flat {
		j.list.Note(-1, "", "signatures/apk-owners-flat")
	}
	slices.Sort(j.absent)
	if names, beyond := vouch.Some(slices.Compact(j.absent)); len(names) > 0 {
		j.list.Note(-1, "", "signatures/apk-files-absent", "count", len(names)+beyond, "names", names, "beyond", beyond)
	}
	return j.list.All()
}

func octal(mode int64) string { return fmt.Sprintf("%04o", mode) }

func device(major, minor int64) string { return fmt.Sprintf("%d:%d", major, minor) }

// typeOf is the type of an entry of a layer for that of a tar header.
func typeOf(kind byte) byte {
	switch kind {
	case tar.TypeReg, tar.TypeLink:
		return '0'
	}
	return kind
}

func typeName(kind byte) string {
	switch kind {
	case '0':
		return "file"
	case '2':
		return "link"
	case '3', '4':
		return "device"
	case '5':
		return "folder"
	case '6':
		return "pipe"
	}
	return "other"
}
