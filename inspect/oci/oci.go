package oci

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/check"
	"audit/inspect/choice"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
)

// Blobs is where the blobs of an OCI image lie: an archive, a folder, a
// registry. Nothing that it returns is taken for what its descriptor claims.
// A blob that is not there is an [absentError].
type Blobs interface {
	// Document returns the bytes of a JSON blob, within the limit of JSON.
	Document(d v1.Descriptor) ([]byte, error)
	// Layer reads a layer blob to its end.
	Layer(d v1.Descriptor) (*image.Layer, error)
}

// A Reader walks from an index to the one image that is asked for (OCI
// image-spec v1.1, image-index.md and manifest.md).
type Reader struct {
	Pass     *pass.Pass
	Blobs    Blobs
	Img      *image.Image
	want     string // tag or digest; "" for the only one
	full     string // as [choice.Full] has it
	digest   v1.Hash
	platform *v1.Platform

	entries   []Candidate // of the index
	artifacts int         // that were looked into for statements
	documents int         // that were read of these
	cut       bool        // there were more than are read
}

// NewReader returns a reader of the image that is asked for by a tag or a digest; "" is for
// the only one. The error is that of a platform which is none.
func NewReader(p *pass.Pass, blobs Blobs, transport image.Transport, want string) (*Reader, error) {
	platform, err := platform(p)
	if err != nil {
		return nil, err
	}
	algorithm, hex, _ := strings.Cut(want, ":")
	return &Reader{Pass: p, Blobs: blobs, Img: &image.Image{Transport: transport}, want: want, full: choice.Full(want), digest: v1.Hash{Algorithm: algorithm, Hex: hex}, platform: platform}, nil
}

// FromIndex reads the image that the index in raw leads to.
func (r *Reader) FromIndex(raw []byte, where string) error {
	index, err := r.index(raw, where)
	if err != nil {
		return err
	}
	return r.fromIndex(index)
}

// An index is what one leads to, whichever image of it is asked for.
type index struct {
	all      []Candidate
	problems []check.Finding // with it, and the indexes in it
}

// index takes an index apart.
func (r *Reader) index(raw []byte, where string) (*index, error) {
	of := *r // whose findings are those of the index
	of.Img = &image.Image{Transport: r.Img.Transport}
	all, err := of.Flatten(raw, where)
	if err != nil {
		return nil, err
	}
	of.markArtifacts(all)
	return &index{all, of.Img.Problems}, nil
}

// fromIndex reads the image of an index. Where it is asked for by name, or by digest,
// the other images of the index, and what is wrong with indexes that do not lead to it,
// are not of it.
func (r *Reader) fromIndex(index *index) (err error) {
	candidates, problems := index.all, index.problems
	if r.want != "" {
		if candidates, err = r.named(candidates); err != nil {
			return err
		}
		problems = about(problems, index.all, candidates)
	}
	r.entries, r.Img.Problems = index.all, append(r.Img.Problems, problems...)
	chosen, err := r.choose(candidates)
	if err != nil {
		return err
	}
	if r.Img.Transport != image.Registry { // which has one image of a name
		r.checkNames(index.all, chosen)
	}
	r.Img.Index, r.Img.Platforms = chosen.Index, list(candidates, chosen)
	return r.FromDescriptor(chosen.Descriptor, candidates)
}

// about drops the problems of indexes that lead to none of the candidates.
func about(problems []check.Finding, all, candidates []Candidate) []check.Finding {
	if len(problems) == 0 {
		return nil
	}
	others, own := places(all), places(candidates)
	return slices.DeleteFunc(slices.Clone(problems), func(f check.Finding) bool { return others[f.Path] && !own[f.Path] })
}

// places are the digests of candidates, and of the indexes that lead to them.
func places(all []Candidate) map[string]bool {
	of := make(map[string]bool, len(all))
	for _, c := range all {
		of[c.Digest.String()] = true
		for _, index := range c.in {
			of[index.String()] = true
		}
	}
	return of
}

// document returns the bytes of a document, from the descriptor itself where
// that embeds them and nothing else has them.
func (r *Reader) document(d v1.Descriptor) ([]byte, error) {
	raw, err := r.Blobs.Document(d)
	if len(d.Data) > 0 && limit.IsAbsent(err) {
		return d.Data, nil
	}
	return raw, err
}

