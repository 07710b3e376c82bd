// Package keyless verifies bundles of Sigstore that were signed with a certificate of
// short life: that Fulcio, or another authority, gave it to an identity, and that a log
// or a timestamp authority saw the signature while it was valid. Nothing is fetched:
// whom to trust stands in a trusted root, a JSON file (Sigstore protobuf-specs,
// sigstore_trustroot.proto) as `cosign trusted-root create` and `gh attestation
// trusted-root` write it.
//
// The verification is that of sigstore-go, the library that Sigstore itself keeps: a
// chain of certificates, Merkle trees and timestamps is nothing to have code of one's
// own for. It is imported here alone.
package keyless

import (
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// An Identity is to whom a certificate was given, and who says so: the subject
// alternative name, exactly, such as the address of a workflow; and the issuer of the
// token with which it was shown.
type Identity struct{ Name, Issuer string }

// ErrIdentity is that of a good signature by somebody else than the identities that
// are trusted.
var ErrIdentity = errors.New("it is by an identity that is not trusted")

// A Verifier verifies bundles against one trusted root.
type Verifier struct {
	verifier   *verify.Verifier
	identities []verify.CertificateIdentity
}

// New makes a verifier. An error is about the trusted root or an identity. Where the
// root has logs of certificates, each certificate must be in one of them.
func New(trustedRoot []byte, identities []Identity) (*Verifier, error) {
	material, err := root.NewTrustedRootFromJSON(trustedRoot)
	if err != nil {
		return nil, fmt.Errorf("reading the trusted root: %w", err)
	}
	options := []verify.VerifierOption{verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1)}
	if len(material.CTLogs()) > 0 {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	v := new(Verifier)
	if v.verifier, err = verify.NewVerifier(material, options...); err != nil {
		return nil, fmt.Errorf("reading the trusted root: %w", err)
	}
	for _, id := range identities {
		one, err := verify.NewShortCertificateIdentity(id.Issuer, "", id.Name, "")
		if err != nil {
			return nil, fmt.Errorf("the identity %q by %q: %w", id.Name, id.Issuer, err)
		}
		v.identities = append(v.identities, one)
	}
	return v, nil
}

// Signer verifies a bundle and returns to whom its certificate was given. What the
// statement in it is about is not looked at. The error wraps [ErrIdentity] when all is
// well but for the identity.
func (v *Verifier) Signer(raw []byte) (string, error) {
	b := new(bundle.Bundle)
	if err := b.UnmarshalJSON(raw); err != nil {
		return "", err
	}
	result, err := v.verifier.Verify(b, verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithoutIdentitiesUnsafe()))
	if err != nil {
		return "", err
	}
	if result.Signature == nil || result.Signature.Certificate == nil {
		return "", errors.New("it has no certificate")
	}
	certificate := result.Signature.Certificate
	for _, id := range v.identities {
		if id.Verify(*certificate) == nil {
			return certificate.SubjectAlternativeName, nil
		}
	}
	return certificate.SubjectAlternativeName, ErrIdentity
}
