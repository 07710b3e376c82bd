package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"audit/inspect"
	items "audit/inspect/store"
	"audit/rebuild"
	"audit/rebuild/drv"
	"audit/rebuild/store"
)

// Read reads the derivations of an image, and verifies that each is what its name
// says. The inputs of those that fetch are left out: they do not decide what comes
// out.
func Read(at rebuild.Derivations) (*store.Graph, error) {
	all := make(drv.Closure)
	g, err := store.ReadGraph(at.Root, func(p string) (*drv.Derivation, error) {
		file, err := Find(at, p)
		if err != nil {
			return nil, err
		}
		d, err := read(p, file)
		if err != nil {
			return nil, err
		}
		all[p] = d
		if !d.Fixed() {
			return d, nil
		}
		fixed := *d
		fixed.Inputs = nil
		return &fixed, nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the derivations: %w", err)
	}
	if err := all.Verify(); err != nil {
		return nil, fmt.Errorf("reading the derivations: %w", err)
	}
	return g, nil
}

// read reads a derivation. The error names it by its store path, wherever its file lies.
func read(p, file string) (*drv.Derivation, error) {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return nil, &inspect.FormatError{Where: p, Err: errors.New("it is no regular file")}
	}
	d, err := drv.Read(file)
	if format, ok := errors.AsType[*inspect.FormatError](err); ok {
		format.Where = p
	}
	if limit, ok := errors.AsType[*inspect.LimitError](err); ok {
		limit.Where = p
	}
	return d, err
}

// Find returns where a store path lies. The error wraps [fs.ErrNotExist] where it is not here.
func Find(at rebuild.Derivations, p string) (string, error) {
	if !items.IsStoreName(path.Base(p)) || path.Dir(p) != path.Dir(at.Root) {
		return "", fmt.Errorf("%q is no path of the store", p)
	}
	places := []string{filepath.Join(at.Below, p)}
	if at.Below == "" {
		places[0] = p
	}
	if at.Beside != "" {
		places = append([]string{filepath.Join(at.Beside, path.Base(p))}, places...)
	}
	for _, file := range places {
		if _, err := os.Lstat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return "", fmt.Errorf("%s is not here: %w", p, fs.ErrNotExist)
}
