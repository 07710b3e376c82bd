package dockerarchive

import (
	"audit/inspect/archive"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/oci"
	"audit/inspect/pass"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// observe finds the image manifest of a docker-archive that is an OCI layout as
// well, which docker save writes since Docker 25. Which of the two an engine
// believes depends on its age and its store, so they have to say the same.
func observe(p *pass.Pass, a *archive.Archive, img *image.Image) error {
	if a.ByPath["index.json"] == nil {
		return nil
	}
	r := &oci.Reader{Pass: p, Blobs: oci.ArchiveBlobs{Archive: a}, Img: img}
	raw, err := a.Bytes("index.json")
	if err != nil {
		return err
	}
	candidates, err := r.Flatten(raw, "index.json")
	if err != nil {
		return err
	}
	for _, c := range candidates {
		if hasConfig(a, c, img.Config.Digest) {
			return observed(r, c, candidates)
		}
	}
	r.Problem("index.json", "integrity/index-mismatch")
	return nil
}

// hasConfig says whether a candidate is an image manifest with that config.
// Those of other platforms need not be in the archive.
func hasConfig(a *archive.Archive, c oci.Candidate, config v1.Hash) bool {
	m := a.ByPath[digest.BlobPath(c.Digest)]
	if m == nil || m.Body == nil || oci.IsAttestation(c.Descriptor) {
		return false
	}
	var manifest v1.Manifest
	return pass.Decode("", m.Body, &manifest) == nil && manifest.Config.Digest == config
}

// observed compares what manifest.json says with the image manifest.
func observed(r *oci.Reader, c oci.Candidate, candidates []oci.Candidate) error {
	raw, err := r.Verified(c.Descriptor, "image manifest")
	if err != nil {
		return err
	}
	manifest, err := r.Manifest(raw, c.Descriptor)
	if err != nil {
		return err
	}
	r.Check(r.Img.Config.Raw, manifest.Config, "image config")
	r.Img.Index = c.Index
	if !sameBlobs(r.Img.Layers, manifest.Layers) {
		r.Problem("index.json", "integrity/index-mismatch-layers")
		return nil
	}
	for i, d := range manifest.Layers {
		oci.Bind(r.Img.Layers[i], d)
	}
	return r.Attestations(c.Descriptor, candidates)
}

// sameBlobs says whether the layers that were read are those that the
// descriptors lead to.
func sameBlobs(layers []*image.Layer, descriptors []v1.Descriptor) bool {
	if len(layers) != len(descriptors) {
		return false
	}
	for i, d := range descriptors {
		if layers[i].Digest != d.Digest && layers[i].Member != digest.BlobPath(d.Digest) {
			return false
		}
	}
	return true
}
