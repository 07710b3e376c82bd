package inspect

import (
	"audit/inspect/check"
	"cmp"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A registry can hold statements about an image that are not in its index but
// refer to it (OCI distribution-spec v1.1, "Listing Referrers"). They are kept
// beside those of the index.

// maxReferrers bounds how many statements are fetched: anybody who can write to
// a repository can add more.
const maxReferrers = 100

// referrers reads the attestations that refer to the image. That they cannot be
// had, or that there are none, is no fault of the image.
func (r *ociReader) referrers(blobs *registryBlobs) error {
	raw, err := blobs.referring(r.img.Manifest.Digest)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		if fatal := r.pass.fatal(err); fatal != nil {
			return fatal
		}
		r.find(check.Note, "", "integrity/referrers-unread", "error", err)
		return nil
	}
	var index v1.IndexManifest
	if err := decode("list of referrers", raw, &index); err != nil {
		return err
	}
	fetched := 0
	for _, d := range index.Manifests {
		if !holdsStatements(d) {
			continue
		}
		if fetched++; fetched > maxReferrers {
			r.find(check.Note, "", "integrity/too-many-referrers", "limit", maxReferrers)
			return nil
		}
		if err := r.referrer(d); err != nil {
			return err
		}
	}
	return nil
}

// referring fetches the list of what refers to a manifest; of registries that
// do not know the question it is under a tag.
func (b *registryBlobs) referring(image v1.Hash) ([]byte, error) {
	resp, err := b.get("referrers/"+image.String(), string(types.OCIImageIndex))
	if isAbsent(err) {
		raw, _, err := b.manifest(image.Algorithm + "-" + image.Hex)
		return raw, err
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return b.pass.readDocument("list of referrers", &source{pass: b.pass, r: resp.Body})
}

// holdsStatements tells the artifacts that hold in-toto statements: bare, in an
// envelope, or in a bundle of Sigstore.
func holdsStatements(d v1.Descriptor) bool {
	for _, kind := range []string{"application/vnd.in-toto", "application/vnd.dsse", "application/vnd.dev.sigstore.bundle", "application/vnd.docker.attestation"} {
		if strings.HasPrefix(d.ArtifactType, kind) {
			return true
		}
	}
	return false
}

// referrer reads the statements of one artifact.
func (r *ociReader) referrer(d v1.Descriptor) error {
	raw, err := r.evidence(d, "attestation manifest")
	if err != nil || raw == nil {
		return err
	}
	var manifest v1.Manifest
	if err := decode("attestation manifest "+d.Digest.String(), raw, &manifest); err != nil {
		return err
	}
	for _, layer := range manifest.Layers {
		if slices.ContainsFunc(r.img.Attestations, func(a Attestation) bool { return a.Digest == layer.Digest }) {
			continue
		}
		statement, err := r.evidence(layer, "attestation")
		if err != nil {
			return fmt.Errorf("reading an attestation: %w", err)
		}
		kind := cmp.Or(layer.Annotations["in-toto.io/predicate-type"], layer.Annotations["predicateType"], manifest.Annotations["dev.sigstore.bundle.predicateType"])
		r.img.Attestations = append(r.img.Attestations, Attestation{PredicateType: kind, Digest: layer.Digest, Subject: r.img.Manifest.Digest, Statement: statement})
	}
	return nil
}
