package statement

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// NotationTypes are the media types of notation's envelopes: JWS, and COSE, which is
// not read here.
const (
	NotationJWS  = "application/jose+json"
	NotationCOSE = "application/cose"
)

// A NotationSignature is one of the Notary Project. It is over the descriptor of an image's manifest. It says that
// somebody signed, and no more.
type NotationSignature struct {
	Digest string // of the manifest
	Chain  []*x509.Certificate
	Expiry time.Time // after which the signer does not stand by it; zero for never

	algorithm string
	message   []byte
	signature []byte
}

// maxChain bounds the certificates of a signature.
const maxChain = 16

// ParseNotation reads a signature in notation's JWS form.
func ParseNotation(raw []byte) (*NotationSignature, error) {
	s, err := parseNotation(raw)
	if err != nil {
		return nil, fmt.Errorf("reading a signature of notation: %w", err)
	}
	return s, nil
}

func parseNotation(raw []byte) (*NotationSignature, error) {
	if err := checkJSON(raw); err != nil {
		return nil, err
	}
	o, err := parseObject(raw, "payload", "protected", "header", "signature")
	if err != nil {
		return nil, err
	}
	payload, protected := "", ""
	if payload, err = o.text("payload"); err == nil {
		protected, err = o.text("protected")
	}
	if err != nil {
		return nil, err
	}
	s := &NotationSignature{message: []byte(protected + "." + payload)}
	text, err := o.text("signature")
	if err == nil {
		s.signature, err = base64.RawURLEncoding.DecodeString(text)
	}
	if err != nil {
		return nil, errors.New("signature is no base64url")
	}
	if err := s.readPayload(payload); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if err := s.readProtected(protected); err != nil {
		return nil, fmt.Errorf("protected: %w", err)
	}
	return s, s.readChain(o["header"])
}

// part reads a JSON object in base64url.
func part(text string, known ...string) (object, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("it is no base64url")
	}
	if err := checkJSON(raw); err != nil {
		return nil, err
	}
	return parseObject(raw, known...)
}

func (s *NotationSignature) readPayload(text string) error {
	o, err := part(text, "targetArtifact")
	if err != nil {
		return err
	}
	target, err := parseObject(o["targetArtifact"], "mediaType", "digest", "size")
	if err != nil {
		return fmt.Errorf("targetArtifact: %w", err)
	}
	s.Digest, err = target.text("digest")
	return err
}

func (s *NotationSignature) readProtected(text string) error {
	o, err := part(text, "alg", "cty", "crit")
	if err != nil {
		return err
	}
	if s.algorithm, err = o.text("alg"); err != nil {
		return err
	}
	if cty, err := o.text("cty"); err != nil || cty != "application/vnd.cncf.notary.payload.v1+json" {
		return fmt.Errorf("its content type is %q, which is no payload of notation", cty)
	}
	known := map[string]bool{"io.cncf.notary.signingScheme": true, "io.cncf.notary.expiry": true, "io.cncf.notary.authenticSigningTime": true}
	critical, err := o.list("crit")
	if err != nil {
		return err
	}
	for _, raw := range critical {
		var name string
		if json.Unmarshal(raw, &name) != nil || !known[name] {
			return fmt.Errorf("a header that must be understood is not known: %s", raw)
		}
	}
	if when, _ := o.text("io.cncf.notary.expiry"); when != "" {
		s.Expiry, err = time.Parse(time.RFC3339, when)
	}
	return err
}

func (s *NotationSignature) readChain(header json.RawMessage) error {
	o, err := parseObject(header, "x5c")
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	all, err := o.list("x5c")
	switch {
	case err != nil:
		return err
	case len(all) == 0 || len(all) > maxChain:
		return fmt.Errorf("it has %d certificates (1 to %d are possible)", len(all), maxChain)
	}
	for _, raw := range all {
		var der []byte
		if err := json.Unmarshal(raw, &der); err != nil {
			return errors.New("x5c has something that is no base64")
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("parsing a certificate: %w", err)
		}
		s.Chain = append(s.Chain, c)
	}
	return nil
}

// Verify says whether the key of the leaf made the signature, and whether its chain
// leads to a root that is trusted and is valid now: when it was signed is the signer's
// word alone, as long as no timestamp authority says so.
func (s *NotationSignature) Verify(roots *x509.CertPool, now time.Time) error {
	leaf := s.Chain[0]
	if !verifyJWS(s.algorithm, leaf.PublicKey, s.message, s.signature) {
		return ErrInvalid
	}
	if !s.Expiry.IsZero() && now.After(s.Expiry) {
		return fmt.Errorf("it expired on %s", s.Expiry.UTC().Format(time.DateOnly))
	}
	between := x509.NewCertPool()
	for _, c := range s.Chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// ErrInvalid says that a signature is not one of the bytes by the key that it names.
var ErrInvalid = errors.New("the signature is not one of these bytes by its certificate's key")

// verifyJWS verifies a signature of RFC 7518: RSASSA-PSS, or ECDSA as two numbers of
// the curve's size.
func verifyJWS(algorithm string, public crypto.PublicKey, message, signature []byte) bool {
	hashes := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}
	hash, ok := hashes[strings.TrimLeft(algorithm, "PES")]
	if !ok {
		return false
	}
	digest := sum(hash, message)
	switch k := public.(type) {
	case *rsa.PublicKey:
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return strings.HasPrefix(algorithm, "PS") && k.N.BitLen() >= 2048 && rsa.VerifyPSS(k, hash, digest, signature, options) == nil
	case *ecdsa.PublicKey:
		return strings.HasPrefix(algorithm, "ES") && hashOf(k.Curve) == hash && verifyNumbers(k, digest, signature)
	}
	return false
}

func verifyNumbers(k *ecdsa.PublicKey, digest, signature []byte) bool {
	size := (k.Curve.Params().BitSize + 7) / 8
	if len(signature) != 2*size {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	return ecdsa.Verify(k, digest, r, s)
}