// Verified returns the bytes of a document and compares them with what its
// descriptor claims.
func (r *Reader) Verified(d v1.Descriptor, where string) ([]byte, error) {
	raw, err := r.document(d)
	if err != nil {
		return nil, err
	}
	r.Check(raw, d, where)
	if len(d.Data) > 0 {
		r.Check(d.Data, d, where+" embedded in its descriptor")
		if !bytes.Equal(d.Data, raw) {
			r.Problem(d.Digest.String(), "integrity/ambiguous-data", "document", where)
		}
	}
	return raw, nil
}

// checkKeys reports keys of a document that stand more than once: which of them is
// taken depends on the reader.
func (r *Reader) checkKeys(raw []byte, document, path string, v any) {
	for _, key := range pass.RepeatedKeys(raw, v) {
		r.Problem(path, "integrity/ambiguous-key", "document", document, "key", key)
	}
}

// Check reports where bytes are not what their descriptor claims.
func (r *Reader) Check(raw []byte, d v1.Descriptor, where string) {
	h, err := v1.Hasher(d.Digest.Algorithm)
	if err != nil { // a descriptor without a digest
		r.Problem(d.Digest.String(), "integrity/digest-missing", "document", where)
		return
	}
	h.Write(raw)
	if sum := fmt.Sprintf("%s:%x", d.Digest.Algorithm, h.Sum(nil)); sum != d.Digest.String() {
		r.Problem(d.Digest.String(), "integrity/document-digest-mismatch", "document", where, "computed", sum)
	}
	if int64(len(raw)) != d.Size {
		r.Problem(d.Digest.String(), "integrity/size-mismatch", "document", where, "claimed", d.Size, "bytes", len(raw))
	}
}

// Problem adds a problem to those of the image; see [Reader.Find].
func (r *Reader) Problem(path, code string, args ...any) {
	r.Find(check.Problem, path, code, args...)
}

// Find adds a finding to those of the image. The arguments are those of [check.Find].
func (r *Reader) Find(level check.Level, path, code string, args ...any) {
	r.Img.Problems = append(r.Img.Problems, check.Find(level, -1, path, code, args...))
}

// FromDescriptor reads the image whose manifest d describes. Candidates may bear
// further names of it; the entries of the index are searched for statements about it.
func (r *Reader) FromDescriptor(d v1.Descriptor, candidates []Candidate) error {
	raw, err := r.Verified(d, "image manifest")
	if err != nil {
		return fmt.Errorf("reading the image manifest: %w", err)
	}
	manifest, err := r.Manifest(raw, d)
	if err != nil {
		return err
	}
	if err := r.config(manifest.Config); err != nil {
		return err
	}
	if err := r.layers(manifest.Layers); err != nil {
		return err
	}
	for _, c := range candidates {
		if name := c.name(); c.Digest == d.Digest && name != "" && !slices.Contains(r.Img.Tags, name) {
			r.Img.Tags = append(r.Img.Tags, name)
		}
	}
	return r.Attestations(d, r.entries)
}

// Manifest takes an image manifest apart.
func (r *Reader) Manifest(raw []byte, d v1.Descriptor) (*v1.Manifest, error) {
	where := "image manifest " + d.Digest.String()
	var m struct {
		v1.Manifest
		Manifests    []any  `json:"manifests"`
		ArtifactType string `json:"artifactType"`
	}
	if err := pass.Decode(where, raw, &m); err != nil {
		return nil, err
	}
	switch {
	case m.SchemaVersion == 1 || d.MediaType == types.DockerManifestSchema1 || d.MediaType == types.DockerManifestSchema1Signed:
		return nil, &limit.FormatError{Where: where, Err: errors.New("it has the old schema 1, which claims no digests that could be checked; pull and push the image with a newer engine")}
	case m.Config.Digest.Hex == "":
		return nil, &limit.FormatError{Where: where, Err: errors.New("it names no config")}
	case isArtifact(m.Config.MediaType):
		return nil, &limit.FormatError{Where: where, Err: fmt.Errorf("it is no container image but an artifact of type %q", cmp.Or(m.ArtifactType, string(m.Config.MediaType)))}
	case len(m.Manifests) > 0:
		r.Problem(d.Digest.String(), "integrity/ambiguous-manifest")
	case m.MediaType != "" && d.MediaType != "" && m.MediaType != d.MediaType:
		r.Problem(d.Digest.String(), "integrity/media-type-mismatch", "descriptor", string(d.MediaType), "manifest", string(m.MediaType))
	}
	r.checkKeys(raw, "image manifest", d.Digest.String(), m)
	r.Img.Manifest = image.Manifest{Digest: digest.Of(raw).Hash(), MediaType: m.MediaType, Raw: raw, Origin: image.Computed}
	return &m.Manifest, nil
}

