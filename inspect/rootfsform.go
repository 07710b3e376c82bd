package inspect

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
)

// looksLikeRootFS says whether a tar's first entries are those of a file
// system, not the members of an image archive. Only names decide: those of
// archives are known and few.
func looksLikeRootFS(head []byte) bool {
	tr := tar.NewReader(bytes.NewReader(head))
	for {
		hdr, err := tr.Next()
		if err != nil {
			return false
		}
		path := cleanPath(hdr.Name)
		if path == "." {
			continue
		}
		return !isArchiveMember(path, hdr.Typeflag)
	}
}

// isArchiveMember tells the names that members of image archives have: the
// documents, folders named by a digest, and in the odd case files named by it.
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

// readRootFS reads a flattened file system, such as docker export and
// guix pack -f tarball write it: one layer, and no config.
func (p *pass) readRootFS(r *bufio.Reader, file *source, f form) (*Image, error) {
	var at io.ReaderAt
	if file != nil {
		at = file.at()
	}
	layer, err := p.readLayer("rootfs", r, at)
	if fatal := p.fatal(err); fatal != nil {
		return nil, fatal
	}
	if layer != nil && layer.Broken != nil {
		err = layer.Broken
	}
	if err != nil {
		return nil, &FormatError{"the file system", err}
	}
	if doc := archiveDocument(layer); doc != "" && f.transport == "" {
		return nil, &FormatError{"the file", fmt.Errorf("it begins as a file system and yet holds %s, by which engines load an image: say rootfs:PATH, docker-archive:PATH or oci-archive:PATH", doc)}
	}
	return &Image{Transport: RootFS, Manifest: Manifest{Origin: Synthesised}, Layers: []*Layer{layer}}, nil
}

// archiveDocument returns the entry by which an engine would take a file
// system for an image archive, "" when there is none.
func archiveDocument(layer *Layer) string {
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
