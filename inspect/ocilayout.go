package inspect

import (
	"audit/inspect/check"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// readOCIArchive reads an OCI image layout in a tar archive.
func (p *pass) readOCIArchive(a *archive, problems []check.Finding, want string) (*Image, error) {
	r, err := p.newOCIReader(archiveBlobs{a}, OCIArchive, want)
	if err != nil {
		return nil, err
	}
	r.img.Problems = problems
	index, err := a.bytes("index.json")
	if err != nil {
		return nil, err
	}
	if err := r.fromIndex(index, "index.json"); err != nil {
		return nil, err
	}
	r.img.Problems = append(r.img.Problems, a.unreferenced(a.reachable(index))...)
	r.img.Members = a.list()
	return r.img, nil
}

// archiveBlobs are the blobs of an archive that was read already.
type archiveBlobs struct{ *archive }

func (b archiveBlobs) document(d v1.Descriptor) ([]byte, error) { return b.bytes(blobPath(d.Digest)) }

func (b archiveBlobs) layer(d v1.Descriptor) (*Layer, error) {
	m, err := b.get(blobPath(d.Digest))
	if err != nil {
		return nil, &FormatError{"layer " + d.Digest.String(), err}
	}
	return m.asLayer(), nil
}

// reachable tells the members that the index leads to although they are of no
// use for the chosen image: other platforms, their layers and attestations.
func (a *archive) reachable(index []byte) func(path string) bool {
	known := map[string]bool{"oci-layout": true, "index.json": true, "manifest.json": true, "repositories": true}
	var walk func(raw []byte, depth int)
	walk = func(raw []byte, depth int) {
		for _, d := range descriptorsIn(raw) {
			path := blobPath(d.Digest)
			if known[path] || depth > maxIndexDepth+2 {
				continue
			}
			known[path] = true
			if m := a.byPath[path]; m != nil && m.body != nil {
				walk(m.body, depth+1)
			}
		}
	}
	walk(index, 0)
	return func(path string) bool { return known[path] }
}

// readOCILayout reads an OCI image layout in a folder. The folder is opened as
// a root that no name in the layout can lead out of.
func (p *pass) readOCILayout(dir, want string) (*Image, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	blobs := folderBlobs{p, root}
	r, err := p.newOCIReader(blobs, OCI, want)
	if err != nil {
		return nil, err
	}
	index, err := blobs.read("index.json")
	if err != nil {
		return nil, &FormatError{"the folder", fmt.Errorf("not an OCI image layout: %w", err)}
	}
	if err := r.fromIndex(index, "index.json"); err != nil {
		return nil, err
	}
	return r.img, nil
}

type folderBlobs struct {
	pass *pass
	root *os.Root
}

func (b folderBlobs) open(path string) (*source, io.Closer, error) {
	f, err := b.root.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return &source{pass: b.pass, r: f, size: info.Size()}, f, nil
}

func (b folderBlobs) read(path string) ([]byte, error) {
	src, f, err := b.open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return b.pass.readDocument(path, src)
}

func (b folderBlobs) document(d v1.Descriptor) ([]byte, error) {
	raw, err := b.read(blobPath(d.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FormatError{"blob " + d.Digest.String(), absentError("it is not in the layout")}
	}
	return raw, err
}

func (b folderBlobs) layer(d v1.Descriptor) (*Layer, error) {
	path := blobPath(d.Digest)
	src, f, err := b.open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FormatError{"layer " + d.Digest.String(), absentError("it is not in the layout")}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	other := newOtherHash(path)
	layer, err := b.pass.readLayer(path, bufio.NewReaderSize(other.tee(src), 128<<10), src.at())
	if err != nil {
		return nil, err
	}
	layer.other = other.sum()
	return layer, nil
}
