package registry

import (
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/oci"
	"audit/inspect/pass"
	"cmp"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A registry can have statements about an image that are not in its index but
// refer to it (OCI distribution-spec v1.1, "Listing Referrers"). They are kept
// beside those of the index.

// maxReferrers bounds how many statements are fetched: anybody who can write to
// a repository can add more.
const maxReferrers = 100

// referrers reads the attestations that refer to the image. That they cannot be
// had, or that there are none, is no fault of the image.
func referrers(r *oci.Reader, blobs *blobs) error {
	raw, err := blobs.referring(r.Img.Manifest.Digest)
	if limit.IsAbsent(err) {
		return nil
	}
	if err != nil {
		if fatal := r.Pass.Fatal(err); fatal != nil {
			return fatal
		}
		r.Find(check.Note, "", "integrity/referrers-unread", "error", err)
		return nil
	}
	var index v1.IndexManifest
	if err := pass.Decode("list of referrers", raw, &index); err != nil {
		return err
	}
	fetched := 0
	for _, d := range index.Manifests {
		if !holdsStatements(d) {
			continue
		}
		if fetched++; fetched > maxReferrers {
			r.Find(check.Note, "", "integrity/too-many-referrers", "limit", maxReferrers)
			return nil
		}
		if err := referrer(r, d); err != nil {
			return err
		}
	}
	return nil
}

// referring fetches the list of what refers to a manifest; of registries that
// do not know the question it is under a tag.
func (b *blobs) referring(image v1.Hash) ([]byte, error) {
	resp, err := b.get("referrers/"+image.String(), string(types.OCIImageIndex))
	if limit.IsAbsent(err) {
		raw, _, err := b.manifest(image.Algorithm + "-" + image.Hex)
		return raw, err
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return b.pass.ReadDocument("list of referrers", &pass.Stream{Pass: b.pass, R: resp.Body})
}

// holdsStatements recognises the artifacts of in-toto statements: bare, in an
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
func referrer(r *oci.Reader, d v1.Descriptor) error {
	raw, err := r.Evidence(d, "attestation manifest")
	if err != nil || raw == nil {
		return err
	}
	var manifest v1.Manifest
	if err := pass.Decode("attestation manifest "+d.Digest.String(), raw, &manifest); err != nil {
		return err
	}
	for _, layer := range manifest.Layers {
		if slices.ContainsFunc(r.Img.Attestations, func(a image.Attestation) bool { return a.Digest == layer.Digest }) {
			continue
		}
		statement, err := r.Evidence(layer, "attestation")
		if err != nil {
			return fmt.Errorf("reading an attestation: %w", err)
		}
		kind := cmp.Or(layer.Annotations["in-toto.io/predicate-type"], layer.Annotations["predicateType"], manifest.Annotations["dev.sigstore.bundle.predicateType"])
		r.Img.Attestations = append(r.Img.Attestations, image.Attestation{PredicateType: kind, Digest: layer.Digest, Subject: r.Img.Manifest.Digest, Statement: statement})
	}
	return nil
}
