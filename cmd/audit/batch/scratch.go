package batch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"audit/inspect/registry"
)

// A Scratch is a temporary folder for what the images of a worker share.
type Scratch struct {
	Dir  string
	stop chan struct{}
}

// scratchPrefix begins the names of such folders. While its worker lives, one is
// touched each hour, so that nobody takes it for one that was left behind.
const (
	scratchPrefix = "audit-batch-"
	touched       = time.Hour
)

// NewScratch makes a temporary folder, and removes those that workers have left which
// were killed.
func NewScratch() (*Scratch, error) {
	dir, err := os.MkdirTemp("", scratchPrefix)
	if err != nil {
		return nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	s := &Scratch{dir, make(chan struct{})}
	sweepScratch(filepath.Dir(dir))
	go s.touch()
	return s, nil
}

// sweepScratch removes what it can: the folders of other users stay.
func sweepScratch(parent string) {
	all, _ := filepath.Glob(filepath.Join(parent, scratchPrefix+"*"))
	for _, dir := range all {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && time.Since(info.ModTime()) > stale {
			os.RemoveAll(dir)
		}
	}
}

func (s *Scratch) touch() {
	tick := time.NewTicker(touched)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-tick.C:
			os.Chtimes(s.Dir, now, now)
		}
	}
}

// Close removes the folder.
func (s *Scratch) Close() {
	close(s.stop)
	os.RemoveAll(s.Dir)
}

// SweepCache removes what workers that were killed have left in a cache of layers: parts of
// blobs, which whoever fetches one writes to all the time. The error says that nothing can
// be kept there.
func SweepCache(cache string) error {
	dir := filepath.Join(cache, "sha256")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), registry.PartPrefix) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > stale {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	probe, err := os.CreateTemp(dir, registry.PartPrefix)
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// Trim makes room in a cache of layers: until it has at most so many bytes, the blob
// that was not used for longest goes. Who reads one meanwhile goes on.
func Trim(cache string, most int64) {
	type blob struct {
		path string
		size int64
		used time.Time
	}
	var all []blob
	var total int64
	filepath.WalkDir(cache, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		if info, err := d.Info(); err == nil {
			all, total = append(all, blob{path, info.Size(), info.ModTime()}), total+info.Size()
		}
		return nil
	})
	slices.SortFunc(all, func(a, b blob) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, b := range all {
		if total <= most {
			return
		}
		if os.Remove(b.path) == nil {
			total -= b.size
		}
	}
}
