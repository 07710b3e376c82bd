package rpm

import (
	"fmt"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
	"audit/provenance/ospackages/rpmheader"
)

// A difference is one between a file and what is signed of it.
type difference struct {
	code          string
	level         check.Level
	signed, found string
	content       bool // it concerns what the file is, and not who may use it how
}

// compare compares a file with a claim.
func (j *judge) compare(f inspect.File, c *claim) []difference {
	kind := c.mode & typeMask
	if kind == folderType && f.Inode.Type == '2' && j.leadsToFolder(f) {
		return []difference{{"signatures/rpm-folder-is-link", check.Undecided, "folder", check.Brief(f.Inode.Linkname), true}}
	}
	if c.isGhost() {
		return j.ghost(f, c)
	}
	var all []difference
	if typeOf(f) != kind {
		all = append(j.privileges(f, c), difference{"signatures/rpm-type", j.otherKind(f, c), typeName(kind), typeName(typeOf(f)), true})
		if kind == fileType {
			all = append(all, j.mode(f, c)...)
			all = append(all, j.owner(f, c)...)
		}
		return all
	}
	switch kind {
	case fileType:
		all = j.digest(f, c)
	case linkType:
		if f.Inode.Linkname != c.link {
			level := j.changed(f, c, rpmheader.VerifyLink)
			all = append(all, difference{"signatures/rpm-link", level, check.Brief(c.link), check.Brief(f.Inode.Linkname), true})
		}
	case charType, blockType:
		a := f.Inode.Attr()
		if signed, found := rdev(int64(c.rdev>>8), int64(c.rdev&0xff)), rdev(a.Devmajor, a.Devminor); signed != found {
			all = append(all, difference{"signatures/rpm-device", check.Problem, signed, found, true})
		}
	}
	all = append(all, j.privileges(f, c)...)
	all = append(all, j.mode(f, c)...)
	return append(all, j.owner(f, c)...)
}

// ghost says that a file is not part of its package; what it may not be all the same is
// privileged.
func (j *judge) ghost(f inspect.File, c *claim) []difference {
	all := j.privileges(f, c)
	if f.Inode.Type != '5' {
		all = append(all, difference{code: "signatures/rpm-ghost", content: true})
	}
	return all
}

// leadsToFolder says whether a link leads to a folder, as where a distribution has merged
// two: rpm takes it for the folder.
func (j *judge) leadsToFolder(f inspect.File) bool {
	_, _, ok := j.root.Folder(f.Path)
	return ok
}

// changed is how much it weighs that a file is another than the signed one; what is the
// bit of what rpm is to verify, 0 for what it always does.
func (j *judge) changed(f inspect.File, c *claim, what uint32) check.Level {
	switch {
	case c.isConfig() || what != 0 && c.verify&what == 0 || ospackages.IsMade(f.Path):
		return check.Note
	case j.named(c, f.Path):
		return check.Undecided
	}
	return check.Problem
}

// otherKind is how much it weighs that a file is of another kind. What may change a
// content excuses none: a tool can have put a link in the place of a configuration, and
// none makes a device of one.
func (j *judge) otherKind(f inspect.File, c *claim) check.Level {
	switch f.Inode.Type {
	case '0', '2', '5':
		return max(check.Undecided, j.changed(f, c, 0))
	}
	return check.Problem
}

// digest compares the content of a regular file.
func (j *judge) digest(f inspect.File, c *claim) []difference {
	found, ok := j.digests.of(f, c.algorithm)
	switch {
	case c.digest == "":
		return []difference{{code: "signatures/rpm-no-digest", level: check.Undecided, content: true}}
	case !ok:
		return []difference{{"signatures/rpm-digest-not-taken", check.Undecided, algorithmName(c.algorithm), "", true}}
	case found == strings.ToLower(c.digest):
		return nil
	}
	d := difference{code: "signatures/rpm-changed", level: check.Problem, signed: check.Brief(c.digest), found: found, content: true}
	switch level := j.changed(f, c, rpmheader.VerifyDigest); {
	case c.isConfig():
		d.code, d.level = "signatures/rpm-config", level
	case c.verify&rpmheader.VerifyDigest == 0 || ospackages.IsMade(f.Path):
		d.code, d.level = "signatures/rpm-made", level
	case level == check.Undecided:
		d.code, d.level = "signatures/rpm-script", level
	case j.prelinked && isLinked(f.Path):
		d.code, d.level = "signatures/rpm-prelinked", check.Undecided
	}
	return []difference{d}
}

