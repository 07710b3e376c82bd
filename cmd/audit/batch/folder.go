package batch

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"audit/inspect/userfile"
	"audit/report/fleet"
)

// A Folder is that of a batch. It is used by other workers at the same time.
type Folder struct {
	// Check, when set, says what is wrong with the report at a path as the result of a
	// key that was made of a reference; nil where nothing is. It has to say what a
	// summary says of it: what that does not rely on would else be done by nobody.
	Check func(path, key, reference string) error

	dir   string
	ahead time.Duration // of the clock of the file system before that of this machine
}

// A File is one of a result.
type File struct {
	Name  string
	Mode  fs.FileMode
	Write func(io.Writer) error
}

// partPrefix begins the names of what is being written.
const partPrefix = ".part-"

// stale is the age from which on what is being written belongs to a worker that has
// been killed: writing takes seconds.
const stale = 6 * time.Hour

// OpenFolder makes the folder of a batch, or takes the one that is there, and removes
// what workers that were killed have left in it.
func OpenFolder(dir string) (*Folder, error) {
	if err := suits(dir); err != nil {
		return nil, err
	}
	f := &Folder{dir: dir}
	for _, name := range []string{fleet.ResultsFolder, fleet.StatusFolder, "."} {
		sub := filepath.Join(dir, name)
		if err := os.MkdirAll(sub, 0o777); err != nil {
			return nil, fmt.Errorf("making the folder of the batch: %w", err)
		}
		now, err := sweep(sub)
		if err != nil {
			return nil, fmt.Errorf("looking for what was left behind: %w", err)
		}
		f.ahead = time.Until(now)
	}
	return f, nil
}

// A ForeignError says that a folder has something else than a batch in it.
type ForeignError struct{ Dir, Name string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s contains %s, and is no folder of a batch: name another with -o", e.Dir, e.Name)
}

// suits says that a folder is not there, is empty, or is that of a batch.
func suits(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the folder of the batch: %w", err)
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case name == fleet.ResultsFolder, name == fleet.StatusFolder, name == fleet.ListFile, strings.HasPrefix(name, partPrefix):
			return nil
		}
	}
	if len(entries) > 0 {
		return &ForeignError{dir, entries[0].Name()}
	}
	return nil
}

// sweep removes what is older than anybody's writing takes, and returns the time. It is
// by the clock of the file system, which may be another machine's.
func sweep(dir string) (now time.Time, err error) {
	probe, err := os.CreateTemp(dir, partPrefix)
	if err != nil {
		return now, err
	}
	defer os.Remove(probe.Name())
	defer probe.Close()
	info, err := probe.Stat()
	if err != nil {
		return now, err
	}
	now = info.ModTime()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return now, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !strings.HasPrefix(e.Name(), partPrefix) || now.Sub(info.ModTime()) < stale {
			continue // gone already, or somebody's
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return now, err
		}
	}
	return now, nil
}

// Has says whether the result of a key is there: a folder whose report is whole, and that
// of the key. Any other is done again, and [Folder.Put] takes its place.
func (f *Folder) Has(key, reference string) bool {
	dir, err := os.Lstat(f.Path(key, ""))
	if err != nil || !dir.IsDir() {
		return false
	}
	path := f.Path(key, "report.json")
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || !isWhole(path, info.Size()) {
		return false
	}
	return f.Check == nil || f.Check(path, key, reference) == nil
}

// isWhole says that a file begins and ends as JSON with an indent does: no value within
// it ends at the margin.
func isWhole(path string, size int64) bool {
	file, err := userfile.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	first, last := make([]byte, 2), make([]byte, 3)
	if _, err := file.ReadAt(first, 0); err != nil {
		return false
	}
	if _, err := file.ReadAt(last, max(size-3, 0)); err != nil {
		return false
	}
	return string(first) == "{\n" && string(last) == "\n}\n"
}

