package sif

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/check"
	"audit/inspect/choice"
	"audit/inspect/digest"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/record"
	"audit/inspect/zeros"
)

// A reader reads a SIF, the Singularity Image Format version 1 (sylabs/sif
// v2.24.1, pkg/sif): a header, a table of descriptors, and the data objects
// that they describe. The format has no digests, so there is nothing to compare
// the bytes with; but an OCI-SIF is an OCI image in the objects of a SIF,
// and that has.
type reader struct {
	pass    *pass.Pass
	file    *pass.Region
	img     *image.Image
	table   pass.Extent // of the descriptors
	objects []*object
}

// A object is a data object and its descriptor.
type object struct {
	pass.Extent
	kind       kind
	id         uint32
	name       string // "ID-KIND", and "-NAME" when it has one
	extra      []byte // what there is to say of its kind
	digest     v1.Hash
	referenced bool
}

// A kind is what a data object is.
type kind int32

// The kinds of objects.
const (
	definition kind = 0x4001 + iota
	environment
	labels
	partitionKind
	signature
	jsonKind
	generic
	cryptoMessage
	sbomKind
	indexKind // of an OCI image
	blobKind  // of an OCI image
)

func (k kind) String() string {
	names := [...]string{"definition", "environment", "labels", "partition", "signature", "json", "data", "message", "sbom", "oci-index", "oci-blob"}
	if i := int(k - definition); i >= 0 && i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("object-0x%x", int32(k))
}

// isDocument says whether objects of a kind are kept for what they say.
func (k kind) isDocument() bool {
	switch k {
	case definition, environment, labels, jsonKind, sbomKind, signature:
		return true
	}
	return false
}

const (
	magic          = "SIF_MAGIC\x00"
	magicAt        = 32
	headerSize     = 128
	descriptorSize = 585
	nameSize       = 128
	extraSize      = 384
)

// is recognises a SIF by its first bytes.
func is(head []byte) bool {
	return len(head) >= magicAt+len(magic) && string(head[magicAt:][:len(magic)]) == magic
}

// Form is that of a SIF.
func Form() form.Form {
	return form.Form{
		Transport: image.SIF, Argument: "PATH",
		Match: form.HasHead(is), Open: open,
	}
}

func open(in *form.Input) (*image.Image, error) {
	b, err := in.RegionOf(image.SIF, is)
	if err != nil {
		return nil, err
	}
	return read(in.Pass, b)
}

// read reads a SIF image.
func read(p *pass.Pass, b *pass.Region) (*image.Image, error) {
	s := &reader{pass: p, file: b, img: &image.Image{Transport: image.SIF, Manifest: image.Manifest{Origin: image.Synthesised}}}
	err := s.read()
	if fatal := p.Fatal(err); fatal != nil {
		return nil, fatal
	}
	var format *limit.FormatError
	var choice *choice.Error
	if err != nil && !errors.As(err, &format) && !errors.As(err, &choice) {
		err = &limit.FormatError{Where: "the SIF", Err: err}
	}
	return s.img, err
}

func (s *reader) read() error {
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
		if o.kind == indexKind {
			return s.readOCI(o)
		}
	}
	return s.readPartitions()
}

// header reads where the descriptors are.
func (s *reader) header() error {
	raw := make([]byte, headerSize)
	if n, err := s.file.ReadAt(raw, 0); err == io.EOF {
		return fmt.Errorf("truncated: %d bytes where it has %d", n, headerSize)
	} else if err != nil {
		return err
	}
	if version := string(raw[42:45]); !is(raw) || version != "01\x00" {
		return fmt.Errorf("version %q: audit reads 01", version)
	}
	f := record.Fields{B: raw[64+16:]} // behind the identifier, two times
	f.U64()                            // descriptors not in use
	total, offset, size := int64(f.U64()), int64(f.U64()), int64(f.U64())
	if most := int64(s.pass.Limits.Members); total > most {
		return &limit.Error{Name: "members", Limit: most, Where: "the SIF"}
	}
	if total < 0 || offset < headerSize || offset > s.file.Size || total*descriptorSize > s.file.Size-offset {
		return fmt.Errorf("%d descriptors at byte %d of %d", total, offset, s.file.Size)
	}
	if size != total*descriptorSize {
		return fmt.Errorf("%d descriptors in %d bytes, where each has %d", total, size, descriptorSize)
	}
	s.table = pass.Extent{From: offset, To: offset + size}
	return nil
}

