package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/inspect/userfile"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// refName is the annotation with the name of an image in a layout (OCI image-spec v1.1,
// annotations.md).
const refName = "org.opencontainers.image.ref.name"

// IsLayout says whether a folder is an image layout.
func IsLayout(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "oci-layout"))
	return err == nil && info.Mode().IsRegular()
}

// Names lists the images of a layout in a folder, by their names, those without one by
// their digests.
func Names(dir string) (names []string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var index v1.IndexManifest
	if _, err := document(root, "index.json", &index); err != nil {
		return nil, err
	}
	for _, d := range index.Manifests {
		name := d.Annotations[refName]
		if name == "" {
			name = d.Digest.String()
		}
		names = append(names, name)
	}
	return names, nil
}

// Layouts find images in layouts in folders. The index of a layout is read once, as long
// as the file stays the same. The zero value is ready, for several goroutines.
type Layouts struct {
	mu    sync.Mutex
	known map[string]*names
}

// names are those of an index.
type names struct {
	file  fs.FileInfo
	sum   digest.Sum                 // of the index
	found map[string][]v1.Descriptor // by name and by digest; by "" all
}

// Pin finds what a name or digest, "" for the only one, leads to in a layout now: the
// digest that is computed over the manifest or the index, and the lowest layer that it
// claims, which is zero where it is not known. Where several images have the name, the
// digest is one over the list of all, which no other folder has.
func (l *Layouts) Pin(dir, want string) (sum, base v1.Hash, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return sum, base, err
	}
	defer root.Close()
	index, err := l.names(root, dir)
	if err != nil {
		return sum, base, err
	}
	found := index.found[want]
	if len(found) != 1 { // which of them is meant the form says
		return digest.Of([]byte(index.sum.String() + dir + "\n" + want)).Hash(), base, nil
	}
	var manifest v1.Manifest
	raw, err := document(root, digest.BlobPath(found[0].Digest), &manifest)
	if err != nil {
		return sum, base, err
	}
	if len(manifest.Layers) > 0 {
		base = manifest.Layers[0].Digest
	}
	return digest.Of(raw).Hash(), base, nil
}

// names reads the index of a layout.
func (l *Layouts) names(root *os.Root, dir string) (*names, error) {
	file, err := root.Stat("index.json")
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.known[dir]; known != nil && isSameFile(known.file, file) {
		return known, nil
	}
	var index v1.IndexManifest
	text, err := document(root, "index.json", &index)
	if err != nil {
		return nil, err
	}
	n := &names{file, digest.Of(text), map[string][]v1.Descriptor{"": index.Manifests}}
	for _, d := range index.Manifests {
		for _, name := range slices.Compact([]string{d.Annotations[refName], d.Digest.String()}) {
			if name != "" {
				n.found[name] = append(n.found[name], d)
			}
		}
	}
	if l.known == nil {
		l.known = make(map[string]*names)
	}
	l.known[dir] = n
	return n, nil
}

// isSameFile says that nobody has written to a file in between.
func isSameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// document reads a document of a layout.
func document(root *os.Root, name string, v any) ([]byte, error) {
	info, err := root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &userfile.IrregularError{Path: name}
	}
	if err != nil {
		return nil, err
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	most := limit.DefaultLimits().JSONBytes
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(raw)) > most {
		err = &limit.Error{Name: limit.JSONBytes, Limit: most, Where: name}
	}
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		err = &limit.FormatError{Where: name, Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return raw, nil
}
