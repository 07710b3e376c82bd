package signatures

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"filippo.io/edwards25519"
)

// Signatures in a line "Signature: 1;HOST;BASE64" of a canonical S-expression over
// all text before it, by ECDSA over the curve Ed25519, which is not EdDSA, or by
// RSA (Guix 1.5, modules (guix narinfo) and (guix pki); libgcrypt 1.10). Public
// keys are S-expressions too: as guix archive --generate-key writes them to
// signing-key.pub, or as they stand in /etc/guix/acl.

func parseExpressionKeys(name string, text []byte) ([]Key, error) {
	all, err := parseSexps(text)
	if err != nil {
		return nil, err
	}
	forms, err := publicKeys(all)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for i, form := range forms {
		k, err := expressionKey(form)
		if err != nil {
			return nil, fmt.Errorf("public key %d: %w", i+1, err)
		}
		k.Name = name
		if len(forms) > 1 {
			k.Name = fmt.Sprintf("%s#%d", name, i+1)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// publicKeys returns the (public-key …) forms of a file: those that it consists
// of, and those that an access control list allows to import.
func publicKeys(all []sexp) ([]sexp, error) {
	var forms []sexp
	for _, s := range all {
		switch {
		case s.is("public-key"):
			forms = append(forms, s)
		case s.is("acl"):
			for _, entry := range s.list[1:] {
				if key, ok := allowed(entry); ok {
					forms = append(forms, key)
				}
			}
		case s.is("private-key"), s.is("key-data"):
			return nil, errors.New("this is a private key: give the public one, and keep this one to yourself")
		default:
			return nil, errors.New("(public-key …) belongs here")
		}
	}
	return forms, nil
}

// allowed returns the key of an (entry KEY (tag (SYSTEM import))).
func allowed(entry sexp) (sexp, bool) {
	key, err := entry.field("public-key")
	if err != nil || !entry.is("entry") {
		return sexp{}, false
	}
	tag, err := entry.field("tag")
	if err != nil || len(tag.list) != 2 {
		return sexp{}, false
	}
	what := tag.list[1] // (SYSTEM import)
	return key, len(what.list) == 2 && what.list[1].isAtom("import")
}

// expressionKey reads a (public-key …) of libgcrypt.
func expressionKey(s sexp) (Key, error) {
	if !s.is("public-key") || len(s.list) != 2 {
		return Key{}, errors.New("(public-key (KIND …)) belongs here")
	}
	switch kind := s.list[1]; {
	case kind.is("ecc"), kind.is("ecdsa"):
		return newECCKey(kind)
	case kind.is("rsa"):
		return newRSAKey(kind)
	}
	return Key{}, errors.New("a kind of key that is neither ecc nor rsa")
}

func newECCKey(kind sexp) (Key, error) {
	name, err := kind.value("curve")
	if err != nil {
		return Key{}, err
	}
	if string(name) != "Ed25519" {
		return Key{}, fmt.Errorf("the curve %q, where only Ed25519 is known", name)
	}
	if flags, err := kind.field("flags"); err == nil && slices.ContainsFunc(flags.list, func(f sexp) bool { return f.isAtom("eddsa") }) {
		return Key{}, errors.New("a key for EdDSA, with which no farm signs")
	}
	raw, err := kind.value("q")
	if err != nil {
		return Key{}, err
	}
	q, err := decodePoint(raw)
	if err != nil {
		return Key{}, err
	}
	return Key{ecc: q, fingerprint: fmt.Sprintf("ecc:%X", q.Bytes())}, nil
}

// rsaBits bounds the size of RSA keys, so that no key takes long to verify
// with.
const rsaBits = 16384

func newRSAKey(kind sexp) (Key, error) {
	n, err := kind.value("n")
	if err != nil {
		return Key{}, err
	}
	e, err := kind.value("e")
	if err != nil {
		return Key{}, err
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if modulus.BitLen() > rsaBits || exponent.BitLen() > 31 {
		return Key{}, fmt.Errorf("an RSA key of %d bits with an exponent of %d", modulus.BitLen(), exponent.BitLen())
	}
	k := &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
	return Key{rsa: k, fingerprint: fmt.Sprintf("rsa:%X", sha256.Sum256(x509.MarshalPKCS1PublicKey(k)))}, nil
}

// expressionSigners verifies the line Signature, 1;HOST;BASE64 of
//
//	(signature (data (flags F) (hash sha256 HASH)) (sig-val …) (public-key …))
//
// where HASH is that of all text before the line (Guix 1.5, modules (guix
// narinfo) and (guix pki)).
func (info *narinfo) expressionSigners(keys []Key) ([]Key, error) {
	if !info.listed {
		return nil, errors.New("the references are not among what is signed")
	}
	s, err := decodeSignature(info.signature)
	if err != nil {
		return nil, err
	}
	form, err := s.field("public-key")
	if err != nil {
		return nil, err
	}
	claimed, err := expressionKey(form)
	if err != nil {
		return nil, fmt.Errorf("the key that it is signed by: %w", err)
	}
	for _, k := range keys {
		if k.Fingerprint() == claimed.Fingerprint() {
			if err := k.verifyExpression(s, sha256.Sum256(info.signed)); err != nil {
				return nil, fmt.Errorf("%s: %w", k.Name, err)
			}
			return []Key{k}, nil
		}
	}
	return nil, &untrustedError{claimed.Fingerprint()}
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

// verifyExpression verifies a (signature …) over a hash.
func (k Key) verifyExpression(s sexp, hash [sha256.Size]byte) error {
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
	return fmt.Errorf("the flag %.20q, with which no farm signs by such a key", flags)
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