// isArtifact says whether a config's media type is one of something else than
// an image. Images made by hand may have none, or a general one.
func isArtifact(config types.MediaType) bool {
	switch config {
	case "", types.OCIConfigJSON, types.DockerConfigJSON, "application/json", "application/octet-stream":
		return false
	}
	return true
}

func (r *Reader) config(d v1.Descriptor) error {
	raw, err := r.Verified(d, "image config")
	if err != nil {
		return fmt.Errorf("reading the image config: %w", err)
	}
	r.Img.Config = image.Config{Member: digest.BlobPath(d.Digest), Raw: raw, Digest: digest.Of(raw).Hash()}
	return pass.Decode("image config "+d.Digest.String(), raw, &r.Img.Config.File)
}

// A reading is what came of reading the blob of a layer.
type reading struct {
	layer *image.Layer
	err   error
	used  bool
}

// fetchedAtOnce is how many layers are fetched from a registry at a time, as by other
// clients.
const fetchedAtOnce = 3

// layers reads the layers of a manifest, several at a time and each blob once.
func (r *Reader) layers(descriptors []v1.Descriptor) error {
	if err := pass.CheckLayers(len(descriptors)); err != nil {
		return err
	}
	take, release := r.Pass.Take, r.Pass.Release
	if r.Img.Transport == image.Registry { // it is the network that they wait for
		slots := make(chan struct{}, fetchedAtOnce)
		take, release = func() { slots <- struct{}{} }, func() { <-slots }
	}
	readings := make(map[v1.Hash]*reading)
	var wait sync.WaitGroup
	for _, d := range descriptors {
		if readings[d.Digest] != nil {
			continue
		}
		one := new(reading)
		readings[d.Digest] = one
		take()
		wait.Go(func() {
			defer release()
			one.layer, one.err = r.layer(d)
		})
	}
	wait.Wait()
	for i, d := range descriptors {
		one := readings[d.Digest]
		if one.err != nil {
			return fmt.Errorf("reading layer %d: %w", i, one.err)
		}
		if one.used {
			if err := r.Pass.AddEntries(one.layer.Member, len(one.layer.Entries)); err != nil {
				return err
			}
		}
		one.used = true
		layer := *one.layer
		layer.Index = i
		if ids := r.Img.Config.File.RootFS.DiffIDs; i < len(ids) {
			layer.ClaimedDiffID = ids[i]
		}
		Bind(&layer, d)
		r.Img.Layers = append(r.Img.Layers, &layer)
	}
	return nil
}

// layer reads the blob of a layer. One that is to be fetched from elsewhere
// (OCI image-spec v1.1, descriptor.md, "urls"), or must not be handed on, may be
// absent.
func (r *Reader) layer(d v1.Descriptor) (*image.Layer, error) {
	layer, err := r.Blobs.Layer(d)
	if !limit.IsAbsent(err) || len(d.URLs) == 0 && d.MediaType.IsDistributable() {
		return layer, err
	}
	layer = &image.Layer{Member: digest.BlobPath(d.Digest), Absent: true, Broken: errors.New("its bytes are not part of the image")}
	if len(d.URLs) > 0 {
		layer.Elsewhere = d.URLs[0]
	}
	return layer, nil
}

// Bind puts what a descriptor claims of a layer beside what was read of it.
func Bind(l *image.Layer, d v1.Descriptor) {
	l.MediaType, l.ClaimedDigest = d.MediaType, d.Digest
	if l.Absent {
		return
	}
	l.Unknown = !isFileSystem(d.MediaType)
	notes := slices.Clone(l.Notes)
	if l.Unknown && l.Broken != nil {
		notes = nil // about a packing that it may not have
	}
	if d.Size != l.Size {
		notes = append(notes, check.Say("integrity/layer-size-mismatch", "claimed", d.Size, "bytes", l.Size))
	}
	if claims := compressionOf(d.MediaType); claims != "" && claims != l.Compression && l.Size > 0 {
		notes = append(notes, check.Say("integrity/compression-mismatch", "media-type", string(d.MediaType), "claimed", string(claims), "compression", string(l.Compression)))
	}
	if len(d.Data) > 0 && digest.Of(d.Data).Hash() != l.Digest {
		notes = append(notes, check.Say("integrity/ambiguous-data", "document", "layer"))
	}
	l.Notes = notes
	bindTOC(l, d)
	bindChunked(l, d)
}

