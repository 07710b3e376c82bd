package dockerarchive

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"audit/inspect/archive"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/oci"
	"audit/inspect/pass"
)

// observe finds the image manifest of a docker-archive that is an OCI layout as
// well, which docker save writes since Docker 25. Which of the two an engine
// believes depends on its age and its store, so they have to say the same.
func observe(p *pass.Pass, a *archive.Archive, img *image.Image, all tarball.Manifest) error {
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
		if config, ok := configOf(a, c); ok && config == img.Config.Digest {
			r.CheckTags(candidates, c)
			return observed(r, c, candidates)
		}
	}
	if listsOther(a, candidates, img.Tags, all) {
		r.Problem("index.json", "integrity/index-mismatch")
	} else {
		r.Find(check.Note, "index.json", "integrity/index-lacks-image")
	}
	return nil
}

// listsOther says whether the index leads to an image that manifest.json does not
// list, or that is not there, or to one by a name of the image that was chosen. An index that merely leads
// to fewer images is what docker save writes of images without a name.
func listsOther(a *archive.Archive, candidates []oci.Candidate, tags []string, all tarball.Manifest) bool {
	listed := make(map[v1.Hash]bool)
	for _, d := range all {
		if m, err := a.Follow(d.Config, func(*archive.Member) {}); err == nil {
			listed[m.Digest] = true
		}
	}
	return slices.ContainsFunc(candidates, func(c oci.Candidate) bool {
		config, ok := configOf(a, c)
		isOther := !oci.IsAttestation(c.Descriptor) && (!ok || !listed[config])
		return isOther || slices.ContainsFunc(tags, c.IsNamed)
	})
}

// configOf returns the digest of the config of a candidate; false where that is no
// image, or not in the archive, as those of other platforms need not be.
func configOf(a *archive.Archive, c oci.Candidate) (v1.Hash, bool) {
	m := a.ByPath[digest.BlobPath(c.Digest)]
	if m == nil || m.Body == nil || oci.IsAttestation(c.Descriptor) {
		return v1.Hash{}, false
	}
	var manifest v1.Manifest
	err := pass.Decode("", m.Body, &manifest)
	return manifest.Config.Digest, err == nil && manifest.Config.Digest.Hex != ""
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
