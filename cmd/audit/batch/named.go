package batch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"audit/inspect"
	"audit/inspect/userfile"
)

// The limits of what is read of a folder that a flag names: so many files, and of the
// first of them, in the order of their names, so many bytes. Of the others size and time
// stand for what they hold.
const (
	maxNamed   = 1_000_000
	namedBytes = 256 << 20
)

// HashNamed is a digest over what a file or a folder holds that an option names; "" where
// there is no such thing, or it is a pipe or a device. A folder is one of the same files
// by the same names; links in it count by where they lead. The error is an
// [*inspect.LimitError] or that of a read.
func HashNamed(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
		return "", nil
	}
	n := named{ctx: ctx, left: namedBytes}
	if !info.IsDir() {
		n.left = info.Size()
		return n.file(path, info)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return n.folder(path)
}

// named reads what an option names.
type named struct {
	ctx  context.Context
	left int64 // bytes
}

func (n *named) folder(dir string) (string, error) {
	sum, files := sha256.New(), 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if n.ctx.Err() != nil {
			return context.Cause(n.ctx)
		}
		if errors.Is(err, fs.ErrPermission) { // nobody else here can read it either
			fmt.Fprintf(sum, "%q cannot be read\n", filepath.Base(path))
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		if files++; files > maxNamed {
			return &inspect.LimitError{Name: "files of a folder that an option names", Limit: maxNamed, Where: dir}
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		holds, err := n.entry(path, d)
		fmt.Fprintf(sum, "%q %q %q\n", rel, d.Type(), holds)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", dir, err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// entry is what stands for an entry of a folder.
func (n *named) entry(path string, d fs.DirEntry) (string, error) {
	link := ""
	if d.Type()&fs.ModeSymlink != 0 {
		link, _ = os.Readlink(path)
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return link, nil // it leads nowhere, or to what is not read
	}
	holds, err := n.file(path, info)
	return link + "\n" + holds, err
}

// file is the digest of a file, or its size and time when it is one of the others.
func (n *named) file(path string, info fs.FileInfo) (string, error) {
	if info.Size() > n.left {
		return fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano()), nil
	}
	n.left -= info.Size()
	f, err := userfile.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return "cannot be read", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(reader{n.ctx, f}, info.Size())); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return fmt.Sprintf("%x %d", sum.Sum(nil), info.Size()), nil
}
