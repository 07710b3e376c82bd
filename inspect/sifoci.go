package inspect

import (
	"audit/inspect/check"
	"bufio"
	"bytes"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// sifBlobs are the blobs of an OCI-SIF: an OCI image in the objects of a SIF,
// as Singularity CE 4 writes it. Its layers are squashfs file systems or tars.
type sifBlobs struct{ *sifReader }

// readOCI reads the OCI image that the index in an object leads to.
func (s *sifReader) readOCI(index *sifObject) error {
	r, err := s.pass.newOCIReader(sifBlobs{s}, SIF, "")
	if err != nil {
		return err
	}
	raw, err := s.document(index)
	if err != nil {
		return err
	}
	if err := r.fromIndex(raw, index.name); err != nil {
		return err
	}
	index.referenced = true
	s.reach(raw, 0)
	for _, o := range s.objects {
		if (o.kind == sifBlob || o.kind == sifPartition) && !o.referenced {
			s.problem("integrity/unreferenced-object", "object", o.name, "bytes", o.to-o.from)
		}
	}
	r.img.Problems = append(s.img.Problems, r.img.Problems...)
	r.img.Documents, r.img.Members = s.img.Documents, s.members()
	s.img = r.img
	return nil
}

// reach marks the objects that a document leads to.
func (s *sifReader) reach(raw []byte, depth int) {
	for _, d := range descriptorsIn(raw) {
		o := s.find(d.Digest)
		if o == nil || o.referenced || depth > maxIndexDepth+2 {
			continue
		}
		o.referenced = true
		if !looksLikeManifest(d) {
			continue
		}
		if below, err := s.document(o); err == nil {
			s.reach(below, depth+1)
		}
	}
}

// looksLikeManifest says whether a descriptor leads to one with descriptors of
// its own.
func looksLikeManifest(d v1.Descriptor) bool { return d.MediaType.IsIndex() || d.MediaType.IsImage() }

// find returns the object that claims a digest, or has it; nil when none does.
func (s *sifReader) find(digest v1.Hash) *sifObject {
	var has *sifObject
	for _, o := range s.objects {
		if o.kind != sifBlob {
			continue
		}
		if claim, _, _ := bytes.Cut(o.extra, []byte{0}); string(claim) == digest.String() {
			return o
		}
		if o.digest == digest {
			has = o
		}
	}
	return has
}

// document returns the bytes of an object within the limit of JSON.
func (s *sifReader) document(o *sifObject) ([]byte, error) {
	return s.pass.readDocument(o.name, s.file.section(o.extent).reader())
}

var errNoObject = errors.New("no object of the SIF claims this digest")

func (b sifBlobs) document(d v1.Descriptor) ([]byte, error) {
	o := b.find(d.Digest)
	if o == nil {
		return nil, &FormatError{"blob " + d.Digest.String(), errNoObject}
	}
	return b.sifReader.document(o)
}

// layer reads a layer. What its diffID is of is the blob itself when that is a
// squashfs: nothing is packed around it.
func (b sifBlobs) layer(d v1.Descriptor) (*Layer, error) {
	o := b.find(d.Digest)
	if o == nil {
		return nil, &FormatError{"layer " + d.Digest.String(), errNoObject}
	}
	part := b.file.section(o.extent)
	head := make([]byte, regionHead)
	if n, _ := part.ReadAt(head, 0); needsRegion(head[:n]) != SquashFS {
		return b.pass.readLayer(o.name, bufio.NewReaderSize(part.reader(), 128<<10), part)
	}
	layer, err := b.pass.readSquashfsLayer(part, o.name)
	if err != nil {
		return nil, fmt.Errorf("reading object %s: %w", o.name, err)
	}
	layer.Digest, layer.DiffID = o.digest, o.digest
	layer.overlayMarks()
	return layer, nil
}

// overlayMarks takes note of deletions in the way of overlayfs: devices 0/0,
// which [Image.Files] does not take for deletions.
func (l *Layer) overlayMarks() {
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Type == '3' && e.Devmajor == 0 && e.Devminor == 0 || e.Xattrs["trusted.overlay.opaque"] == "y" {
			l.notes = append(l.notes, check.Say("integrity/overlayfs-deletion", "path", e.Path))
			return
		}
	}
}