// bindChunked puts beside a layer what its descriptor claims of zstd:chunked, under the
// names of today or those that containers/storage gave them first.
func bindChunked(l *image.Layer, d v1.Descriptor) {
	for _, prefix := range []string{"io.github.containers.zstd-chunked.", "io.containers.zstd-chunked."} {
		c := image.Chunked{
			Position: d.Annotations[prefix+"manifest-position"], Checksum: d.Annotations[prefix+"manifest-checksum"],
			SplitPosition: d.Annotations[prefix+"tarsplit-position"], SplitChecksum: d.Annotations[prefix+"tarsplit-checksum"],
		}
		if c.Checksum != "" {
			l.Chunked = &c
			return
		}
	}
}

// The annotations by which a descriptor claims the table of contents of eStargz
// (stargz-snapshotter, estargz/types.go).
const tocDigest = "containerd.io/snapshot/stargz/toc.digest"

// bindTOC finds the table of contents among the entries, where it is the last one, and
// puts beside it what the descriptor claims.
func bindTOC(l *image.Layer, d v1.Descriptor) {
	if n := len(l.Entries); l.TOC == nil && n > 0 && l.Entries[n-1].Name() == image.TOCName {
		l.TOC = &image.TOC{Digest: l.Entries[n-1].Digest.Hash(), Unread: true}
	}
	claimed := d.Annotations[tocDigest]
	if claimed == "" {
		return
	}
	toc := image.TOC{}
	if l.TOC != nil {
		toc = *l.TOC
	}
	toc.Claimed = claimed
	l.TOC = &toc
}

// isFileSystem says whether a media type is that of a tar, however it is packed, or of
// a squashfs; a type that says nothing may be either. An encrypted layer is none (OCI
// ocicrypt, "+encrypted"), nor are the blobs of Nydus.
func isFileSystem(m types.MediaType) bool {
	if m == "" || m == "application/octet-stream" || compressionOf(m) != "" {
		return true
	}
	name := string(m)
	for _, kind := range []compression.Kind{compression.Gzip, compression.Zstd, compression.XZ, compression.Bzip2, compression.Lzip} {
		name = strings.TrimSuffix(strings.TrimSuffix(name, "+"+string(kind)), "."+string(kind))
	}
	return strings.HasSuffix(name, "tar") || strings.HasSuffix(name, "squashfs")
}

// compressionOf returns the compression that a media type claims, "" when it
// claims none that is known.
func compressionOf(m types.MediaType) compression.Kind {
	switch m {
	case types.DockerLayer, types.OCILayer, types.OCIRestrictedLayer, types.DockerForeignLayer:
		return compression.Gzip
	case types.OCILayerZStd:
		return compression.Zstd
	case types.DockerUncompressedLayer, types.OCIUncompressedLayer, types.OCIUncompressedRestrictedLayer:
		return compression.None
	}
	return ""
}

// DescriptorsIn returns all descriptors that are in an index or a manifest,
// whichever of the two raw is.
func DescriptorsIn(raw []byte) []v1.Descriptor {
	var any struct {
		Config    *v1.Descriptor  `json:"config"`
		Layers    []v1.Descriptor `json:"layers"`
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if pass.Decode("", raw, &any) != nil {
		return nil
	}
	all := append(any.Layers, any.Manifests...)
	if any.Config != nil {
		all = append(all, *any.Config)
	}
	return all
}

// refNames returns the names that an index gives to a descriptor: that by which
// containerd knows the image, then that of the layout.
func refNames(d v1.Descriptor) []string {
	var names []string
	for _, key := range []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"} {
		if name := d.Annotations[key]; name != "" {
			names = append(names, name)
		}
	}
	return names
}

// IsIndex says whether a media type is that of an index.
func IsIndex(m types.MediaType) bool {
	return m == types.OCIImageIndex || m == types.DockerManifestList
}
