package main

import (
	"audit/inspect/userfile"
	"audit/report"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A file is a result: what it holds, or what writes that.
type file struct {
	name  string
	data  []byte
	write func(io.Writer) error // nil where data is all
}

// writeTo returns the document that write writes, whole in memory.
func writeTo(name string, write func(w *bytes.Buffer) error) (file, error) {
	var buf bytes.Buffer
	if err := write(&buf); err != nil {
		return file{}, fmt.Errorf("writing %s: %w", name, err)
	}
	return file{name: name, data: buf.Bytes()}, nil
}

// writeAll writes what the file holds.
func (f file) writeAll(w io.Writer) error {
	if f.write != nil {
		return f.write(w)
	}
	_, err := w.Write(f.data)
	return err
}

// save writes the result into a folder.
func (f file) save(dir string) error {
	return saveWith(filepath.Join(dir, f.name), f.writeAll)
}

// save writes the results of one run into a folder: all of them or none, and
// nothing of an earlier run stays. They are written beside it first; a folder
// with anything else than results of audit is not touched.
func save(dir string, files []file) error {
	if err := replaceable(dir); err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return fmt.Errorf("making the folder for the report: %w", err)
	}
	fresh, err := os.MkdirTemp(parent, ".audit-")
	if errors.Is(err, fs.ErrPermission) { // such as a mount at the root
		fresh, err = os.MkdirTemp(dir, ".audit-")
	}
	if err != nil {
		return fmt.Errorf("making the folder for the report: %w", err)
	}
	defer os.RemoveAll(fresh) // gone already when all went well
	if err := os.Chmod(fresh, 0o755); err != nil {
		return fmt.Errorf("making the folder for the report: %w", err)
	}
	for _, f := range files {
		if err := f.save(fresh); err != nil {
			return err
		}
	}
	if err := place(fresh, dir); err != nil {
		return fmt.Errorf("putting the results into place: %w", err)
	}
	return nil
}

// withoutEarlier takes the results of an earlier run out of the folder that -o names, after a
// run that ended with an error and has none, and adds that to the error. A mistake of the
// command line, and a folder with anything else than such results, change nothing.
func withoutEarlier(dir string, err error) error {
	exit := &exitError{status: exitUnwritten}
	errors.As(err, &exit)
	if dir == "" || exit.status == exitUsage || !exists(filepath.Join(dir, "report.json")) || replaceable(dir) != nil {
		return err
	}
	what := "removed: this run has none"
	if failed := save(dir, nil); failed != nil {
		what = "still there, and not of this run: " + failed.Error()
	}
	hint := strings.TrimSpace(fmt.Sprintf("%s\nThe results of an earlier run in %s are %s.", exit.hint, dir, what))
	return &exitError{status: exit.status, err: err, hint: hint}
}

// replaceable says that a folder is not there, is empty, or has what an
// earlier run has written and nothing else. While it looks another run may put a
// folder of its own into the place: then it looks again.
func replaceable(dir string) error {
	var err error
	for range tries {
		before, _ := os.Stat(dir)
		if err = holdsOnlyResults(dir); err == nil || before == nil {
			return err
		}
		if after, _ := os.Stat(dir); after != nil && os.SameFile(before, after) {
			return err
		}
	}
	return err
}

// tries bounds how often something is tried that another run is in the way of.
const tries = 100

func holdsOnlyResults(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return fmt.Errorf("reading the folder for the report: %w", err)
	}
	ours := written(dir)
	for _, e := range entries {
		if !slices.Contains(ours, e.Name()) || e.IsDir() {
			return usage("%s contains %s, which is no result of audit: name another folder with -o", dir, e.Name())
		}
	}
	return nil
}

// written names the files that audit writes into a folder: those that every
// run can write, and the recipe's, which the report in the folder names.
func written(dir string) []string {
	names := []string{"report.json", "report.html", "sbom.spdx.json", "sbom.cdx.json", "plan.json", "rebuild.sh", "rebuild.log", statementFile, bundleFile, "audit.vsa" + statementEnd, "audit.vsa" + bundleEnd}
	text, err := userfile.Read(filepath.Join(dir, "report.json"), report.MaxBytes)
	if err != nil {
		return nil
	}
	var earlier struct {
		Tool   struct{ Name string }
		Recipe struct{ Files []struct{ Name string } }
	}
	if err := json.Unmarshal(text, &earlier); err != nil || earlier.Tool.Name != "audit" {
		return nil
	}
	for _, f := range earlier.Recipe.Files {
		names = append(names, f.Name)
	}
	return names
}

// place makes a folder take the place of another. Where that one cannot be moved,
// since it is a mount or the current folder, its files are replaced one by one.
func place(fresh, dir string) error {
	for i := range tries {
		err := os.Rename(fresh, dir)
		if err == nil {
			return nil
		}
		if isHere(dir) {
			return refill(fresh, dir)
		}
		old := fmt.Sprintf("%s.%d", fresh, i)
		if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return refill(fresh, dir)
		}
		defer os.RemoveAll(old)
	}
	return os.Rename(fresh, dir)
}

// isHere says that a folder is the current one.
func isHere(dir string) bool {
	a, err := os.Stat(dir)
	if err != nil {
		return false
	}
	b, err := os.Stat(".")
	return err == nil && os.SameFile(a, b)
}

// refill empties a folder and moves the files of another into it.
func refill(fresh, dir string) error {
	for _, empty := range []bool{true, false} {
		from := fresh
		if empty {
			from = dir
		}
		entries, err := os.ReadDir(from)
		if err != nil {
			return err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			switch {
			case e.Name() == filepath.Base(fresh): // which lies in the folder itself
			case empty:
				err = os.Remove(path)
			default:
				err = move(filepath.Join(fresh, e.Name()), path)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// move moves a file, to another file system too.
func move(from, to string) error {
	if os.Rename(from, to) == nil {
		return nil
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return saveFile(to, data)
}

func saveFile(path string, data []byte) error {
	return saveWith(path, file{data: data}.writeAll)
}

// saveAs writes what the user named as a file: where a link leads, and into what is no
// file, such as a pipe or /dev/null, which is not replaced.
func saveAs(path string, write func(io.Writer) error) error {
	there, err := os.Stat(path)
	if err != nil || there.IsDir() {
		return saveWith(path, write)
	}
	if there.Mode().IsRegular() {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
		return saveWith(real, write)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		err = write(f)
		if e := f.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// saveWith writes a file of a folder of results, whole or not at all. What lies there is
// replaced, and no link is followed.
func saveWith(path string, write func(io.Writer) error) error {
	name := filepath.Base(path)
	if there, err := os.Lstat(path); err == nil && !there.Mode().IsRegular() && there.Mode().Type() != fs.ModeSymlink {
		return fmt.Errorf("writing %s: it is there and is no file", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+name+"-")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	err = write(f)
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

// modeOf is the mode of a result: a builder's log can contain anything, and is for
// its owner alone.
func modeOf(name string) fs.FileMode {
	switch {
	case strings.HasSuffix(name, ".sh"):
		return 0o755
	case strings.HasSuffix(name, ".log"):
		return 0o600
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
