package rootfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"audit/inspect/check"
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
	return isHex(strings.TrimPrefix(strings.TrimSuffix(top, ".tar"), "sha256:")) || strings.HasSuffix(path, "/layer.tar")
}

// Form is that of a root file system in a tar.
func Form() form.Form {
	return form.Form{
		Transport: image.RootFS, Argument: "PATH",
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
	if err := enclosed(layer); err != nil && in.Transport == "" {
		return nil, &limit.FormatError{Where: "the file", Err: fmt.Errorf("%w (rootfs:PATH takes it for a file system all the same)", err)}
	}
	return &image.Image{Transport: image.RootFS, Manifest: image.Manifest{Origin: image.Synthesised}, Layers: []*image.Layer{layer}}, nil
}

// onlyArchive returns the only file of a tar where that is itself an archive, "" otherwise.
func onlyArchive(layer *image.Layer) (inner string) {
	for _, e := range layer.Entries {
		switch {
		case e.Type == tar.TypeDir:
		case inner != "" || e.Type != tar.TypeReg || !paths.IsArchive(e.Path):
			return ""
		default:
			inner = e.Path
		}
	}
	return inner
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

// enclosed says that what was taken for a file system has an image, or a file system, in its
// only file or folder: nothing of that would be looked into.
func enclosed(layer *image.Layer) error {
	if inner := onlyArchive(layer); inner != "" {
		return fmt.Errorf("it is no image, but has %q in it and no other file: unpack it, and audit that", inner)
	}
	tops, inside := make(map[string]bool), ""
	for _, e := range layer.Entries {
		top, rest, _ := strings.Cut(e.Path, "/")
		if top != "." {
			tops[top] = true
		}
		if rest == "oci-layout" || rest == "manifest.json" {
			inside = top
		}
		if len(tops) > maxTops {
			return nil
		}
	}
	switch {
	case len(tops) == 1 && inside != "":
		return fmt.Errorf("it has the image in the folder %s: unpack it, and give that folder, or pack what is in it (tar -C %[1]s -cf FILE .)", check.Printable(inside))
	case tops["rootfs"] && tops["metadata.yaml"]:
		return errors.New("it is an image of LXC or Incus, which has the file system in the folder rootfs: unpack it as root, and pack what is in that (tar -C rootfs -cf FILE .)")
	}
	return nil
}

// maxTops is more than such an archive has at its top: metadata.yaml, rootfs and templates.
const maxTops = 3

// isHex says whether a name is a digest in hexadecimal.
func isHex(name string) bool {
	return len(name) == 64 && strings.Trim(name, "0123456789abcdef") == ""
}
