package apk

import (
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // what Alpine signs to this day
	"crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// A Key is a public key of RSA.
type Key struct {
	Name        string // of its file, without folders
	Fingerprint string // SHA-256 of its PKIX form, in hexadecimal, upper case
	public      *rsa.PublicKey
}

const pemType = "PUBLIC KEY"

// IsKey says whether a text looks like a public key in PEM.
func IsKey(text []byte) bool {
	block, _ := pem.Decode(text)
	return block != nil && block.Type == pemType
}

// ReadKey reads a public key in PEM, whose file has a name.
func ReadKey(name string, text []byte) (Key, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return Key{}, errors.New("it is no public key in PEM")
	}
	if strings.TrimSpace(string(rest)) != "" {
		return Key{}, errors.New("something follows the public key")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("reading a public key: %w", err)
	}
	public, ok := parsed.(*rsa.PublicKey)
	if !ok || public.N.BitLen() < 1024 {
		return Key{}, errors.New("it is no key of RSA of 1024 bits or more, with which packages are signed")
	}
	return Key{Name: name, Fingerprint: fmt.Sprintf("%X", sha256.Sum256(block.Bytes)), public: public}, nil
}

// A signature is that of the bytes that follow it.
type signature struct {
	hash crypto.Hash
	raw  []byte
}

// named reads from the name of a signature's file what it is.
func named(file string, raw []byte) (s signature, ok bool) {
	for prefix, hash := range map[string]crypto.Hash{".SIGN.RSA.": crypto.SHA1, ".SIGN.RSA256.": crypto.SHA256, ".SIGN.RSA512.": crypto.SHA512} {
		if strings.HasPrefix(file, prefix) {
			return signature{hash, raw}, true
		}
	}
	return signature{}, false
}

// verify returns the key that made one of the signatures of these bytes.
func verify(keys []Key, signatures []signature, signed []byte) (Key, bool) {
	for _, s := range signatures {
		h := s.hash.New()
		h.Write(signed)
		sum := h.Sum(nil)
		for _, k := range keys {
			if rsa.VerifyPKCS1v15(k.public, s.hash, sum, s.raw) == nil {
				return k, true
			}
		}
	}
	return Key{}, false
}
