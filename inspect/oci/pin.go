package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

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

// Pin finds what a name or digest, "" for the only one, leads to in a layout now: the
// digest that is computed over the manifest or the index, and the lowest layer that it
// claims, which is zero where it is not known. Where several images have the name, the
// digest is one over the list of all.
func Pin(dir, want string) (sum, base v1.Hash, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return sum, base, err
	}
	defer root.Close()
	var index v1.IndexManifest
	text, err := document(root, "index.json", &index)
	if err != nil {
		return sum, base, err
	}
	var found []v1.Descriptor
	for _, d := range index.Manifests {
		if want == "" || d.Annotations[refName] == want || d.Digest.String() == want {
			found = append(found, d)
		}
	}
	if len(found) != 1 { // which of them is meant the form says
		return digest.Of(append(text, want...)).Hash(), base, nil
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
