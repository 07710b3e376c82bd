package inspect

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"audit/inspect/image"
	"audit/inspect/paths"
	"audit/inspect/store"
)

// Store items of the trees below.
const (
	itemA = "gnu/store/0123456789abcdfghijklmnpqrsvwxyz-a-1.0"
	itemB = "gnu/store/123456789abcdfghijklmnpqrsvwxyz0-b"
	itemC = "nix/store/23456789abcdfghijklmnpqrsvwxyz01-c.txt"
)

// A treeMaker collects the members of a tar in path order, where the first of
// several names of a file is the file.
type treeMaker struct{ members []archiveMember }

func (m *treeMaker) add(kind byte, name string, mode int64, data []byte) *tar.Header {
	m.members = append(m.members, archiveMember{tar.Header{
		Typeflag: kind, Name: name, Mode: mode, ModTime: time.Unix(int64(1e9)+int64(len(m.members)), 0),
	}, data})
	return &m.members[len(m.members)-1].hdr
}

func (m *treeMaker) folder(name string, mode int64) *tar.Header {
	return m.add(tar.TypeDir, name+"/", mode, nil)
}

func (m *treeMaker) file(name string, data []byte) *tar.Header {
	return m.add(tar.TypeReg, name, 0o644, data)
}

func (m *treeMaker) symlink(name, target string) {
	m.add(tar.TypeSymlink, name, 0o777, nil).Linkname = target
}

// link adds a further name of a file that is there; it has all that that has.
func (m *treeMaker) link(name, target string) {
	i := slices.IndexFunc(m.members, func(a archiveMember) bool { return a.hdr.Name == target })
	hdr := m.members[i].hdr
	hdr.Typeflag, hdr.Name, hdr.Linkname = tar.TypeLink, name, target
	m.members = append(m.members, archiveMember{hdr, nil})
}

func noise(n int, seed uint64) []byte {
	rnd, p := rand.New(rand.NewPCG(seed, 1)), make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

func text(n int) []byte {
	return bytes.Repeat([]byte("the same words again and again, /"+itemB+" among them\n"), n/80+1)[:n]
}

// code is like the code of x86 in what matters to the filter of xz for it:
// calls of a few functions from many places, near to each other and across.
func code(n int) []byte {
	rnd := rand.New(rand.NewPCG(4, 1))
	var p []byte
	for len(p) < n {
		p = append(p, byte(0xe8+rnd.IntN(2)))
		switch rnd.IntN(6) {
		case 0:
			p = append(p, 0xe8, byte(rnd.Uint32()))
		case 1:
			p = append(p, byte(rnd.Uint32()), 0xff, 0xe9, 0x00)
		default:
			p = binary.LittleEndian.AppendUint32(p, uint32(500*rnd.IntN(8)-len(p)-4))
		}
		p = append(p, "\x48\x89\xc7"[:rnd.IntN(4)]...)
	}
	return p[:n]
}

func zeros(n int) []byte { return make([]byte, n) }

func joined(parts ...[]byte) []byte { return slices.Concat(parts...) }

// capability is what setcap cap_net_raw+ep stores.
const capability = "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func setXattrs(hdr *tar.Header, pairs ...string) {
	hdr.PAXRecords = make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		hdr.PAXRecords["SCHILY.xattr."+pairs[i]] = pairs[i+1]
	}
}

