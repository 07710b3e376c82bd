package inspect

import (
	"audit/inspect/check"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func isAttestation(d v1.Descriptor) bool {
	return d.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// attestations keeps the statements about the image: evidence, not a platform.
func (r *ociReader) attestations(image v1.Descriptor, candidates []candidate) error {
	seen := make(map[v1.Hash]bool)
	for _, c := range candidates {
		if !isAttestation(c.Descriptor) || c.Annotations["vnd.docker.reference.digest"] != image.Digest.String() || seen[c.Digest] {
			continue
		}
		seen[c.Digest] = true
		raw, err := r.evidence(c.Descriptor, "attestation manifest")
		if err != nil {
			return fmt.Errorf("reading an attestation manifest: %w", err)
		}
		var manifest v1.Manifest
		if raw == nil {
			continue
		}
		if err := decode("attestation manifest "+c.Digest.String(), raw, &manifest); err != nil {
			return err
		}
		if err := r.statements(manifest, image.Digest); err != nil {
			return err
		}
	}
	return nil
}

func (r *ociReader) statements(manifest v1.Manifest, subject v1.Hash) error {
	for _, d := range manifest.Layers {
		statement, err := r.evidence(d, "attestation")
		if err != nil {
			return fmt.Errorf("reading an attestation: %w", err)
		}
		r.img.Attestations = append(r.img.Attestations, Attestation{
			PredicateType: d.Annotations["in-toto.io/predicate-type"], Digest: d.Digest, Subject: subject, Statement: statement})
	}
	return nil
}

// evidence returns the bytes of a document that the image can be read without;
// nil, with a note, when it is not there or too large.
func (r *ociReader) evidence(d v1.Descriptor, where string) ([]byte, error) {
	raw, err := r.verified(d, where)
	var limit *LimitError
	switch {
	case isAbsent(err):
		r.find(check.Note, d.Digest.String(), "integrity/attestation-missing", "document", where)
		return nil, nil
	case errors.As(err, &limit) && limit.Name == "JSON bytes":
		r.find(check.Note, d.Digest.String(), "integrity/attestation-too-large", "document", where, "limit", limit.Limit)
		return nil, nil
	}
	return raw, err
}
