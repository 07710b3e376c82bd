package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A file is a result, whole in memory before any of it is written.
type file struct {
	name string
	data []byte
}

// writeTo returns the file that write writes.
func writeTo(name string, write func(w *bytes.Buffer) error) (file, error) {
	var buf bytes.Buffer
	if err := write(&buf); err != nil {
		return file{}, fmt.Errorf("writing %s: %w", name, err)
	}
	return file{name, buf.Bytes()}, nil
}

// results are all names that audit writes into its folder. What an earlier run
// left there under one of them and this run does not write is removed, lest a
// recipe lies beside the report of another image.
func results() []string {
	return []string{"report.json", "report.html", "sbom.spdx.json", "sbom.cdx.json", "channels.scm", "manifest.scm", "plan.json", "rebuild.sh", "rebuild.log"}
}

// save writes the files into dir, each under a temporary name first: an
// interrupted run leaves whole files only.
func save(dir string, files []file) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("making the folder for the report: %w", err)
	}
	written := make(map[string]bool)
	for _, f := range files {
		if err := saveFile(filepath.Join(dir, f.name), f.data); err != nil {
			return err
		}
		written[f.name] = true
	}
	for _, name := range results() {
		if written[name] {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the result of an earlier run: %w", err)
		}
	}
	return nil
}

func saveFile(path string, data []byte) error { return saveStream(path, bytes.NewReader(data)) }

// saveStream writes a file whole or not at all.
func saveStream(path string, data io.Reader) error {
	dir, name := filepath.Split(path)
	f, err := os.CreateTemp(dir, "."+name+"-")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = io.Copy(f, data)
	if err == nil {
		err = f.Chmod(modeOf(name))
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func modeOf(name string) fs.FileMode {
	if strings.HasSuffix(name, ".sh") {
		return 0o755
	}
	return 0o644
}

// folderFor names the folder of a report after the image.
func folderFor(reference string) string {
	name := filepath.Base(reference)
	if i := strings.LastIndexByte(name, ':'); i >= 0 && strings.Contains(reference, "-archive:") {
		name = name[:i]
	}
	for _, end := range []string{".gz", ".tgz", ".zst", ".xz", ".bz2", ".lz", ".tar"} {
		name = strings.TrimSuffix(name, end)
	}
	name = strings.Map(fileChar, name)
	if strings.Trim(name, ".-_") == "" {
		name = "image"
	}
	return name + ".audit"
}

// fileChar keeps the characters that no shell and no file system minds.
func fileChar(r rune) rune {
	if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) || r == 0x7f {
		return '-'
	}
	return r
}
