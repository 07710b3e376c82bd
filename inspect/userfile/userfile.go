// Package userfile opens the files that a user names on the command line. A named
// pipe or a device would keep the reader waiting, or never end, so only regular files
// are opened, and what is read of them is bounded.
package userfile

import (
	"fmt"
	"io"
	"os"
)

// An IrregularError says that what is named is a folder, a named pipe or a device.
type IrregularError struct{ Path string }

func (e *IrregularError) Error() string { return e.Path + " is no regular file" }

// Open opens a regular file. The error is an [*IrregularError] for anything else that
// is there, which is not opened.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &IrregularError{path}
	}
	return os.Open(path)
}

// Read reads a regular file of at most so many bytes. One with more is an error that
// names the file and the limit.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return text, nil
}
