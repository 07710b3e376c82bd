package statement

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // of the hashes of ECDSA over P-384 and P-521
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"filippo.io/edwards25519"
)

// A Key is a public key: Ed25519, ECDSA over P-256, P-384 or P-521, or RSA of at
// least 2,048 bits.
type Key struct {
	Name   string // as the user calls it
	public crypto.PublicKey
	id     [sha256.Size]byte
}

// ID is the SHA-256 of the key's SubjectPublicKeyInfo in DER: it tells keys apart,
// whatever they are called.
func (k Key) ID() [sha256.Size]byte { return k.id }

// ParseKey reads a public key in PEM ("PUBLIC KEY", RFC 5280's SubjectPublicKeyInfo),
// as openssl and cosign write them.
func ParseKey(name string, text []byte) (Key, error) {
	block, rest := pem.Decode(text)
	switch {
	case block != nil && !bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN")):
		return Key{}, errors.New("something stands before the key: give one key a file")
	case block == nil:
		return Key{}, errors.New("it is no PEM file (a public key begins with -----BEGIN PUBLIC KEY-----)")
	case strings.Contains(block.Type, "PRIVATE"):
		return Key{}, fmt.Errorf("it is a private key (%s): give the public one", block.Type)
	case block.Type != "PUBLIC KEY":
		return Key{}, fmt.Errorf("it is a PEM file of a %s, and no PUBLIC KEY", block.Type)
	case len(strings.TrimSpace(string(rest))) > 0:
		return Key{}, errors.New("something follows the key: give one key a file")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("parsing it: %w", err)
	}
	return newKey(name, public)
}

func newKey(name string, public crypto.PublicKey) (Key, error) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
	case ed25519.PublicKey:
		// With a point of small order there are signatures of every message.
		if p, err := new(edwards25519.Point).SetBytes(k); err != nil || new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1 {
			return Key{}, errors.New("it is no key of Ed25519 that anybody could have made")
		}
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return Key{}, fmt.Errorf("it is an RSA key of %d bits; 2,048 are the least", k.N.BitLen())
		}
	default:
		return Key{}, fmt.Errorf("it is a key of a kind that is not known (%T)", public)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, fmt.Errorf("encoding it: %w", err)
	}
	return Key{Name: name, public: public, id: sha256.Sum256(der)}, nil
}

// PEM is the key as [ParseKey] reads it.
func (k Key) PEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		panic(err) // newKey has done it before
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// Verify says whether the key made a signature over a message. Which hash goes with
// a curve is a matter of who signed: that of the curve's size, or SHA-256 with any.
func (k Key) Verify(message, signature []byte) bool {
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(public, message, signature)
	case *ecdsa.PublicKey:
		for _, h := range []crypto.Hash{crypto.SHA256, hashOf(public.Curve)} {
			if ecdsa.VerifyASN1(public, sum(h, message), signature) {
				return true
			}
		}
	case *rsa.PublicKey:
		digest := sum(crypto.SHA256, message)
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature) == nil ||
			rsa.VerifyPSS(public, crypto.SHA256, digest, signature, nil) == nil
	}
	return false
}

func hashOf(curve elliptic.Curve) crypto.Hash {
	switch curve {
	case elliptic.P384():
		return crypto.SHA384
	case elliptic.P521():
		return crypto.SHA512
	}
	return crypto.SHA256
}

func sum(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// A PrivateKey signs statements.
type PrivateKey struct {
	signer crypto.Signer
	public Key
}

// Public is the key that verifies its signatures.
func (k *PrivateKey) Public() Key { return k.public }

// GenerateKey makes a key of Ed25519, and returns it in PEM as well ("PRIVATE KEY",
// PKCS #8).
func GenerateKey(name string) (*PrivateKey, []byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding a key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	key, err := ParsePrivateKey(name, text)
	return key, text, err
}

// ParsePrivateKey reads a private key in PEM, of Ed25519 or of ECDSA over P-256, as
// openssl and [GenerateKey] write them. Encrypted keys are refused.
func ParsePrivateKey(name string, text []byte) (*PrivateKey, error) {
	block, _ := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("it is no PEM file (a private key begins with -----BEGIN PRIVATE KEY-----)")
	case strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["Proc-Type"] != "":
		return nil, fmt.Errorf("it is encrypted (%s), which audit does not read: sign the statement with the tool that made the key (cosign attest-blob --statement)", block.Type)
	case strings.Contains(block.Type, "PUBLIC"):
		return nil, fmt.Errorf("it is a public key (%s): signing needs the private one", block.Type)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if block.Type == "EC PRIVATE KEY" {
		private, err = x509.ParseECPrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("parsing it: %w", err)
	}
	signer, ok := private.(crypto.Signer)
	if ec, isEC := private.(*ecdsa.PrivateKey); !ok || isEC && ec.Curve != elliptic.P256() {
		ok = false
	}
	if _, isRSA := private.(*rsa.PrivateKey); !ok || isRSA {
		return nil, errors.New("statements are signed with a key of Ed25519 or of ECDSA over P-256: all verifiers take these")
	}
	public, err := newKey(name, signer.Public())
	return &PrivateKey{signer: signer, public: public}, err
}

func (k *PrivateKey) sign(message []byte) ([]byte, error) {
	if _, ok := k.signer.(ed25519.PrivateKey); ok {
		return k.signer.Sign(rand.Reader, message, crypto.Hash(0))
	}
	return k.signer.Sign(rand.Reader, sum(crypto.SHA256, message), crypto.SHA256)
}
