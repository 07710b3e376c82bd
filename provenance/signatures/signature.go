package signatures

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"filippo.io/edwards25519"
	"github.com/nix-community/go-nix/pkg/narinfo/signature"
)

var errWrongSignature = errors.New("the signature is not one of this text by this key")

// An untrustedError reports a signature by a key that nobody said to trust.
type untrustedError struct{ key string }

func (e *untrustedError) Error() string {
	return "signed by the key " + e.key + ", which is not trusted"
}

// signers returns the trusted keys whose signature of the narinfo holds. When
// there is none the error says why, and is an [*untrustedError] where another
// key would have to be trusted.
func (info *narinfo) signers(keys []Key) ([]Key, error) {
	switch {
	case info.signature != "":
		k, err := info.guixSigner(keys)
		if err != nil {
			return nil, err
		}
		return []Key{k}, nil
	case len(info.sigs) > 0:
		return info.nixSigners(keys)
	}
	return nil, errors.New("the narinfo bears no signature")
}

// nixSigners verifies the lines Sig, NAME:BASE64. One that holds is enough, as
// it is for Nix.
func (info *narinfo) nixSigners(keys []Key) (signers []Key, err error) {
	text := []byte(info.fingerprint())
	for _, line := range info.sigs {
		k, bad := nixSigner(text, line, keys)
		if bad == nil {
			signers = append(signers, k)
			continue
		}
		// The signature that fails under a trusted name says more than one
		// that is merely by somebody else.
		if _, foreign := errors.AsType[*untrustedError](bad); err == nil || !foreign {
			err = bad
		}
	}
	if len(signers) > 0 {
		return signers, nil
	}
	return nil, err
}

func nixSigner(text []byte, line string, keys []Key) (Key, error) {
	sig, err := signature.ParseSignature(line)
	if err != nil {
		return Key{}, err
	}
	named := false
	for _, k := range keys {
		if k.nix == nil || k.Name != sig.Name {
			continue
		}
		if named = true; ed25519.Verify(k.nix, text, sig.Data) {
			return k, nil
		}
	}
	if named {
		return Key{}, fmt.Errorf("%s: %w", sig.Name, errWrongSignature)
	}
	return Key{}, &untrustedError{fmt.Sprintf("%.100q", sig.Name)}
}

// guixSigner verifies the line Signature, 1;HOST;BASE64 of
//
//	(signature (data (flags F) (hash sha256 HASH)) (sig-val …) (public-key …))
//
// where HASH is that of all text before the line (Guix 1.5, modules (guix
// narinfo) and (guix pki)).
func (info *narinfo) guixSigner(keys []Key) (Key, error) {
	if !info.listed {
		return Key{}, errors.New("the references are not among what is signed")
	}
	s, err := decodeSignature(info.signature)
	if err != nil {
		return Key{}, err
	}
	form, err := s.field("public-key")
	if err != nil {
		return Key{}, err
	}
	claimed, err := guixKey(form)
	if err != nil {
		return Key{}, fmt.Errorf("the key that it is signed by: %w", err)
	}
	for _, k := range keys {
		if k.Fingerprint() == claimed.Fingerprint() {
			if err := k.verifyGuix(s, sha256.Sum256(info.signed)); err != nil {
				return Key{}, fmt.Errorf("%s: %w", k.Name, err)
			}
			return k, nil
		}
	}
	return Key{}, &untrustedError{claimed.Fingerprint()}
}

func decodeSignature(value string) (sexp, error) {
	parts := strings.Split(value, ";")
	if len(parts) != 3 {
		return sexp{}, errors.New("the signature has not the form VERSION;HOST;BASE64")
	}
	if parts[0] != "1" {
		return sexp{}, fmt.Errorf("a signature of version %.20q, where only 1 is known", parts[0])
	}
	text, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return sexp{}, fmt.Errorf("the signature is cut off or damaged: %w", err)
	}
	s, err := parseSexp(text)
	if err != nil {
		return sexp{}, fmt.Errorf("the signature is cut off or damaged: %w", err)
	}
	if !s.is("signature") {
		return sexp{}, errors.New("the signature is not a (signature …)")
	}
	return s, nil
}

// verifyGuix verifies a (signature …) over a hash.
func (k Key) verifyGuix(s sexp, hash [sha256.Size]byte) error {
	if err := signsHash(s, hash); err != nil {
		return err
	}
	flags, err := s.value("data", "flags")
	if err != nil {
		return err
	}
	switch {
	case k.ecc != nil && string(flags) == "rfc6979":
		return verifyECC(k.ecc, s, hash)
	case k.rsa != nil && string(flags) == "pkcs1":
		return verifyRSA(k.rsa, s, hash[:])
	}
	return fmt.Errorf("the flag %.20q, with which Guix does not sign by such a key", flags)
}

// signsHash says whether a (signature …) is about that hash.
func signsHash(s sexp, hash [sha256.Size]byte) error {
	data, err := s.field("data")
	if err != nil {
		return err
	}
	h, err := data.field("hash")
	if err != nil {
		return err
	}
	if len(h.list) != 3 || !h.list[1].isAtom("sha256") {
		return errors.New("what is signed is not a SHA-256 hash")
	}
	if !bytes.Equal(h.list[2].atom, hash[:]) {
		return errors.New("what is signed is another text: the narinfo was changed")
	}
	return nil
}

// verifyECC says whether a (signature …) is one of a hash by the key.
func verifyECC(key *edwards25519.Point, sig sexp, hash [sha256.Size]byte) error {
	r, err := sig.value("sig-val", "ecdsa", "r")
	if err != nil {
		return err
	}
	s, err := sig.value("sig-val", "ecdsa", "s")
	if err != nil {
		return err
	}
	if !verifyECDSA(key, hash, r, s) {
		return errWrongSignature
	}
	return nil
}

// verifyRSA says whether a (signature …) is one of a SHA-256 hash by the key,
// in RSASSA-PKCS1-v1_5.
func verifyRSA(key *rsa.PublicKey, sig sexp, hash []byte) error {
	raw, err := sig.value("sig-val", "rsa", "s")
	if err != nil {
		return err
	}
	s := new(big.Int).SetBytes(raw)
	if s.BitLen() > key.N.BitLen() {
		return errWrongSignature
	}
	// libgcrypt leaves out leading zeros, which belong to a signature.
	err = rsa.VerifyPKCS1v15(key, crypto.SHA256, hash, s.FillBytes(make([]byte, key.Size())))
	if errors.Is(err, rsa.ErrVerification) {
		return errWrongSignature
	}
	return err
}
