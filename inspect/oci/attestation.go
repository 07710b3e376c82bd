package oci

import (
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func IsAttestation(d v1.Descriptor) bool {
	return d.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// Attestations keeps the statements about the image: evidence, not a platform.
func (r *Reader) Attestations(image v1.Descriptor, candidates []Candidate) error {
	seen := make(map[v1.Hash]bool)
	for _, c := range candidates {
		if !IsAttestation(c.Descriptor) || c.Annotations["vnd.docker.reference.digest"] != image.Digest.String() || seen[c.Digest] {
			continue
		}
		seen[c.Digest] = true
		raw, err := r.Evidence(c.Descriptor, "attestation manifest")
		if err != nil {
			return fmt.Errorf("reading an attestation manifest: %w", err)
		}
		var manifest v1.Manifest
		if raw == nil {
			continue
		}
		if err := pass.Decode("attestation manifest "+c.Digest.String(), raw, &manifest); err != nil {
			return err
		}
		if err := r.statements(manifest, image.Digest); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) statements(manifest v1.Manifest, subject v1.Hash) error {
	for _, d := range manifest.Layers {
		statement, err := r.Evidence(d, "attestation")
		if err != nil {
			return fmt.Errorf("reading an attestation: %w", err)
		}
		r.Img.Attestations = append(r.Img.Attestations, image.Attestation{
			PredicateType: d.Annotations["in-toto.io/predicate-type"], Digest: d.Digest, Subject: subject, Statement: statement})
	}
	return nil
}

// Evidence returns the bytes of a document that the image can be read without;
// nil, with a note, when it is not there or too large.
func (r *Reader) Evidence(d v1.Descriptor, where string) ([]byte, error) {
	raw, err := r.Verified(d, where)
	var over *limit.Error
	switch {
	case limit.IsAbsent(err):
		r.Find(check.Note, d.Digest.String(), "integrity/attestation-missing", "document", where)
		return nil, nil
	case errors.As(err, &over) && over.Name == limit.JSONBytes:
		r.Find(check.Note, d.Digest.String(), "integrity/attestation-too-large", "document", where, "limit", over.Limit)
		return nil, nil
	}
	return raw, err
}
