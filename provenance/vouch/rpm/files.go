package rpm

import (
	"path"

	"audit/inspect/paths"
	"audit/provenance/ospackages/rpmheader"
)

// A claim is what a signed header says of one file.
type claim struct {
	pkg       *pkg
	path      string // of the form of inspect.Entry.Path
	mode      uint16 // with the type, as stat(2) has it
	flags     uint32
	verify    uint32 // what rpm is to verify of it
	algorithm uint32 // of the digest (RFC 4880, 9.4)
	digest    string // in hexadecimal
	link      string
	user      string
	group     string
	rdev      uint16 // of devices: major<<8 | minor
	caps      string // capabilities, as cap_from_text(3) takes them
}

// Types of a file in its mode (stat(2)).
const (
	typeMask   = 0o170000
	fifoType   = 0o010000
	charType   = 0o020000
	folderType = 0o040000
	blockType  = 0o060000
	fileType   = 0o100000
	linkType   = 0o120000
)

const (
	permissions = 0o7777
	setuidOrGid = 0o6000

	worldWritable = 0o002
)

// pathRoom bounds the bytes of all paths together that a header of so many bytes may
// make: a folder is written once for all files in it.
func pathRoom(size int) int { return 16*size + 1<<10 }

// claims puts the parallel lists of a header together. It is false when they do not fit
// each other.
func (p *pkg) claims() (all []claim, ok bool) {
	h := p.Header
	names, dirs, of := h.Texts(rpmheader.BaseNames), h.Texts(rpmheader.DirNames), h.Numbers(rpmheader.DirIndexes)
	digests, links, caps := h.Texts(rpmheader.FileDigests), h.Texts(rpmheader.FileLinkTos), h.Texts(rpmheader.FileCaps)
	users, groups := h.Texts(rpmheader.FileUserName), h.Texts(rpmheader.FileGroupName)
	modes, rdevs := h.Shorts(rpmheader.FileModes), h.Shorts(rpmheader.FileRdevs)
	flags, verify := h.Numbers(rpmheader.FileFlags), h.Numbers(rpmheader.FileVerify)
	algorithm := uint32(byMD5)
	if a := h.Numbers(rpmheader.FileDigestAlgo); len(a) > 0 {
		algorithm = a[0]
	}
	n := len(names)
	for _, length := range []int{len(of), len(modes), len(digests), len(links), len(flags), len(users), len(groups)} {
		if length != n {
			return nil, false
		}
	}
	room := pathRoom(h.Size())
	all = make([]claim, 0, n)
	for i, name := range names {
		if int64(of[i]) >= int64(len(dirs)) {
			return nil, false
		}
		if room -= len(dirs[of[i]]) + len(name); room < 0 {
			return nil, false
		}
		all = append(all, claim{
			pkg: p, path: paths.Clean(path.Join(dirs[of[i]], name)), mode: modes[i], flags: flags[i], verify: at(verify, i, ^uint32(0)),
			algorithm: algorithm, digest: digests[i], link: links[i], user: users[i], group: groups[i], rdev: at(rdevs, i, 0), caps: at(caps, i, ""),
		})
	}
	return all, true
}

// at returns an item of a list, or what stands for those of one that is too short.
func at[T any](list []T, i int, otherwise T) T {
	if i < len(list) {
		return list[i]
	}
	return otherwise
}

func (c *claim) isGhost() bool  { return c.flags&rpmheader.GhostFlag != 0 }
func (c *claim) isConfig() bool { return c.flags&rpmheader.ConfigFlag != 0 }
func (c *claim) isFolder() bool { return c.mode&typeMask == folderType }
