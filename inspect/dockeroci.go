package inspect

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// observe finds the image manifest of a docker-archive that is an OCI layout as
// well, which docker save writes since Docker 25. Which of the two an engine
// believes depends on its age and its store, so they have to say the same.
func (p *pass) observe(a *archive, img *Image) error {
	if a.byPath["index.json"] == nil {
		return nil
	}
	r := &ociReader{pass: p, blobs: archiveBlobs{a}, img: img}
	raw, err := a.bytes("index.json")
	if err != nil {
		return err
	}
	candidates, err := r.flatten(raw, "index.json")
	if err != nil {
		return err
	}
	for _, c := range candidates {
		if a.hasConfig(c, img.Config.Digest) {
			return r.observed(c, candidates)
		}
	}
	r.problem("index.json", "integrity/index-mismatch")
	return nil
}

// hasConfig says whether a candidate is an image manifest with that config.
// Those of other platforms need not be in the archive.
func (a *archive) hasConfig(c candidate, config v1.Hash) bool {
	m := a.byPath[blobPath(c.Digest)]
	if m == nil || m.body == nil || isAttestation(c.Descriptor) {
		return false
	}
	var manifest v1.Manifest
	return decode("", m.body, &manifest) == nil && manifest.Config.Digest == config
}

// observed holds what manifest.json says against the image manifest.
func (r *ociReader) observed(c candidate, candidates []candidate) error {
	raw, err := r.verified(c.Descriptor, "image manifest")
	if err != nil {
		return err
	}
	manifest, err := r.manifest(raw, c.Descriptor)
	if err != nil {
		return err
	}
	r.holds(r.img.Config.Raw, manifest.Config, "image config")
	r.img.Index = c.index
	if !sameBlobs(r.img.Layers, manifest.Layers) {
		r.problem("index.json", "integrity/index-mismatch-layers")
		return nil
	}
	for i, d := range manifest.Layers {
		r.img.Layers[i].bind(d)
	}
	return r.attestations(c.Descriptor, candidates)
}

// sameBlobs says whether the layers that were read are those that the
// descriptors lead to.
func sameBlobs(layers []*Layer, descriptors []v1.Descriptor) bool {
	if len(layers) != len(descriptors) {
		return false
	}
	for i, d := range descriptors {
		if layers[i].Digest != d.Digest && layers[i].Member != blobPath(d.Digest) {
			return false
		}
	}
	return true
}