// isLinked says whether a file lies where programs and libraries do.
func isLinked(p string) bool {
	for _, dir := range []string{"bin/", "sbin/", "lib/", "lib64/", "libexec/"} {
		if strings.HasPrefix(strings.TrimPrefix(p, "usr/"), dir) {
			return true
		}
	}
	return false
}

// mode compares the permissions. Links have none, and rpm sets none of what an engine
// mounts over.
func (j *judge) mode(f inspect.File, c *claim) []difference {
	signed, found := int64(c.mode&permissions), int64(f.Inode.Header.Mode&permissions)
	if signed == found || f.Inode.Type == '2' || isMounted(f.Path) {
		return nil
	}
	gained := found &^ signed
	if gained&setuidOrGid != 0 && f.Inode.Type != '5' {
		return nil // privileges says so
	}
	d := difference{code: "signatures/rpm-mode", level: check.Problem, signed: octal(signed), found: octal(found)}
	switch {
	case c.verify&rpmheader.VerifyMode == 0, f.Inode.Type == '5' && gained&^0o700 == 0:
		d.level = check.Note
	case c.isConfig() && gained&worldWritable == 0, f.Inode.Type == '5', gained == 0:
		d.level = check.Undecided
	}
	return []difference{d}
}

func octal(mode int64) string { return fmt.Sprintf("%04o", mode) }

// isMounted says whether an engine mounts something at a path, so that the folder there
// is never seen.
func isMounted(p string) bool {
	switch p {
	case "dev", "proc", "sys":
		return true
	}
	return false
}

// privileges are those that a file has and that nobody signed.
func (j *judge) privileges(f inspect.File, c *claim) (all []difference) {
	if f.Inode.Type != '0' {
		return nil
	}
	level := check.Problem
	if c.isGhost() {
		level = check.Undecided
	}
	signed, found := int64(c.mode&permissions), int64(f.Inode.Header.Mode&permissions)
	if found&^signed&setuidOrGid != 0 {
		all = append(all, difference{code: "signatures/rpm-setuid", level: level, signed: octal(signed), found: octal(found)})
	}
	for _, name := range []string{"system.posix_acl_access", "system.posix_acl_default"} {
		if f.Inode.Header.Attr().Xattrs[name] != "" {
			all = append(all, difference{code: "signatures/rpm-access-list", level: check.Undecided, found: name})
		}
	}
	return append(all, capabilities(f, c, level)...)
}

// owner compares user and group.
func (j *judge) owner(f inspect.File, c *claim) (all []difference) {
	if isMounted(f.Path) {
		return nil
	}
	a := f.Inode.Header.Attr()
	for _, o := range []struct {
		code   string
		name   string
		number func(string) (int, bool)
		found  int
		verify uint32
	}{
		{"signatures/rpm-user", c.user, j.owners.User, a.UID, rpmheader.VerifyUser},
		{"signatures/rpm-group", c.group, j.owners.Group, a.GID, rpmheader.VerifyGroup},
	} {
		signed, ok := o.number(o.name)
		if signed == o.found {
			continue
		}
		if j.owners.IsFlat() {
			j.flat = true
			continue
		}
		d := difference{code: o.code, level: check.Problem, signed: owner(check.Brief(o.name), signed), found: strconv.Itoa(o.found)}
		switch {
		case c.verify&o.verify == 0:
			d.level = check.Note
		case !ok || c.isConfig() || f.Inode.Type == '5':
			d.level = check.Undecided
		}
		all = append(all, d)
	}
	return all
}

func typeOf(f inspect.File) uint16 {
	switch f.Inode.Type {
	case '0':
		return fileType
	case '2':
		return linkType
	case '3':
		return charType
	case '4':
		return blockType
	case '5':
		return folderType
	case '6':
		return fifoType
	}
	return 0
}

func typeName(kind uint16) string {
	switch kind {
	case fileType:
		return "file"
	case linkType:
		return "link"
	case charType, blockType:
		return "device"
	case folderType:
		return "folder"
	case fifoType:
		return "pipe"
	}
	return "other"
}
