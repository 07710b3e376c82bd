package inspect

import (
	"audit/inspect/check"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A sifReader reads a SIF, the Singularity Image Format version 1 (sylabs/sif
// v2.24.1, pkg/sif): a header, a table of descriptors, and the data objects
// that they describe. The format has no digests, so there is nothing to hold
// the bytes against; but an OCI-SIF is an OCI image in the objects of a SIF,
// and that has.
type sifReader struct {
	pass    *pass
	file    *region
	img     *Image
	table   extent // of the descriptors
	objects []*sifObject
}

// A sifObject is a data object and its descriptor.
type sifObject struct {
	extent
	kind       sifKind
	id         uint32
	name       string // "ID-KIND", and "-NAME" when it has one
	extra      []byte // what there is to say of its kind
	digest     v1.Hash
	referenced bool
}

// A sifKind is what a data object is.
type sifKind int32

// The kinds of objects.
const (
	sifDefinition sifKind = 0x4001 + iota
	sifEnvironment
	sifLabels
	sifPartition
	sifSignature
	sifJSON
	sifGeneric
	sifCryptoMessage
	sifSBOM
	sifIndex // of an OCI image
	sifBlob  // of an OCI image
)

func (k sifKind) String() string {
	names := [...]string{"definition", "environment", "labels", "partition", "signature", "json", "data", "message", "sbom", "oci-index", "oci-blob"}
	if i := int(k - sifDefinition); i >= 0 && i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("object-0x%x", int32(k))
}

// isDocument says whether objects of a kind are kept for what they say.
func (k sifKind) isDocument() bool {
	switch k {
	case sifDefinition, sifEnvironment, sifLabels, sifJSON, sifSBOM, sifSignature:
		return true
	}
	return false
}

const (
	sifMagic          = "SIF_MAGIC\x00"
	sifMagicAt        = 32
	sifHeaderSize     = 128
	sifDescriptorSize = 585
	sifNameSize       = 128
	sifExtraSize      = 384
)

// isSIF tells a SIF by its first bytes.
func isSIF(head []byte) bool {
	return len(head) >= sifMagicAt+len(sifMagic) && string(head[sifMagicAt:][:len(sifMagic)]) == sifMagic
}

// readSIF reads a SIF image.
func (p *pass) readSIF(b *region) (*Image, error) {
	s := &sifReader{pass: p, file: b, img: &Image{Transport: SIF, Manifest: Manifest{Origin: Synthesised}}}
	err := s.read()
	if fatal := p.fatal(err); fatal != nil {
		return nil, fatal
	}
	var format *FormatError
	var choice *ChoiceError
	if err != nil && !errors.As(err, &format) && !errors.As(err, &choice) {
		err = &FormatError{"the SIF", err}
	}
	return s.img, err
}

func (s *sifReader) read() error {
	if err := s.header(); err != nil {
		return fmt.Errorf("reading its header: %w", err)
	}
	if err := s.descriptors(); err != nil {
		return fmt.Errorf("reading its descriptors: %w", err)
	}
	if err := s.whole(); err != nil {
		return err
	}
	for _, o := range s.objects {
		if o.kind == sifIndex {
			return s.readOCI(o)
		}
	}
	return s.readPartitions()
}

// header reads where the descriptors are.
func (s *sifReader) header() error {
	raw := make([]byte, sifHeaderSize)
	if n, err := s.file.ReadAt(raw, 0); err == io.EOF {
		return fmt.Errorf("truncated: %d bytes where it has %d", n, sifHeaderSize)
	} else if err != nil {
		return err
	}
	if version := string(raw[42:45]); !isSIF(raw) || version != "01\x00" {
		return fmt.Errorf("version %q: audit reads 01", version)
	}
	f := fields{raw[64+16:]} // behind the identifier, two times
	f.u64()                  // descriptors not in use
	total, offset, size := int64(f.u64()), int64(f.u64()), int64(f.u64())
	if limit := int64(s.pass.limits.Members); total > limit {
		return &LimitError{"members", limit, "the SIF"}
	}
	if total < 0 || offset < sifHeaderSize || offset > s.file.size || total*sifDescriptorSize > s.file.size-offset {
		return fmt.Errorf("%d descriptors at byte %d of %d", total, offset, s.file.size)
	}
	if size != total*sifDescriptorSize {
		return fmt.Errorf("%d descriptors in %d bytes, where each has %d", total, size, sifDescriptorSize)
	}
	s.table = extent{offset, offset + size}
	return nil
}

// descriptors reads the table of objects.
func (s *sifReader) descriptors() error {
	raw := make([]byte, sifDescriptorSize)
	for at := s.table.from; at < s.table.to; at += sifDescriptorSize {
		if _, err := s.file.ReadAt(raw, at); err != nil {
			return err
		}
		if raw[4] == 0 {
			continue
		}
		o, err := newSIFObject(bytes.Clone(raw), s.file.size)
		if err != nil {
			return err
		}
		s.objects = append(s.objects, o)
	}
	return nil
}

func newSIFObject(raw []byte, size int64) (*sifObject, error) {
	kind, f := fields{raw}, fields{raw[5:]}
	o := &sifObject{kind: sifKind(kind.u32()), id: f.u32(), extra: raw[sifDescriptorSize-sifExtraSize:]}
	o.referenced = o.kind.isDocument()
	f.u32() // group
	f.u32() // the object that it is about
	from, n := int64(f.u64()), int64(f.u64())
	if from < sifHeaderSize || n < 0 || n > size || from > size-n {
		return nil, fmt.Errorf("object %d has %d bytes at byte %d, and the file has %d", o.id, n, from, size)
	}
	o.extent = extent{from, from + n}
	name, _, _ := bytes.Cut(raw[sifDescriptorSize-sifExtraSize-sifNameSize:][:sifNameSize], []byte{0})
	if o.name = fmt.Sprintf("%d-%v", o.id, o.kind); len(name) > 0 {
		o.name += "-" + string(name)
	}
	return o, nil
}

// A sifPart is a part of the file: an object, or the header or the table.
type sifPart struct {
	extent
	object *sifObject
}

func (s *sifReader) parts() []sifPart {
	parts := []sifPart{{extent{0, sifHeaderSize}, nil}, {s.table, nil}}
	for _, o := range s.objects {
		parts = append(parts, sifPart{o.extent, o})
	}
	slices.SortStableFunc(parts, func(a, b sifPart) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	return parts
}

// whole reads the file from its start to its end: the objects are hashed, and
// between them there may only be zeros.
func (s *sifReader) whole() error {
	r, at := s.file.reader(), int64(0)
	for _, part := range s.parts() {
		if part.from < at {
			return fmt.Errorf("parts of it overlap at byte %d", part.from)
		}
		if err := s.gap(r, extent{at, part.from}); err != nil {
			return err
		}
		if err := s.part(part, io.LimitReader(r, part.to-part.from)); err != nil {
			return err
		}
		at = part.to
	}
	return s.gap(r, extent{at, s.file.size})
}

// part reads a part to its end.
func (s *sifReader) part(part sifPart, r io.Reader) error {
	o := part.object
	if o == nil {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	in := newMeter(r)
	if o.kind.isDocument() {
		raw, err := s.pass.readDocument(o.name, in)
		if err != nil {
			return fmt.Errorf("reading object %s: %w", o.name, err)
		}
		s.img.Documents = append(s.img.Documents, Document{o.name, o.kind.String(), in.sum().Hash(), raw})
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("reading object %s: %w", o.name, err)
	}
	o.digest = in.sum().Hash()
	return nil
}

// gap reads bytes that belong to nothing.
func (s *sifReader) gap(r io.Reader, x extent) error {
	var found nonZero
	if _, err := io.CopyN(&found, r, x.to-x.from); err != nil {
		return err
	}
	if found {
		s.problem("integrity/unreferenced-data", "bytes", x.to-x.from, "offset", x.from)
	}
	return nil
}

func (s *sifReader) problem(code string, args ...any) {
	s.img.Problems = append(s.img.Problems, check.Find(check.Problem, -1, "", code, args...))
}

// members lists the objects as an image has them.
func (s *sifReader) members() []Member {
	var members []Member
	for _, o := range s.objects {
		members = append(members, Member{o.name, o.to - o.from, o.digest, o.referenced})
	}
	return members
}
