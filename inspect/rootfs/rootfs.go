package rootfs

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"

	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/layers"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/paths"
)

// looks says whether a tar's first entries are those of a file
// system, not the members of an image archive. Only names decide: those of
// archives are known and few.
func looks(head []byte) bool {
	tr := tar.NewReader(bytes.NewReader(head))
	for {
		hdr, err := tr.Next()
		if err != nil {
			return false
		}
		path := paths.Clean(hdr.Name)
		if path == "." {
			continue
		}
		return !isArchiveMember(path, hdr.Typeflag)
	}
}

// isArchiveMember says which names members of image archives have: the
// documents, folders named by a digest, and sometimes files named by it.
func isArchiveMember(path string, kind byte) bool {
	top, rest, _ := strings.Cut(path, "/")
	switch top {
	case "manifest.json", "index.json", "oci-layout", "repositories", "config.json", "blobs":
		return true
	}
	if rest == "" && kind == tar.TypeReg && (strings.HasSuffix(top, ".json") || strings.HasSuffix(top, ".tar") || strings.HasSuffix(top, ".tar.gz")) {
		return true
	}
	hex := strings.TrimPrefix(strings.TrimSuffix(top, ".tar"), "sha256:")
	return len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == "" || strings.HasSuffix(path, "/layer.tar")
}

// Form is that of a root file system in a tar.
func Form() form.Form {
	return form.Form{
		Transport: image.RootFS, Argument: "PATH", Help: "a flattened file system in a tar",
		Match: func(in *form.Input) (bool, error) {
			head, err := in.Head()
			return err == nil && layers.LooksLikeTar(head) && looks(head), err
		},
		Open: open,
	}
}

// open reads a flattened file system, such as docker export writes it: one
// layer, and no config.
func open(in *form.Input) (*image.Image, error) {
	r, file, err := in.Tar()
	if err != nil {
		return nil, err
	}
	var at io.ReaderAt
	var given *pass.Given
	if file != nil {
		at, given = file.At(), file.Given.Carry(0, file.Size)
	}
	layer, err := layers.ReadCarrying(given, in.Pass, "rootfs", r, at)
	if fatal := in.Pass.Fatal(err); fatal != nil {
		return nil, fatal
	}
	if layer != nil && layer.Broken != nil {
		err = layer.Broken
	}
	if err != nil {
		return nil, &limit.FormatError{Where: "the file system", Err: err}
	}
	if doc := archiveDocument(layer); doc != "" && in.Transport == "" {
		return nil, &limit.FormatError{Where: "the file", Err: fmt.Errorf("it begins as a file system and yet has %s, by which engines load an image: say rootfs:PATH, docker-archive:PATH or oci-archive:PATH", doc)}
	}
	return &image.Image{Transport: image.RootFS, Manifest: image.Manifest{Origin: image.Synthesised}, Layers: []*image.Layer{layer}}, nil
}

// archiveDocument returns the entry by which an engine would take a file
// system for an image archive, "" when there is none.
func archiveDocument(layer *image.Layer) string {
	for _, e := range layer.Entries {
		switch e.Path {
		case "manifest.json", "index.json", "repositories":
			if e.Type != tar.TypeDir {
				return e.Path
			}
		}
	}
	return ""
}
