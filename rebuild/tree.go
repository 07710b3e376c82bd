package rebuild

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// maxDifferences bounds the list of paths that differ between two builds.
const maxDifferences = 100

// TreeDifferences returns the paths, relative to the two folders or files that
// are compared ("." for these themselves), that are not the same in both. It
// looks at all that a NAR has of a file: kind, content, whether it can be
// executed, where a link leads. The list is sorted and has at most 100.
func TreeDifferences(one, other string) ([]string, error) {
	was, err := tree(one)
	if err != nil {
		return nil, fmt.Errorf("comparing two builds: %w", err)
	}
	now, err := tree(other)
	if err != nil {
		return nil, fmt.Errorf("comparing two builds: %w", err)
	}
	var paths []string
	for path, what := range was {
		if now[path] != what {
			paths = append(paths, path)
		}
		delete(now, path)
	}
	paths = slices.Sorted(slices.Values(slices.AppendSeq(paths, maps.Keys(now))))
	return paths[:min(len(paths), maxDifferences)], nil
}

// tree describes every file below root by what a NAR has of it.
func tree(root string) (map[string]string, error) {
	what := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		what[rel], err = describe(path, d)
		return err
	})
	return what, err
}

func describe(path string, d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	switch {
	case d.IsDir():
		return "folder", nil
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return "link to " + target, err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("file, executable %t, %x", info.Mode()&0o100 != 0, h.Sum(nil)), nil
}
