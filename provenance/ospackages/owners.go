package ospackages

import (
	"strconv"
	"strings"

	"audit/inspect/image"
)

// Where the names of users and groups stand (passwd(5), group(5)). Images by OSTree have
// those of packages below usr.
const (
	passwd    = "etc/passwd"
	groups    = "etc/group"
	usrPasswd = "usr/lib/passwd"
	usrGroups = "usr/lib/group"
)

func isOwners(p string) bool { return p == passwd || p == groups || p == usrPasswd || p == usrGroups }

// Owners are the numbers of the users and groups of an image.
type Owners struct {
	users, groups map[string]int
	unread        bool
	flat          bool
}

// ReadOwners reads the files in which an image names its users and groups.
func ReadOwners(root *image.Root) Owners {
	users, known := numbered(root, passwd, usrPasswd)
	groups, both := numbered(root, groups, usrGroups)
	return Owners{users, groups, !known || !both, isFlat(root)}
}

// IsFlat says that all files of the image have one owner, as in one that somebody without
// rights has packed: then that of a file says nothing.
func (o Owners) IsFlat() bool { return o.flat }

func isFlat(root *image.Root) bool {
	uid, gid := -1, -1
	for f := range root.Files() {
		a := f.Inode.Header.Attr()
		if uid < 0 {
			uid, gid = a.UID, a.GID
		}
		if a.UID != uid || a.GID != gid {
			return false
		}
	}
	return true
}

// User returns the number of a user, that of root where there is none of that name, as
// package managers take it. It is false when the file could not be read.
func (o Owners) User(name string) (uid int, ok bool) { return o.number(o.users, name) }

// Group does the same for a group.
func (o Owners) Group(name string) (gid int, ok bool) { return o.number(o.groups, name) }

func (o Owners) number(names map[string]int, name string) (int, bool) {
	return names[name], name == "root" || name == "" || !o.unread
}

// numbered reads lines NAME:…:NUMBER:…, of which the first with a name counts. A file
// that is not there has none.
func numbered(root *image.Root, paths ...string) (names map[string]int, ok bool) {
	names, ok = make(map[string]int), true
	for _, path := range paths {
		text, f, kept := root.Content(path)
		ok = ok && (kept || f.Entry == nil)
		for line := range strings.Lines(string(text)) {
			fields := strings.Split(strings.TrimSpace(line), ":")
			if len(fields) < 3 {
				continue
			}
			number, err := strconv.ParseUint(fields[2], 10, 32)
			if _, taken := names[fields[0]]; err == nil && !taken {
				names[fields[0]] = int(number)
			}
		}
	}
	names["root"] = 0
	return names, ok
}
