package oci

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
)

// maxAttestations bounds the artifacts beside an image that are looked into, and the
// documents that are read of them: anybody who can write to a repository can add more.
const maxAttestations = 100

// IsAttestation says that a descriptor is labelled as one of statements, as BuildKit
// labels them (docs/attestations/attestation-storage.md).
func IsAttestation(d v1.Descriptor) bool {
	return d.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// Attestations keeps the statements about the image that lie beside it in an index or
// a layout: those that BuildKit labels, and artifacts whose subject is the image or one
// of the manifests of these.
func (r *Reader) Attestations(subject v1.Descriptor, candidates []Candidate) error {
	about := []v1.Hash{subject.Digest, r.Img.Index}
	for _, c := range candidates {
		if IsAttestation(c.Descriptor) && c.Annotations["vnd.docker.reference.digest"] == subject.Digest.String() {
			about = append(about, c.Digest)
			if err := r.Artifact(c.Descriptor, image.InIndex, subject.Digest); err != nil {
				return err
			}
		}
	}
	for _, c := range candidates {
		isAbout := c.statement && !c.isNamedForOther(about)
		if c.subject.Hex != "" {
			isAbout = slices.Contains(about, c.subject)
		}
		if !c.artifact || !isAbout || IsAttestation(c.Descriptor) {
			continue
		}
		if err := r.Artifact(c.Descriptor, image.InIndex, c.subject); err != nil {
			return err
		}
	}
	return nil
}

// isNamedForOther says that the tag of a signature names an image, and another one: cosign
// stores those of sha256:X under the tag sha256-X.sig (cosign specs/SIGNATURE_SPEC.md).
func (c Candidate) isNamedForOther(about []v1.Hash) bool {
	return slices.ContainsFunc(c.names, func(name string) bool {
		tag := name[strings.LastIndexByte(name, ':')+1:]
		stem, end, _ := strings.Cut(tag, ".")
		algorithm, hex, ok := strings.Cut(stem, "-")
		return ok && end != "" && algorithm == "sha256" && len(hex) == 64 && !slices.Contains(about, v1.Hash{Algorithm: algorithm, Hex: hex})
	})
}

// An artifactManifest is the manifest of something that is no image.
type artifactManifest struct {
	v1.Manifest
	ArtifactType types.MediaType `json:"artifactType"`
}

// artifactManifest reads the manifest of an artifact, nil when it cannot be had or is
// none: that is a note, since nobody needs it to run the image.
func (r *Reader) artifactManifest(d v1.Descriptor) (*artifactManifest, []byte, error) {
	raw, err := r.Evidence(d, "attestation manifest")
	if err != nil {
		return nil, nil, fmt.Errorf("reading an attestation manifest: %w", err)
	}
	m := new(artifactManifest)
	if raw == nil {
		return nil, nil, nil
	}
	if err := pass.Decode("attestation manifest "+d.Digest.String(), raw, m); err != nil {
		r.Find(check.Note, d.Digest.String(), "integrity/attestation-unread", "document", "attestation manifest", "error", err)
		return nil, nil, nil
	}
	return m, raw, nil
}

// isStatement recognises the artifacts of statements and signatures by the types that
// they, their configs or their layers have. A list of artifacts has only hints of them.
func isStatement(m artifactManifest) bool {
	if isStatementType(m.ArtifactType) || isStatementType(m.Config.MediaType) {
		return true
	}
	return slices.ContainsFunc(m.Layers, func(l v1.Descriptor) bool { return isStatementType(l.MediaType) })
}

// isStatementType recognises what statements and signatures are called: in-toto's bare
// or in an envelope of DSSE, bundles of Sigstore, the signatures of cosign and of
// notation, and Docker's.
func isStatementType(t types.MediaType) bool {
	return slices.ContainsFunc([]string{
		"application/vnd.in-toto", "application/vnd.dsse", "application/vnd.dev.sigstore.bundle", "application/vnd.dev.cosign.simplesigning",
		"application/vnd.dev.cosign.artifact.sig", "application/vnd.cncf.notary.signature", "application/jose", "application/cose", "application/vnd.docker.attestation",
	}, func(prefix string) bool { return strings.HasPrefix(string(t), prefix) })
}

// Artifact keeps the documents of an artifact that somebody puts beside a manifest,
// when they are statements or signatures; each once. What it is about is a claim of
// where it lies, and decided by what the documents say.
func (r *Reader) Artifact(d v1.Descriptor, place image.Place, refers v1.Hash) error {
	if slices.ContainsFunc(r.Img.Attestations, func(a image.Attestation) bool { return a.Manifest == d.Digest }) {
		return nil
	}
	if r.artifacts++; r.artifacts > maxAttestations {
		r.tooMany()
		return nil
	}
	m, raw, err := r.artifactManifest(d)
	if err != nil || m == nil || !IsAttestation(d) && !isStatement(*m) {
		return err
	}
	for _, layer := range m.Layers {
		if r.documents++; r.documents > maxAttestations {
			r.tooMany()
			return nil
		}
		document, err := r.Evidence(layer, "attestation")
		if err != nil {
			return fmt.Errorf("reading an attestation: %w", err)
		}
		r.Img.Attestations = append(r.Img.Attestations, image.Attestation{
			Place: place, Manifest: d.Digest, ManifestRaw: raw, Refers: refers,
			MediaType: layer.MediaType, Digest: layer.Digest, Annotations: layer.Annotations, Raw: document})
	}
	return nil
}

// tooMany reports once that there are more than are read, so that nobody takes those
// that were for all.
func (r *Reader) tooMany() {
	if !r.cut {
		r.Find(check.Note, "", "integrity/too-many-referrers", "limit", maxAttestations)
	}
	r.cut, r.Img.MoreAttestations = true, true
}

// Evidence returns the bytes of a document that the image can be read without;
// nil, with a note, when it is not there or too large.
func (r *Reader) Evidence(d v1.Descriptor, where string) ([]byte, error) {
	raw, err := r.Verified(d, where)
	var over *limit.Error
	var form *limit.FormatError
	switch {
	case limit.IsAbsent(err):
		r.Find(check.Note, d.Digest.String(), "integrity/attestation-missing", "document", where)
		r.Img.MoreAttestations = true
		return nil, nil
	case errors.As(err, &over) && over.Name == limit.JSONBytes:
		r.Find(check.Note, d.Digest.String(), "integrity/attestation-too-large", "document", where, "limit", over.Limit)
		r.Img.MoreAttestations = true
		return nil, nil
	case errors.As(err, &form):
		r.Find(check.Note, d.Digest.String(), "integrity/attestation-unread", "document", where, "error", form)
		return nil, nil
	}
	return raw, err
}
