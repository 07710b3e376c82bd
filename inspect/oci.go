package inspect

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// ociBlobs is where the blobs of an OCI image lie: an archive, a folder, a
// registry. Nothing that it returns is taken for what its descriptor claims.
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

// maxIndexDepth bounds how deep indexes may lie in each other.
const maxIndexDepth = 4

// An Attestation is a statement about the image that lies beside it in its
// index, as BuildKit writes them (docs/attestations/attestation-storage.md).
type Attestation struct {
	PredicateType string
	Digest        v1.Hash // of the statement
	Subject       v1.Hash // of the image manifest that it is about, as claimed
	Statement     []byte  // in-toto statement, JSON
}

func (p *pass) newOCIReader(blobs ociBlobs, transport Transport, want string) (*ociReader, error) {
	r := &ociReader{pass: p, blobs: blobs, img: &Image{Transport: transport}, want: want}
	if p.opt.Platform == "" {
		return r, nil
	}
	platform, err := v1.ParsePlatform(p.opt.Platform)
	if err != nil {
		return nil, &ChoiceError{Want: p.opt.Platform, Have: []string{"OS/ARCH[/VARIANT], such as linux/arm64"}}
	}
	r.platform = platform
	return r, nil
}

// fromIndex reads the image that the index in raw leads to.
func (r *ociReader) fromIndex(raw []byte, where string) error {
	candidates, err := r.flatten(raw, where, 0)
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
	return r.fromDescriptor(chosen, candidates)
}

// A candidate is a descriptor found in an index, with the name that it, or an
// index above it, bears.
type candidate struct {
	v1.Descriptor
	name string
}

func (r *ociReader) flatten(raw []byte, where string, depth int) ([]candidate, error) {
	if depth > maxIndexDepth {
		return nil, &FormatError{where, fmt.Errorf("indexes lie more than %d deep in each other", maxIndexDepth)}
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, &FormatError{where, fmt.Errorf("not an image index: %w", err)}
	}
	var all []candidate
	for _, d := range index.Manifests {
		c := candidate{d, refName(d)}
		if !isIndex(d.MediaType) {
			all = append(all, c)
			continue
		}
		inner, err := r.verified(d, "index "+d.Digest.String())
		if err != nil {
			return nil, err
		}
		below, err := r.flatten(inner, "index "+d.Digest.String(), depth+1)
		if err != nil {
			return nil, err
		}
		for _, b := range below {
			if b.name == "" {
				b.name = c.name
			}
			all = append(all, b)
		}
	}
	return all, nil
}

func isIndex(m types.MediaType) bool {
	return m == types.OCIImageIndex || m == types.DockerManifestList
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

func isAttestation(d v1.Descriptor) bool {
	return d.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// named keeps the candidates that want names, by tag or digest.
func (r *ociReader) named(all []candidate) ([]candidate, error) {
	var kept []candidate
	var names []string
	for _, c := range all {
		if c.name == r.want || strings.HasSuffix(c.name, ":"+r.want) || c.Digest.String() == r.want {
			kept = append(kept, c)
		}
		if c.name != "" {
			names = append(names, c.name)
		}
	}
	if len(kept) == 0 {
		return nil, &ChoiceError{Want: r.want, Have: names}
	}
	return kept, nil
}

// choose takes the image of the platform that is asked for, else that of this
// machine, else the only one.
func (r *ociReader) choose(all []candidate) (v1.Descriptor, error) {
	var images []candidate
	var have []string
	for _, c := range all {
		if isAttestation(c.Descriptor) {
			continue
		}
		images = append(images, c)
		have = append(have, describe(c))
	}
	if len(images) == 0 {
		return v1.Descriptor{}, &FormatError{"the image index", errors.New("it lists no image")}
	}
	if r.platform != nil {
		for _, c := range images {
			if c.Platform != nil && c.Platform.Satisfies(*r.platform) {
				return c.Descriptor, nil
			}
		}
		if len(images) == 1 && images[0].Platform == nil {
			return images[0].Descriptor, nil
		}
		return v1.Descriptor{}, &ChoiceError{Want: r.platform.String(), Have: have}
	}
	if len(images) == 1 {
		return images[0].Descriptor, nil
	}
	here := v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	var fit []candidate
	for _, c := range images {
		if c.Platform != nil && c.Platform.Satisfies(here) {
			fit = append(fit, c)
		}
	}
	if len(fit) == 1 {
		return fit[0].Descriptor, nil
	}
	return v1.Descriptor{}, &ChoiceError{Have: have}
}

func describe(c candidate) string {
	var words []string
	if c.name != "" {
		words = append(words, c.name)
	}
	if c.Platform != nil {
		words = append(words, c.Platform.String())
	}
	return strings.Join(append(words, c.Digest.String()), " ")
}

// verified returns the bytes of a document and holds them against what its
// descriptor claims.
func (r *ociReader) verified(d v1.Descriptor, where string) ([]byte, error) {
	raw, err := r.blobs.document(d)
	if err != nil {
		return nil, err
	}
	if sum := Sum(sha256.Sum256(raw)).Hash(); sum != d.Digest {
		r.problem("digest-mismatch", d.Digest.String(), "the %s has digest %s", where, sum)
	}
	if int64(len(raw)) != d.Size && d.Size != 0 {
		r.problem("size-mismatch", d.Digest.String(), "its descriptor says %d bytes, the %s has %d", d.Size, where, len(raw))
	}
	return raw, nil
}

func (r *ociReader) problem(rule, path, format string, args ...any) {
	r.img.Problems = append(r.img.Problems, Finding{Rule: rule, Level: Problem, Layer: -1, Path: path, Message: fmt.Sprintf(format, args...)})
}

// fromDescriptor reads the image whose manifest d describes. Candidates are
// searched for attestations about it.
func (r *ociReader) fromDescriptor(d v1.Descriptor, candidates []candidate) error {
	raw, err := r.verified(d, "image manifest")
	if err != nil {
		return fmt.Errorf("reading the image manifest: %w", err)
	}
	manifest, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return &FormatError{"image manifest " + d.Digest.String(), err}
	}
	r.img.Manifest = Manifest{Digest: Sum(sha256.Sum256(raw)).Hash(), MediaType: manifest.MediaType, Raw: raw, Origin: Computed}
	if err := r.config(manifest.Config); err != nil {
		return err
	}
	if err := r.layers(manifest.Layers); err != nil {
		return err
	}
	for _, c := range candidates {
		if name := c.name; c.Digest == d.Digest && name != "" {
			r.img.Tags = append(r.img.Tags, name)
		}
	}
	return r.attestations(d, candidates)
}

func (r *ociReader) config(d v1.Descriptor) error {
	raw, err := r.verified(d, "image config")
	if err != nil {
		return fmt.Errorf("reading the image config: %w", err)
	}
	c := Config{Member: blobPath(d.Digest), Raw: raw, Digest: Sum(sha256.Sum256(raw)).Hash()}
	if err := json.Unmarshal(raw, &c.File); err != nil {
		return &FormatError{"image config " + d.Digest.String(), err}
	}
	r.img.Config = c
	return nil
}

func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

// layers reads the layers of a manifest, several at a time.
func (r *ociReader) layers(descriptors []v1.Descriptor) error {
	layers := make([]*Layer, len(descriptors))
	errs := make([]error, len(descriptors))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for i, d := range descriptors {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			layers[i], errs[i] = r.blobs.layer(d)
		})
	}
	wait.Wait()
	for i, d := range descriptors {
		if errs[i] != nil {
			return fmt.Errorf("reading layer %d: %w", i, errs[i])
		}
		r.bind(i, d, layers[i])
	}
	r.img.Problems = append(r.img.Problems, countProblem(r.img, len(descriptors))...)
	return nil
}

