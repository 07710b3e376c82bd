//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What the user names as a file may be a pipe, a device or a link: it stays what it is.
func TestSaveAsReplacesOnlyFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, kept, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "kept"), filepath.Join(dir, "link")
	write := file{data: []byte("new")}.writeAll
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan []byte)
	go func() {
		got, err := os.ReadFile(pipe)
		if err != nil {
			t.Error(err)
		}
		read <- got
	}()
	if err := saveAs(pipe, write); err != nil {
		t.Fatal(err)
	}
	if got := <-read; string(got) != "new" {
		t.Errorf("the pipe gave %q", got)
	}
	if err := saveWith(pipe, write); err == nil {
		t.Error("a pipe in a folder of results was replaced")
	}
	if err := errors.Join(os.WriteFile(kept, []byte("old"), 0o600), os.Symlink("kept", link), saveAs(link, write)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(kept); err != nil || string(got) != "new" {
		t.Errorf("where the link leads: %q, %v", got, err)
	}
	for path, want := range map[string]fs.FileMode{pipe: fs.ModeNamedPipe, link: fs.ModeSymlink} {
		if info, err := os.Lstat(path); err != nil || info.Mode().Type() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if err := saveAs(dir, write); err == nil {
		t.Error("a folder was written as a file")
	}
}
