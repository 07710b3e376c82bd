package memdb

import (
	"bytes"
	"io/fs"
	"time"
)

// oneFile is a file system with one file in memory, whatever its name ends
// with: journals and the like do not exist in it.
type oneFile []byte

func (f oneFile) Open(name string) (fs.File, error) {
	if name != "db.sqlite" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openFile{Reader: bytes.NewReader(f), size: int64(len(f))}, nil
}

type openFile struct {
	*bytes.Reader
	size int64
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *openFile) Close() error               { return nil }

// An openFile describes itself.
func (f *openFile) Name() string       { return "db.sqlite" }
func (f *openFile) Size() int64        { return f.size }
func (f *openFile) Mode() fs.FileMode  { return 0o444 }
func (f *openFile) ModTime() time.Time { return time.Time{} }
func (f *openFile) IsDir() bool        { return false }
func (f *openFile) Sys() any           { return nil }
