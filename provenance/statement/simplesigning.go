package statement

import (
	"errors"
	"fmt"
)

// SimpleSigningType is the media type of the payload that cosign 1 and 2 sign.
const SimpleSigningType = "application/vnd.dev.cosign.simplesigning.v1+json"

// SimpleSigningAnnotation is the annotation of its layer with the signature, base64.
const SimpleSigningAnnotation = "dev.cosignproject.cosign/signature"

// A Payload is what cosign 1 and 2 sign of an image: its manifest's digest.
type Payload struct {
	Reference string // under which it was signed; may be ""
	Digest    string // of the manifest, as in "sha256:…"
}

// ParsePayload reads such a payload.
func ParsePayload(raw []byte) (*Payload, error) {
	p, err := parsePayload(raw)
	if err != nil {
		return nil, fmt.Errorf("reading a payload of simple signing: %w", err)
	}
	return p, nil
}

func parsePayload(raw []byte) (*Payload, error) {
	if err := checkJSON(raw); err != nil {
		return nil, err
	}
	o, err := parseObject(raw, "critical", "optional")
	if err != nil {
		return nil, err
	}
	critical, err := parseObject(o["critical"], "identity", "image", "type")
	if err != nil {
		return nil, fmt.Errorf("critical: %w", err)
	}
	kind, err := critical.text("type")
	if err != nil || kind != "cosign container image signature" {
		return nil, fmt.Errorf("critical.type is %q, which is no signature of an image", kind)
	}
	p := new(Payload)
	if raw, ok := critical["identity"]; ok {
		identity, err := parseObject(raw, "docker-reference")
		if err != nil {
			return nil, fmt.Errorf("critical.identity: %w", err)
		}
		if p.Reference, err = identity.text("docker-reference"); err != nil {
			return nil, err
		}
	}
	image, err := parseObject(critical["image"], "docker-manifest-digest")
	if err != nil {
		return nil, fmt.Errorf("critical.image: %w", err)
	}
	if p.Digest, err = image.text("docker-manifest-digest"); err != nil {
		return nil, err
	}
	if p.Digest == "" {
		return nil, errors.New("it names no digest")
	}
	return p, nil
}
