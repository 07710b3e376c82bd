package oci

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/archive"
	"audit/inspect/digest"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/layers"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/userfile"
)

// ArchiveForm is that of an image layout in a tar.
func ArchiveForm() form.Form {
	return form.Form{
		Transport: image.OCIArchive, Argument: "PATH[:REF]",
		Match: func(in *form.Input) (bool, error) {
			a, err := in.Archive()
			return err == nil && a.ByPath["manifest.json"] == nil && a.ByPath["index.json"] != nil, err
		},
		Open: func(in *form.Input) (*image.Image, error) {
			a, err := in.Archive()
			if err != nil {
				return nil, err
			}
			return readArchive(in.Pass, a, in.Want)
		},
	}
}

// LayoutForm is that of an image layout in a folder.
func LayoutForm() form.Form {
	return form.Form{
		Transport: image.OCI, Argument: "PATH[:REF]",
		Match: func(in *form.Input) (bool, error) { return in.IsFolder(), nil },
		Open:  func(in *form.Input) (*image.Image, error) { return readLayout(in.Pass, in.Path, in.Want) },
	}
}

// readArchive reads an OCI image layout in a tar archive.
func readArchive(p *pass.Pass, a *archive.Archive, want string) (*image.Image, error) {
	r, err := NewReader(p, ArchiveBlobs{a}, image.OCIArchive, want)
	if err != nil {
		return nil, err
	}
	r.Img.Problems = a.Problems
	index, err := a.Bytes("index.json")
	if err != nil {
		return nil, err
	}
	if err := r.FromIndex(index, "index.json"); err != nil {
		return nil, err
	}
	r.Img.Problems = append(r.Img.Problems, a.Unreferenced(Reachable(a, index), true)...)
	r.Img.Members = a.List()
	return r.Img, nil
}

// ArchiveBlobs are the blobs of an archive that was read already.
type ArchiveBlobs struct{ *archive.Archive }

// Document returns the bytes of a document that was kept.
func (b ArchiveBlobs) Document(d v1.Descriptor) ([]byte, error) {
	return b.Bytes(digest.BlobPath(d.Digest))
}

// Layer returns the layer that was read with the archive.
func (b ArchiveBlobs) Layer(d v1.Descriptor) (*image.Layer, error) {
	m, err := b.Get(digest.BlobPath(d.Digest))
	if err != nil {
		return nil, &limit.FormatError{Where: "layer " + d.Digest.String(), Err: err}
	}
	return m.AsLayer(), nil
}

// Reachable finds the members that the index leads to although they are of no
// use for the chosen image: other platforms, their layers and attestations.
func Reachable(a *archive.Archive, index []byte) func(path string) bool {
	known := map[string]bool{"oci-layout": true, "index.json": true, "manifest.json": true, "repositories": true}
	var walk func(raw []byte, depth int)
	walk = func(raw []byte, depth int) {
		for _, d := range DescriptorsIn(raw) {
			path := digest.BlobPath(d.Digest)
			if known[path] || depth > MaxIndexDepth+2 {
				continue
			}
			known[path] = true
			if m := a.ByPath[path]; m != nil && m.Body != nil {
				walk(m.Body, depth+1)
			}
		}
	}
	walk(index, 0)
	return func(path string) bool { return known[path] }
}

// readLayout reads an OCI image layout in a folder. The folder is opened as
// a root that no name in the layout can lead out of.
func readLayout(p *pass.Pass, dir, want string) (*image.Image, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	blobs := folderBlobs{p, root}
	r, err := NewReader(p, blobs, image.OCI, want)
	if err != nil {
		return nil, err
	}
	index, err := layoutIndex(r, blobs, dir)
	if err != nil {
		return nil, err
	}
	if err := r.fromIndex(index); err != nil {
		return nil, err
	}
	return r.Img, nil
}

// layoutIndex takes the index of a layout apart, unless that was done for another of its
// images.
func layoutIndex(r *Reader, blobs folderBlobs, dir string) (*index, error) {
	file, err := blobs.root.Stat("index.json")
	if err == nil {
		if known, ok := r.Pass.Opt.Known.Index(dir, file).(*index); ok {
			return known, nil
		}
	}
	raw, err := blobs.read("index.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &limit.FormatError{Where: "the folder", Err: noIndex(blobs.root, dir)}
	}
	if err != nil {
		return nil, &limit.FormatError{Where: "the folder", Err: fmt.Errorf("not an OCI image layout: %w", err)}
	}
	index, err := r.index(raw, "index.json")
	if err == nil {
		r.Pass.Opt.Known.AddIndex(dir, file, index, len(index.all))
	}
	return index, err
}

// noIndex says that a folder is no layout, and what it may be.
func noIndex(root *os.Root, dir string) error {
	err := errors.New("not an OCI image layout: it has no index.json")
	if _, other := root.Stat("version"); other == nil {
		err = fmt.Errorf("%w, and may be one of skopeo's dir: (skopeo copy dir:%s oci-archive:FILE makes one that audit reads)", err, dir)
	}
	return err
}

type folderBlobs struct {
	pass *pass.Pass
	root *os.Root
}

// open opens a regular file. Anything else is not opened: a named pipe would keep the
// reader waiting, and nothing would wake it.
func (b folderBlobs) open(path string) (*pass.Stream, io.Closer, error) {
	info, err := b.root.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, &userfile.IrregularError{Path: path}
	}
	f, err := b.root.Open(path)
	if err != nil {
		return nil, nil, err
	}
	return &pass.Stream{Pass: b.pass, R: f, Size: info.Size()}, f, nil
}

func (b folderBlobs) read(path string) ([]byte, error) {
	src, f, err := b.open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return b.pass.ReadDocument(path, src)
}

func (b folderBlobs) Document(d v1.Descriptor) ([]byte, error) {
	raw, err := b.read(digest.BlobPath(d.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &limit.FormatError{Where: "blob " + d.Digest.String(), Err: limit.Absent("it is not in the layout")}
	}
	return raw, err
}

func (b folderBlobs) Layer(d v1.Descriptor) (*image.Layer, error) {
	path := digest.BlobPath(d.Digest)
	if only := b.pass.Only; only != nil && !only(path) {
		return &image.Layer{Member: path}, nil
	}
	src, f, err := b.open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &limit.FormatError{Where: "layer " + d.Digest.String(), Err: limit.Absent("it is not in the layout")}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	other := digest.NewOtherHash(path)
	layer, err := layers.Read(b.pass, path, bufio.NewReaderSize(other.Tee(src), 128<<10), src.At())
	if err != nil {
		return nil, err
	}
	layer.OtherDigest = other.Sum()
	return layer, nil
}