// descriptors reads the table of objects.
func (s *reader) descriptors() error {
	raw := make([]byte, descriptorSize)
	for at := s.table.From; at < s.table.To; at += descriptorSize {
		if _, err := s.file.ReadAt(raw, at); err != nil {
			return err
		}
		if raw[4] == 0 {
			continue
		}
		o, err := newObject(bytes.Clone(raw), s.file.Size)
		if err != nil {
			return err
		}
		s.objects = append(s.objects, o)
	}
	return nil
}

func newObject(raw []byte, size int64) (*object, error) {
	number, f := record.Fields{B: raw}, record.Fields{B: raw[5:]}
	o := &object{kind: kind(number.U32()), id: f.U32(), extra: raw[descriptorSize-extraSize:]}
	o.referenced = o.kind.isDocument()
	f.U32() // group
	f.U32() // the object that it is about
	from, n := int64(f.U64()), int64(f.U64())
	if from < headerSize || n < 0 || n > size || from > size-n {
		return nil, fmt.Errorf("object %d has %d bytes at byte %d, and the file has %d", o.id, n, from, size)
	}
	o.Extent = pass.Extent{From: from, To: from + n}
	name, _, _ := bytes.Cut(raw[descriptorSize-extraSize-nameSize:][:nameSize], []byte{0})
	if o.name = fmt.Sprintf("%d-%v", o.id, o.kind); len(name) > 0 {
		o.name += "-" + string(name)
	}
	return o, nil
}

// A part is a part of the file: an object, or the header or the table.
type part struct {
	pass.Extent
	object *object
}

func (s *reader) parts() []part {
	parts := []part{{pass.Extent{From: 0, To: headerSize}, nil}, {s.table, nil}}
	for _, o := range s.objects {
		parts = append(parts, part{o.Extent, o})
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return parts
}

// whole reads the file from its start to its end: the objects are hashed, and
// between them there may only be zeros.
func (s *reader) whole() error {
	r, at := s.file.Reader(), int64(0)
	for _, part := range s.parts() {
		if part.From < at {
			return fmt.Errorf("parts of it overlap at byte %d", part.From)
		}
		if err := s.gap(r, pass.Extent{From: at, To: part.From}); err != nil {
			return err
		}
		if err := s.part(part, io.LimitReader(r, part.To-part.From)); err != nil {
			return err
		}
		at = part.To
	}
	return s.gap(r, pass.Extent{From: at, To: s.file.Size})
}

// part reads a part to its end.
func (s *reader) part(part part, r io.Reader) error {
	o := part.object
	if o == nil {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	in := digest.NewMeter(r)
	if o.kind.isDocument() {
		raw, err := s.pass.ReadDocument(o.name, in)
		if err != nil {
			return fmt.Errorf("reading object %s: %w", o.name, err)
		}
		s.img.Documents = append(s.img.Documents, image.Document{Member: o.name, Kind: o.kind.String(), Digest: in.Sum().Hash(), Raw: raw})
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("reading object %s: %w", o.name, err)
	}
	o.digest = in.Sum().Hash()
	return nil
}

// gap reads bytes that belong to nothing.
func (s *reader) gap(r io.Reader, x pass.Extent) error {
	var found zeros.NonZero
	if _, err := io.CopyN(&found, r, x.To-x.From); err != nil {
		return err
	}
	if found {
		s.problem("integrity/unreferenced-data", "bytes", x.To-x.From, "offset", x.From)
	}
	return nil
}

func (s *reader) problem(code string, args ...any) {
	s.img.Problems = append(s.img.Problems, check.Find(check.Problem, -1, "", code, args...))
}

// members lists the objects as an image has them.
func (s *reader) members() []image.Member {
	var members []image.Member
	for _, o := range s.objects {
		members = append(members, image.Member{Name: o.name, Size: o.To - o.From, Digest: o.digest, Referenced: o.referenced})
	}
	return members
}
