package inspect

import (
	"audit/inspect/check"
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// ociBlobs is where the blobs of an OCI image lie: an archive, a folder, a
// registry. Nothing that it returns is taken for what its descriptor claims.
// A blob that is not there is an [absentError].
type ociBlobs interface {
	// document returns the bytes of a JSON blob, within the limit of JSON.
	document(d v1.Descriptor) ([]byte, error)
	// layer reads a layer blob to its end.
	layer(d v1.Descriptor) (*Layer, error)
}

// An ociReader walks from an index to the one image that is asked for (OCI
// image-spec v1.1, image-index.md and manifest.md).
type ociReader struct {
	pass     *pass
	blobs    ociBlobs
	img      *Image
	want     string // tag or digest; "" for the only one
	platform *v1.Platform
}

func (p *pass) newOCIReader(blobs ociBlobs, transport Transport, want string) (*ociReader, error) {
	platform, err := p.platform()
	if err != nil {
		return nil, err
	}
	return &ociReader{pass: p, blobs: blobs, img: &Image{Transport: transport}, want: want, platform: platform}, nil
}

// fromIndex reads the image that the index in raw leads to.
func (r *ociReader) fromIndex(raw []byte, where string) error {
	candidates, err := r.flatten(raw, where)
	if err != nil {
		return err
	}
	if r.want != "" {
		if candidates, err = r.named(candidates); err != nil {
			return err
		}
	}
	chosen, err := r.choose(candidates)
	if err != nil {
		return err
	}
	r.img.Index = chosen.index
	return r.fromDescriptor(chosen.Descriptor, candidates)
}

// document returns the bytes of a document, from the descriptor itself where
// that embeds them and nothing else has them.
func (r *ociReader) document(d v1.Descriptor) ([]byte, error) {
	raw, err := r.blobs.document(d)
	if len(d.Data) > 0 && isAbsent(err) {
		return d.Data, nil
	}
	return raw, err
}

// verified returns the bytes of a document and holds them against what its
// descriptor claims.
func (r *ociReader) verified(d v1.Descriptor, where string) ([]byte, error) {
	raw, err := r.document(d)
	if err != nil {
		return nil, err
	}
	r.holds(raw, d, where)
	if len(d.Data) > 0 {
		r.holds(d.Data, d, where+" embedded in its descriptor")
	}
	return raw, nil
}

// holds reports where bytes are not what their descriptor claims.
func (r *ociReader) holds(raw []byte, d v1.Descriptor, where string) {
	h, err := v1.Hasher(d.Digest.Algorithm)
	if err != nil { // a descriptor without a digest
		r.problem(d.Digest.String(), "integrity/digest-missing", "document", where)
		return
	}
	h.Write(raw)
	if sum := fmt.Sprintf("%s:%x", d.Digest.Algorithm, h.Sum(nil)); sum != d.Digest.String() {
		r.problem(d.Digest.String(), "integrity/document-digest-mismatch", "document", where, "computed", sum)
	}
	if int64(len(raw)) != d.Size {
		r.problem(d.Digest.String(), "integrity/size-mismatch", "document", where, "claimed", d.Size, "bytes", len(raw))
	}
}

func (r *ociReader) problem(path, code string, args ...any) {
	r.find(check.Problem, path, code, args...)
}

func (r *ociReader) find(level check.Level, path, code string, args ...any) {
	r.img.Problems = append(r.img.Problems, check.Find(level, -1, path, code, args...))
}

// fromDescriptor reads the image whose manifest d describes. Candidates are
// searched for attestations about it.
func (r *ociReader) fromDescriptor(d v1.Descriptor, candidates []candidate) error {
	raw, err := r.verified(d, "image manifest")
	if err != nil {
		return fmt.Errorf("reading the image manifest: %w", err)
	}
	manifest, err := r.manifest(raw, d)
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
		if name := c.name; c.Digest == d.Digest && name != "" && !slices.Contains(r.img.Tags, name) {
			r.img.Tags = append(r.img.Tags, name)
		}
	}
	return r.attestations(d, candidates)
}

