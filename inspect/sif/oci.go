package sif

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/layers"
	"audit/inspect/limit"
	"audit/inspect/oci"
	"audit/inspect/squashfs"
)

// blobs are the blobs of an OCI-SIF: an OCI image in the objects of a SIF,
// as Singularity CE 4 writes it. Its layers are squashfs file systems or tars.
type blobs struct{ *reader }

// readOCI reads the OCI image that the index in an object leads to.
func (s *reader) readOCI(index *object) error {
	r, err := oci.NewReader(s.pass, blobs{s}, image.SIF, "")
	if err != nil {
		return err
	}
	raw, err := s.document(index)
	if err != nil {
		return err
	}
	if err := r.FromIndex(raw, index.name); err != nil {
		return err
	}
	index.referenced = true
	s.reach(raw, 0)
	for _, o := range s.objects {
		if (o.kind == blobKind || o.kind == partitionKind) && !o.referenced {
			s.problem("integrity/unreferenced-object", "object", o.name, "bytes", o.To-o.From)
		}
	}
	r.Img.Problems = append(s.img.Problems, r.Img.Problems...)
	r.Img.Documents, r.Img.Members = s.img.Documents, s.members()
	s.img = r.Img
	return nil
}

// reach marks the objects that a document leads to.
func (s *reader) reach(raw []byte, depth int) {
	for _, d := range oci.DescriptorsIn(raw) {
		o := s.find(d.Digest)
		if o == nil || o.referenced || depth > oci.MaxIndexDepth+2 {
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
func (s *reader) find(digest v1.Hash) *object {
	var has *object
	for _, o := range s.objects {
		if o.kind != blobKind {
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
func (s *reader) document(o *object) ([]byte, error) {
	return s.pass.ReadDocument(o.name, s.file.Section(o.Extent).Reader())
}

var errNoObject = errors.New("no object of the SIF claims this digest")

func (b blobs) Document(d v1.Descriptor) ([]byte, error) {
	o := b.find(d.Digest)
	if o == nil {
		return nil, &limit.FormatError{Where: "blob " + d.Digest.String(), Err: errNoObject}
	}
	return b.reader.document(o)
}

// Layer reads a layer. What its diffID is of is the blob itself when that is a
// squashfs: nothing is packed around it.
func (b blobs) Layer(d v1.Descriptor) (*image.Layer, error) {
	o := b.find(d.Digest)
	if o == nil {
		return nil, &limit.FormatError{Where: "layer " + d.Digest.String(), Err: errNoObject}
	}
	part := b.file.Section(o.Extent)
	head := make([]byte, 4)
	if n, _ := part.ReadAt(head, 0); !squashfs.Is(head[:n]) {
		return layers.Read(b.pass, o.name, bufio.NewReaderSize(part.Reader(), 128<<10), part)
	}
	layer, err := squashfs.ReadLayer(b.pass, part, o.name)
	if err != nil {
		return nil, fmt.Errorf("reading object %s: %w", o.name, err)
	}
	layer.Digest, layer.DiffID, layer.Overlayfs = o.digest, o.digest, true
	overlayMarks(layer)
	return layer, nil
}

// overlayMarks takes note of deletions in the way of overlayfs: devices 0/0,
// which [Image.Files] does not take for deletions.
func overlayMarks(l *image.Layer) {
	for i := range l.Entries {
		e := l.Entries[i]
		if e.Type == '3' && e.Attr().Devmajor == 0 && e.Attr().Devminor == 0 || e.Attr().Xattrs["trusted.overlay.opaque"] == "y" {
			l.Notes = append(l.Notes, check.Say("integrity/overlayfs-deletion", "path", e.Path))
			return
		}
	}
}
