package statement

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// BundleType is the media type of the bundles that are written.
const BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// isBundleType recognises the media types that bundles of Sigstore have had.
func isBundleType(mediaType string) bool {
	base, version, old := strings.Cut(mediaType, ";version=")
	switch {
	case old:
		return base == "application/vnd.dev.sigstore.bundle+json" && (version == "0.1" || version == "0.2" || version == "0.3")
	default:
		return mediaType == BundleType
	}
}

// A Bundle is one of Sigstore: a signed envelope, or the signature of a blob, with
// what is needed to verify it.
type Bundle struct {
	MediaType   string
	Envelope    *Envelope // nil for the signature of a blob
	Hint        string    // of the public key; "" when there is a certificate
	Certificate []byte    // DER, of a keyless signature; nil when there is none
}

// parseBundle reads a bundle that was checked. As its format demands, an envelope in it
// has one signature.
func parseBundle(raw []byte) (*Bundle, error) {
	o, err := parseObject(raw)
	if err == nil {
		err = o.only("mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature")
	}
	if err != nil {
		return nil, err
	}
	b := new(Bundle)
	if b.MediaType, err = o.text("mediaType"); err != nil {
		return nil, err
	}
	if !isBundleType(b.MediaType) {
		return nil, fmt.Errorf("its mediaType is %q, which is no bundle that is known", b.MediaType)
	}
	if err := b.material(o["verificationMaterial"]); err != nil {
		return nil, fmt.Errorf("verificationMaterial: %w", err)
	}
	envelope, ok := o["dsseEnvelope"]
	if _, blob := o["messageSignature"]; ok == blob {
		return nil, errors.New("it has not exactly one of dsseEnvelope and messageSignature")
	}
	if !ok {
		return b, nil
	}
	if b.Envelope, err = parseEnvelope(envelope); err != nil {
		return nil, fmt.Errorf("dsseEnvelope: %w", err)
	}
	if len(b.Envelope.Signatures) != 1 {
		return nil, fmt.Errorf("its envelope has %d signatures, and a bundle has exactly one", len(b.Envelope.Signatures))
	}
	return b, nil
}

// material reads whose signature it is.
func (b *Bundle) material(raw json.RawMessage) error {
	o, err := parseObject(raw)
	if err == nil {
		err = o.only("publicKey", "certificate", "x509CertificateChain", "tlogEntries", "timestampVerificationData")
	}
	if err != nil {
		return err
	}
	count := 0
	for _, one := range []string{"publicKey", "certificate", "x509CertificateChain"} {
		if _, ok := o[one]; ok {
			count++
		}
	}
	if count > 1 {
		return errors.New("it names more than one of a key, a certificate and a chain of these")
	}
	if key, ok := o["publicKey"]; ok {
		k, err := parseObject(key, "hint")
		if err != nil {
			return fmt.Errorf("publicKey: %w", err)
		}
		b.Hint, err = k.text("hint")
		return err
	}
	first, ok := o["certificate"]
	if chain, has := o["x509CertificateChain"]; has {
		c, err := parseObject(chain, "certificates")
		if err != nil {
			return fmt.Errorf("x509CertificateChain: %w", err)
		}
		all, err := c.list("certificates")
		if err != nil {
			return err
		}
		if len(all) > 0 {
			first, ok = all[0], true
		}
	}
	if !ok {
		return errors.New("it names neither a key nor a certificate")
	}
	c, err := parseObject(first, "rawBytes")
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	b.Certificate, err = c.bytes("rawBytes")
	return err
}

// NewBundle makes the bundle of an envelope that a key signed. With a key of Ed25519
// the same envelope gives the same bytes.
func NewBundle(e *Envelope, key Key) ([]byte, error) {
	type publicKey struct {
		Hint string `json:"hint"`
	}
	type material struct {
		PublicKey publicKey `json:"publicKey"`
	}
	id := key.ID()
	return json.Marshal(struct {
		MediaType string    `json:"mediaType"`
		Material  material  `json:"verificationMaterial"`
		Envelope  *Envelope `json:"dsseEnvelope"`
	}{BundleType, material{publicKey{base64.StdEncoding.EncodeToString(id[:])}}, e})
}