// Path is where a file of the result of a key lies.
func (f *Folder) Path(key, name string) string {
	return filepath.Join(f.dir, fleet.ResultsFolder, key, name)
}

// Put puts a result into its place, whole and on the disk. A result that is there
// already stays, for it says the same; what is none makes room.
func (f *Folder) Put(key, reference string, files []File) error {
	results := filepath.Join(f.dir, fleet.ResultsFolder)
	part, err := os.MkdirTemp(results, partPrefix)
	if err != nil {
		return fmt.Errorf("making the folder of a result: %w", err)
	}
	defer os.RemoveAll(part) // gone already when all went well
	for _, file := range files {
		if err := write(filepath.Join(part, filepath.Base(file.Name)), file.Mode, file.Write); err != nil {
			return err
		}
	}
	err = os.Chmod(part, 0o755)
	if err == nil {
		err = syncFolder(part)
	}
	place := filepath.Join(results, key)
	if err == nil {
		err = os.Rename(part, place)
	}
	if err != nil && f.Has(key, reference) { // another worker was first
		return nil
	}
	if err != nil && moveAside(place) == nil {
		err = os.Rename(part, place)
	}
	if err != nil {
		return fmt.Errorf("putting a result into place: %w", err)
	}
	return syncFolder(results)
}

// moveAside takes what is in the way of a result or a status out of it, and removes it.
// The error is that it is still there.
func moveAside(place string) error {
	aside, err := os.MkdirTemp(filepath.Dir(place), partPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	return os.Rename(place, filepath.Join(aside, "old"))
}

// write writes a file and waits until it is on the disk.
func write(path string, mode fs.FileMode, content func(io.Writer) error) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err == nil {
		err = content(out)
		if err == nil {
			err = out.Sync()
		}
		if e := out.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// syncFolder waits until the names in a folder are on the disk. Some file systems
// cannot say so, which is no fault.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	d.Sync()
	return d.Close()
}

// statusPath is where the status of a reference lies.
func (f *Folder) statusPath(reference string) string {
	return filepath.Join(f.dir, fleet.StatusFolder, fmt.Sprintf("%x.json", sha256.Sum256([]byte(reference))))
}

// Status reads what became of a reference; the zero value where nothing is known, or
// what is there is of another reference or cannot be read: then it is written anew.
func (f *Folder) Status(reference string) fleet.Status {
	s, err := fleet.ReadStatus(f.statusPath(reference))
	if err != nil || s.Reference != reference {
		return fleet.Status{}
	}
	return s
}

// SetStatus writes a status, whole and on the disk.
func (f *Folder) SetStatus(s fleet.Status) error {
	s.SchemaVersion = fleet.SchemaVersion
	return replace(f.statusPath(s.Reference), s)
}

// SetList writes what the batch is of, unless another worker of the list has.
func (f *Folder) SetList(images []fleet.Image) error {
	if l, err := fleet.ReadList(f.dir); err == nil && reflect.DeepEqual(l.Images, images) {
		return nil
	}
	return replace(filepath.Join(f.dir, fleet.ListFile), fleet.List{SchemaVersion: fleet.SchemaVersion, Images: images})
}

// A PlaceError says that a file could be written, but not put into its place, which
// something takes that cannot be removed. The others of the folder may have room.
type PlaceError struct {
	Path string
	Err  error
}

func (e *PlaceError) Error() string { return fmt.Sprintf("writing %s: %v", e.Path, e.Err) }

func (e *PlaceError) Unwrap() error { return e.Err }

// replace writes a value as JSON into a file, which others read whole at any time.
func replace(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	part, err := os.MkdirTemp(dir, partPrefix)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.RemoveAll(part)
	fresh := filepath.Join(part, "new")
	err = write(fresh, 0o644, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	err = os.Rename(fresh, path)
	if err != nil && moveAside(path) == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return &PlaceError{path, err}
	}
	return syncFolder(dir)
}
