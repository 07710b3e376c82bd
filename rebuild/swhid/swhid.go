// Package swhid computes SoftWare Hash IDentifiers (ISO/IEC 18670:2025, version 1.2 of
// the SWHID specification): names of contents, folders and commits that follow from the
// thing itself, as Software Heritage uses them. Those of contents and folders are the
// hashes of git's blobs and trees; unlike git, a folder may have empty folders.
package swhid

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"audit/inspect"
)

// Bounds of what is read for one identifier.
const (
	maxEntries = 1 << 20
	maxDepth   = 256
)

var wholeCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Revision is the identifier of a git commit, which is made of the commit's own hash;
// "" for what is no whole SHA-1 in hexadecimal.
func Revision(commit string) string {
	if !wholeCommit.MatchString(commit) {
		return ""
	}
	return "swh:1:rev:" + commit
}

// Of computes the identifier of a regular file or a folder on disk. The error is an
// [*inspect.LimitError] for one of more bytes than that, or with too many entries.
func Of(file string, bytes int64) (string, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return "", fmt.Errorf("identifying a source: %w", err)
	}
	r := &reader{bytes: bytes, entries: maxEntries}
	kind := "cnt"
	if info.IsDir() {
		kind = "dir"
	} else if !info.Mode().IsRegular() {
		return "", fmt.Errorf("identifying a source: %s is no file and no folder", file)
	}
	sum, err := r.object(file, info, 0)
	if err != nil {
		return "", fmt.Errorf("identifying a source: %w", err)
	}
	return "swh:1:" + kind + ":" + hex.EncodeToString(sum), nil
}

// A reader counts down what it may still read.
type reader struct {
	bytes   int64
	entries int
}

// object returns the hash of a file, link or folder as git has it.
func (r *reader) object(file string, info fs.FileInfo, depth int) ([]byte, error) {
	if r.entries--; r.entries < 0 {
		return nil, &inspect.LimitError{Name: "entries of a source", Limit: maxEntries, Where: file}
	}
	switch {
	case info.IsDir():
		return r.folder(file, depth)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(file)
		if err != nil {
			return nil, err
		}
		h := begin("blob", int64(len(target)))
		io.WriteString(h, target)
		return h.Sum(nil), nil
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file, link or folder", file)
	}
	return r.content(file, info.Size())
}

func (r *reader) content(file string, size int64) ([]byte, error) {
	if r.bytes -= size; r.bytes < 0 {
		return nil, &inspect.LimitError{Name: "bytes of a source", Limit: r.bytes + size, Where: file}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := begin("blob", size)
	n, err := io.Copy(h, io.LimitReader(f, size+1))
	if err == nil && n != size {
		err = fmt.Errorf("%s changed while it was read", file)
	}
	return h.Sum(nil), err
}

// folder hashes the names, modes and hashes of what is in a folder. Names are sorted
// as bytes, those of folders as if they ended in a slash.
func (r *reader) folder(dir string, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, &inspect.LimitError{Name: "depth of a source", Limit: maxDepth, Where: dir}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(key(a), key(b)) })
	var tree strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		sum, err := r.object(filepath.Join(dir, e.Name()), info, depth+1)
		if err != nil {
			return nil, err
		}
		tree.WriteString(mode(info) + " " + e.Name() + "\x00" + string(sum))
	}
	h := begin("tree", int64(tree.Len()))
	io.WriteString(h, tree.String())
	return h.Sum(nil), nil
}

func mode(info fs.FileInfo) string {
	switch {
	case info.IsDir():
		return "40000"
	case info.Mode()&fs.ModeSymlink != 0:
		return "120000"
	case info.Mode()&0o111 != 0:
		return "100755"
	}
	return "100644"
}

// begin starts the hash of a git object.
func begin(kind string, size int64) hash.Hash {
	h := sha1.New()
	fmt.Fprintf(h, "%s %d\x00", kind, size)
	return h
}
