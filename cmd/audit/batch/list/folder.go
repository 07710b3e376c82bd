package list

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"audit/inspect"
	"audit/inspect/oci"
)

// maxEntries bounds what is looked at of a folder.
const maxEntries = 2_000_000

// folder lists the images of a folder: its files, the names of OCI layouts. Hidden
// ones are not looked at, and links are not followed but to files.
func (s Source) folder(dir string) (all []Entry, err error) {
	seen := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch seen++; {
		case err != nil:
			return err
		case seen > maxEntries:
			return &inspect.LimitError{Name: "entries of a folder of images", Limit: maxEntries, Where: dir}
		case path != dir && d.Name()[0] == '.':
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			found, err := layout(path)
			if err != nil || found == nil {
				return err
			}
			all = append(all, found...)
			return filepath.SkipDir
		}
		is, err := isImage(path)
		if err != nil {
			return err
		}
		if is || hasImageName(path) { // what was cut to nothing is named, not left out
			all = append(all, entry(path))
		} else if s.Skipped != nil {
			s.Skipped(path)
		}
		return nil
	})
	return all, err
}

// layout lists the names of an OCI layout; nil when a folder is none.
func layout(dir string) (all []Entry, err error) {
	if !oci.IsLayout(dir) {
		return nil, nil
	}
	names, err := oci.Names(dir)
	if err == nil && len(names) == 0 {
		err = errors.New("it has no image")
	}
	if err != nil {
		return nil, &SyntaxError{dir, err}
	}
	for _, name := range names {
		all = append(all, entry("oci:"+dir+":"+name))
	}
	return all, nil
}

// isImage says whether the first bytes of a file are those of a form of images.
func isImage(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false, nil // a link to nothing, or to a folder
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, err
	}
	head = head[:n]
	for _, m := range []struct {
		at    int
		magic string
	}{
		{0, "\x1f\x8b"}, {0, "\x28\xb5\x2f\xfd"}, {0, "\xfd7zXZ\x00"}, {0, "BZh"}, {0, "LZIP"}, // compressed
		{257, "ustar"}, {0, "hsqs"}, {32, "SIF_MAGIC"},
	} {
		if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.magic)) {
			return true, nil
		}
	}
	return false, nil
}