// squashTree is a file system with all that a squashfs can hold and a tar too:
// files that end before, at and after the end of a block of 4096 bytes, holes
// in their midst and at their end, and what else there is. More makes it large
// enough for blocks and folders of more than one metadata block.
func squashTree(more bool) []archiveMember {
	m := new(treeMaker)
	m.folder("bin", 0o755)
	m.file("bin/code", code(9000))
	m.file("bin/ping", text(300)).Mode = 0o755
	setXattrs(&m.members[len(m.members)-1].hdr, "security.capability", capability)
	m.file("bin/su", text(4096)).Mode = 0o4755
	m.file("bin/wall", text(4097)).Mode = 0o2755
	m.folder("dev", 0o755)
	null := m.add(tar.TypeChar, "dev/null", 0o666, nil)
	null.Devmajor, null.Devminor = 1, 3
	disk := m.add(tar.TypeBlock, "dev/sdzz", 0o660, nil)
	disk.Devmajor, disk.Devminor, disk.Gid = 259, 300_000, 6
	m.folder("empty", 0o700)
	m.folder("gnu", 0o755)
	m.folder("gnu/store", 0o1775).Gid = 30000
	m.folder(itemA, 0o555)
	m.folder(itemA+"/bin", 0o555)
	m.file(itemA+"/bin/hello", joined(text(5000), []byte("/"+itemB+"/lib"))).Mode = 0o555
	m.link(itemA+"/bin/hola", itemA+"/bin/hello")
	m.file(itemA+"/empty", nil)
	m.symlink(itemA+"/lib", "/"+itemB+"/lib")
	m.folder(itemB, 0o555)
	m.link(itemB+"/again", itemA+"/bin/hello")
	m.folder(itemB+"/lib", 0o555)
	m.file(itemB+"/lib/noise", noise(10_000, 1))
	m.file(itemB+"/lib/same", noise(10_000, 1))
	m.folder("nix", 0o755)
	m.folder("nix/store", 0o755)
	m.file(itemC, []byte("only a file, of /nix/store/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-missing"))
	m.folder("odd", 0o755)
	m.file("odd/\x01\x1b[31m\xff", []byte("control characters and no UTF-8"))
	m.file("odd/"+strings.Repeat("long", 63), []byte("a name of 252 bytes"))
	setXattrs(m.folder("odd/x", 0o755), "user.note", "a folder", "trusted.big", string(noise(5000, 2)))
	setXattrs(m.file("odd/x/y", []byte("y")), "user.note", "a folder", "trusted.big", string(noise(5000, 2)))
	setXattrs(m.file("odd/x/z", []byte("z")), "user.empty", "", "trusted.big", string(noise(5000, 2)))
	m.add(tar.TypeFifo, "pipe", 0o600, nil)
	m.folder("size", 0o755)
	for i, n := range []int{0, 1, 4095, 4096, 4097, 8191, 8192} {
		m.file(fmt.Sprintf("size/%d", i), text(n))
	}
	m.file("size/hole-end", joined(text(5000), zeros(8192-5000+4096)))
	m.file("size/hole-in", joined(text(4096), zeros(8192), text(10)))
	m.file("size/hole-last", joined(text(4096), zeros(4096+100)))
	m.file("size/hole-only", zeros(4096))
	m.file("size/hole-short", zeros(100))
	owned := m.file("size/owned", []byte("of an owner with a large number"))
	owned.Uid, owned.Gid, owned.ModTime = 4_000_000_000, 1000, time.Unix(4_000_000_000, 0)
	m.folder("tmp", 0o1777)
	if more {
		m.large()
	}
	m.symlink("up", "../.././etc//passwd")
	return m.members
}

// large adds what takes many blocks. The running program has code of this
// machine in it, which filters of xz change.
func (m *treeMaker) large() {
	m.folder("u", 0o755)
	if path, err := os.Executable(); err == nil {
		code, _ := os.ReadFile(path)
		m.file("u/code", code[:min(len(code), 1<<20)])
	}
	m.folder("u/many", 0o755)
	for i := range 1600 {
		m.file(fmt.Sprintf("u/many/with-a-name-of-some-length-%04d", i), fmt.Appendf(nil, "%d\n", i/3))
	}
	m.file("u/noise", noise(300_000, 3))
	m.file("u/text", text(600_000))
	m.file("u/zero", joined(zeros(3<<20), []byte("the end")))
}

// A treeFile is what must be the same of a file in whatever form it comes.
type treeFile struct {
	Path, Type, Link string
	Mode             string
	UID, GID         int
	Size, ModTime    int64
	Major, Minor     int64
	Xattrs           map[string]string
	Digest           string
}

func treeFiles(img *image.Image) []treeFile {
	var all []treeFile
	for _, f := range img.Files() {
		t := treeFile{f.Path, string(f.Type), f.Linkname, fmt.Sprintf("%o", f.Mode), f.Attr().UID, f.Attr().GID, f.Size, f.ModTime, f.Attr().Devmajor, f.Attr().Devminor, f.Attr().Xattrs, f.Digest.String()}
		if f.Type == '1' {
			t.Link = paths.Clean(f.Linkname)
		}
		all = append(all, t)
	}
	return all
}

// sameTree compares what two forms of a file system give. A root that was not
// in the tar is left out.
func sameTree(t testing.TB, want, got *image.Image) {
	t.Helper()
	a, b := treeFiles(want), treeFiles(got)
	if len(b) > 0 && b[0].Path == "." && (len(a) == 0 || a[0].Path != ".") {
		b = b[1:]
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("files (-tar +%s):\n%s", got.Transport, diff)
	}
	// Bytes are those of the layer, and a tar has some that a squashfs has not.
	if diff := cmp.Diff(want.Items, got.Items, cmpopts.IgnoreFields(store.Item{}, "Bytes")); diff != "" {
		t.Errorf("store items (-tar +%s):\n%s", got.Transport, diff)
	}
	if diff := cmp.Diff(want.Dangling, got.Dangling); diff != "" {
		t.Errorf("dangling references (-tar +%s):\n%s", got.Transport, diff)
	}
	if diff := cmp.Diff(want.Loose, got.Loose); diff != "" {
		t.Errorf("loose references (-tar +%s):\n%s", got.Transport, diff)
	}
	if len(got.Problems) > 0 {
		t.Errorf("problems: %v", got.Problems)
	}
}