// manifest takes an image manifest apart.
func (r *ociReader) manifest(raw []byte, d v1.Descriptor) (*v1.Manifest, error) {
	where := "image manifest " + d.Digest.String()
	var m struct {
		v1.Manifest
		Manifests    []any  `json:"manifests"`
		ArtifactType string `json:"artifactType"`
	}
	if err := decode(where, raw, &m); err != nil {
		return nil, err
	}
	switch {
	case m.SchemaVersion == 1 || d.MediaType == types.DockerManifestSchema1 || d.MediaType == types.DockerManifestSchema1Signed:
		return nil, &FormatError{where, errors.New("it has the old schema 1, which claims no digests that could be checked; pull and push the image with a newer engine")}
	case m.Config.Digest.Hex == "":
		return nil, &FormatError{where, errors.New("it names no config")}
	case isArtifact(m.Config.MediaType):
		return nil, &FormatError{where, fmt.Errorf("it is no container image but an artifact of type %q", cmp.Or(m.ArtifactType, string(m.Config.MediaType)))}
	case len(m.Manifests) > 0:
		r.problem(d.Digest.String(), "integrity/ambiguous-manifest")
	case m.MediaType != "" && d.MediaType != "" && m.MediaType != d.MediaType:
		r.problem(d.Digest.String(), "integrity/media-type-mismatch", "descriptor", string(d.MediaType), "manifest", string(m.MediaType))
	}
	r.img.Manifest = Manifest{Digest: sumOfBytes(raw).Hash(), MediaType: m.MediaType, Raw: raw, Origin: Computed}
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

func (r *ociReader) config(d v1.Descriptor) error {
	raw, err := r.verified(d, "image config")
	if err != nil {
		return fmt.Errorf("reading the image config: %w", err)
	}
	r.img.Config = Config{Member: blobPath(d.Digest), Raw: raw, Digest: sumOfBytes(raw).Hash()}
	return decode("image config "+d.Digest.String(), raw, &r.img.Config.File)
}

func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

// A reading is what came of reading the blob of a layer.
type reading struct {
	layer *Layer
	err   error
	used  bool
}

// layers reads the layers of a manifest, several at a time and each blob once.
func (r *ociReader) layers(descriptors []v1.Descriptor) error {
	if err := checkLayers(len(descriptors)); err != nil {
		return err
	}
	readings := make(map[v1.Hash]*reading)
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for _, d := range descriptors {
		if readings[d.Digest] != nil {
			continue
		}
		one := new(reading)
		readings[d.Digest] = one
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
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
			if err := r.pass.addEntries(one.layer.Member, len(one.layer.Entries)); err != nil {
				return err
			}
		}
		one.used = true
		layer := *one.layer
		layer.Index = i
		if ids := r.img.Config.File.RootFS.DiffIDs; i < len(ids) {
			layer.ClaimedDiffID = ids[i]
		}
		layer.bind(d)
		r.img.Layers = append(r.img.Layers, &layer)
	}
	r.img.Problems = append(r.img.Problems, countProblem(r.img, len(descriptors))...)
	return nil
}

// layer reads the blob of a layer. One that is to be fetched from elsewhere
// (OCI image-spec v1.1, descriptor.md, "urls") is not.
func (r *ociReader) layer(d v1.Descriptor) (*Layer, error) {
	layer, err := r.blobs.layer(d)
	if isAbsent(err) && len(d.URLs) > 0 {
		return &Layer{Member: blobPath(d.Digest), elsewhere: d.URLs[0], Broken: errors.New("its bytes are not part of the image")}, nil
	}
	return layer, err
}

// bind puts what a descriptor claims of a layer beside what was read of it.
func (l *Layer) bind(d v1.Descriptor) {
	l.MediaType, l.ClaimedDigest = d.MediaType, d.Digest
	if l.elsewhere != "" {
		return
	}
	notes := slices.Clone(l.notes)
	if d.Size != l.Size {
		notes = append(notes, check.Say("integrity/layer-size-mismatch", "claimed", d.Size, "bytes", l.Size))
	}
	if claims := compressionOf(d.MediaType); claims != "" && claims != l.Compression {
		notes = append(notes, check.Say("integrity/compression-mismatch", "media-type", string(d.MediaType), "claimed", string(claims), "compression", string(l.Compression)))
	}
	l.notes = notes
}

// compressionOf returns the compression that a media type claims, "" when it
// claims none that is known.
func compressionOf(m types.MediaType) Compression {
	switch m {
	case types.DockerLayer, types.OCILayer, types.OCIRestrictedLayer, types.DockerForeignLayer:
		return Gzip
	case types.OCILayerZStd:
		return Zstd
	case types.DockerUncompressedLayer, types.OCIUncompressedLayer, types.OCIUncompressedRestrictedLayer:
		return None
	}
	return ""
}

// descriptorsIn returns all descriptors that an index or a manifest holds,
// whichever of the two raw is.
func descriptorsIn(raw []byte) []v1.Descriptor {
	var any struct {
		Config    *v1.Descriptor  `json:"config"`
		Layers    []v1.Descriptor `json:"layers"`
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if decode("", raw, &any) != nil {
		return nil
	}
	all := append(any.Layers, any.Manifests...)
	if any.Config != nil {
		all = append(all, *any.Config)
	}
	return all
}

// refName returns the name that an index gives to a descriptor.
func refName(d v1.Descriptor) string {
	for _, key := range []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"} {
		if name := d.Annotations[key]; name != "" {
			return name
		}
	}
	return ""
}

func isIndex(m types.MediaType) bool {
	return m == types.OCIImageIndex || m == types.DockerManifestList
}