// bind puts what was read of a layer beside what is claimed of it.
func (r *ociReader) bind(i int, d v1.Descriptor, read *Layer) {
	layer := *read
	layer.Index, layer.MediaType, layer.ClaimedDigest = i, d.MediaType, d.Digest
	if ids := r.img.Config.File.RootFS.DiffIDs; i < len(ids) {
		layer.ClaimedDiffID = ids[i]
	}
	if d.Size != 0 && d.Size != layer.Size {
		layer.notes = append(layer.notes, fmt.Sprintf("its descriptor says %d bytes, the blob has %d", d.Size, layer.Size))
	}
	if claims := compressionOf(d.MediaType); claims != "" && claims != layer.Compression {
		layer.notes = append(layer.notes, fmt.Sprintf("its media type %s says compression %s, the blob has %s", d.MediaType, claims, layer.Compression))
	}
	r.img.Layers = append(r.img.Layers, &layer)
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

// countProblem says when the config has more or fewer diffIDs than there are
// layers.
func countProblem(img *Image, layers int) []Finding {
	claimed := len(img.Config.File.RootFS.DiffIDs)
	if claimed == layers {
		return nil
	}
	return []Finding{{Rule: "diffid-count", Level: Problem, Layer: -1, Path: img.Config.Member,
		Message: fmt.Sprintf("the config has %d diffIDs for %d layers", claimed, layers)}}
}

// attestations keeps the statements about the image: evidence, not a platform.
func (r *ociReader) attestations(image v1.Descriptor, candidates []candidate) error {
	for _, c := range candidates {
		if !isAttestation(c.Descriptor) || c.Annotations["vnd.docker.reference.digest"] != image.Digest.String() {
			continue
		}
		raw, err := r.verified(c.Descriptor, "attestation manifest")
		if err != nil {
			return fmt.Errorf("reading an attestation manifest: %w", err)
		}
		manifest, err := v1.ParseManifest(bytes.NewReader(raw))
		if err != nil {
			return &FormatError{"attestation manifest " + c.Digest.String(), err}
		}
		for _, d := range manifest.Layers {
			statement, err := r.verified(d, "attestation")
			if err != nil {
				return fmt.Errorf("reading an attestation: %w", err)
			}
			r.img.Attestations = append(r.img.Attestations, Attestation{
				PredicateType: d.Annotations["in-toto.io/predicate-type"], Digest: d.Digest, Subject: image.Digest, Statement: statement})
		}
	}
	return nil
}

// descriptorsIn returns all descriptors that an index or a manifest holds,
// whichever of the two raw is.
func descriptorsIn(raw []byte) []v1.Descriptor {
	var any struct {
		Config    *v1.Descriptor  `json:"config"`
		Layers    []v1.Descriptor `json:"layers"`
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if json.Unmarshal(raw, &any) != nil {
		return nil
	}
	all := append(any.Layers, any.Manifests...)
	if any.Config != nil {
		all = append(all, *any.Config)
	}
	return all
}
