package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"audit/fixtures"
	"audit/inspect"
)

// A treeFile is all that a file of an image is, but for its name. The mode of a
// symlink is nothing: Linux has none.
type treeFile struct {
	kind     byte
	mode     int64
	uid, gid int
	target   string // of symlinks
	device   string
	size     int64
	digest   string
	xattrs   map[string]string
	seconds  int64 // of all but folders: engines write into those
}

func (f treeFile) line(path string) string {
	var xattrs strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.xattrs)) {
		fmt.Fprintf(&xattrs, " %s=%x", name, f.xattrs[name])
	}
	return fmt.Sprintf("%s %c %04o %d:%d %s%s %d %s @%d%s", path, f.kind, f.mode, f.uid, f.gid, f.target, f.device, f.size, f.digest, f.seconds, xattrs.String())
}

// imageTree lists the files of the image as a container sees them. What a hard
// link says is what its target says.
func imageTree(t *testing.T, reference string) []string {
	t.Helper()
	img, err := inspect.Open(t.Context(), reference, inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	entries := make(map[string]*inspect.Entry)
	for _, l := range img.Layers {
		for i := range l.Entries {
			if e := l.Entries[i]; e.Type != '1' {
				entries[e.Path] = e
			}
		}
	}
	var lines []string
	for _, f := range img.Files() {
		e := f.Entry
		for range 10 {
			if to := entries[strings.Trim(strings.TrimPrefix(e.Linkname, "./"), "/")]; e.Type == '1' && to != nil {
				e = to
			}
		}
		if f.Path != "." {
			lines = append(lines, entryFile(e).line(f.Path))
		}
	}
	slices.Sort(lines)
	return lines
}

func entryFile(e *inspect.Entry) treeFile {
	f := treeFile{kind: e.Type, mode: int64(e.Mode), uid: e.Attr().UID, gid: e.Attr().GID, size: e.Size, xattrs: e.Attr().Xattrs, seconds: e.ModTime}
	switch e.Type {
	case '0':
		f.digest = e.Digest.Hash().Hex
	case '2':
		f.target, f.mode = e.Linkname, 0
	case '3', '4':
		f.device = fmt.Sprintf("%d,%d", e.Attr().Devmajor, e.Attr().Devminor)
	case '5':
		f.seconds = 0
	}
	return f
}

// diskTree lists what is in a folder in the same way.
func diskTree(t *testing.T, root string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		f, err := diskFile(path)
		lines = append(lines, f.line(strings.TrimPrefix(path, root+"/")))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func diskFile(path string) (f treeFile, err error) {
	var s syscall.Stat_t
	if err := syscall.Lstat(path, &s); err != nil {
		return f, err
	}
	f = treeFile{mode: int64(s.Mode & 0o7777), uid: int(s.Uid), gid: int(s.Gid), seconds: s.Mtim.Sec}
	f.kind = map[uint32]byte{syscall.S_IFREG: '0', syscall.S_IFLNK: '2', syscall.S_IFCHR: '3', syscall.S_IFBLK: '4', syscall.S_IFDIR: '5', syscall.S_IFIFO: '6'}[s.Mode&syscall.S_IFMT]
	switch f.kind {
	case '0':
		f.size = s.Size
		f.digest, err = fileDigest(path)
	case '2':
		f.mode = 0
		f.target, err = os.Readlink(path)
	case '3', '4':
		f.device = fmt.Sprintf("%d,%d", s.Rdev>>8&0xfff, s.Rdev&0xff)
	case '5':
		f.seconds = 0
	}
	if err == nil && (f.kind == '0' || f.kind == '5') {
		f.xattrs, err = diskXattrs(path)
	}
	return f, err
}

func fileDigest(path string) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	h := sha256.New()
	_, err = io.Copy(h, in)
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

func diskXattrs(path string) (map[string]string, error) {
	names, value := make([]byte, 4096), make([]byte, 4096)
	n, err := syscall.Listxattr(path, names)
	if err != nil {
		return nil, err
	}
	found := make(map[string]string)
	for _, name := range strings.FieldsFunc(string(names[:n]), func(r rune) bool { return r == 0 }) {
		n, err := syscall.Getxattr(path, name, value)
		if err != nil {
			return nil, err
		}
		found[name] = string(value[:n])
	}
	return found, nil
}

// withoutEngine leaves out what an engine lays over a container's files when it
// exports them, and the extended attributes that it leaves behind: all but
// capabilities.
func withoutEngine(lines []string) []string {
	laid := []string{".dockerenv", "dev", "proc", "sys", "run", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"}
	var rest []string
	for _, line := range lines {
		path, _, _ := strings.Cut(line, " ")
		if slices.ContainsFunc(laid, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") }) || path == "etc" {
			continue
		}
		line, _, _ = strings.Cut(line, " user.")
		rest = append(rest, line)
	}
	return rest
}
