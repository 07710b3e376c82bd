package signatures

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/edwards25519"
	"github.com/nix-community/go-nix/pkg/narinfo/signature"

	"audit/provenance"
)

// A Key is a public key of a build farm that is trusted to say what a store
// item is.
type Key struct {
	// Name is what reports call the key. For a key of Nix it is the name that
	// its signatures bear.
	Name string

	// fingerprint is reckoned once: it is asked for at every comparison.
	fingerprint string

	// One of these is set: a key of Nix, or one of the two kinds that Guix
	// makes, for ECDSA over the curve Ed25519 and for RSA.
	nix ed25519.PublicKey
	ecc *edwards25519.Point
	rsa *rsa.PublicKey
}

// Fingerprint tells keys apart, whatever they are called: the kind of the key
// and, in hexadecimal, its 32 bytes or, for RSA, the SHA-256 of its PKCS #1
// form.
func (k Key) Fingerprint() string { return k.fingerprint }

// OfficialKeys are the keys of the farms that Guix and Nix trust as they are
// installed: bordeaux.guix.gnu.org, ci.guix.gnu.org (Guix 1.5, etc/substitutes)
// and cache.nixos.org.
func OfficialKeys() []Key {
	const (
		bordeaux = `(public-key (ecc (curve Ed25519) (q #7D602902D3A2DBB83F8A0FB98602A754C5493B0B778C8D1DD4E0F41DE14DE34F#)))`
		ci       = `(public-key (ecc (curve Ed25519) (q #8D156F295D24B0D9A86FA5741A840FF2D24F60F7B6C4134814AD55625971B394#)))`
		nixos    = `cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=`
	)
	var all []Key
	for _, k := range []struct{ name, text string }{{"bordeaux.guix.gnu.org", bordeaux}, {"ci.guix.gnu.org", ci}, {"", nixos}} {
		keys, _ := ParseKeys(k.name, []byte(k.text))
		all = append(all, keys...)
	}
	return all
}

// OfficialServers are the substitute servers of the project that makes a build
// system; none for a system that has none.
func OfficialServers(system provenance.SystemName) []string {
	switch system {
	case provenance.Guix:
		return []string{"https://bordeaux.guix.gnu.org", "https://ci.guix.gnu.org"}
	case provenance.Nix:
		return []string{"https://cache.nixos.org"}
	}
	return nil
}

// keyFileBytes bounds what a file of public keys may hold.
const keyFileBytes = 1 << 20

// ReadKeys reads a file of public keys as [ParseKeys] takes it. Keys of Guix
// are called by the name of the file, without ".pub".
func ReadKeys(path string) ([]Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading a trusted key: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, keyFileBytes+1))
	if err == nil && len(text) > keyFileBytes {
		err = fmt.Errorf("more than %d bytes", keyFileBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the trusted key %s: %w", path, err)
	}
	keys, err := ParseKeys(strings.TrimSuffix(filepath.Base(path), ".pub"), text)
	if err != nil {
		return nil, fmt.Errorf("reading the trusted key %s: %w", path, err)
	}
	return keys, nil
}

// ParseKeys reads public keys: those of Guix, as guix archive --generate-key
// writes them to signing-key.pub or as they stand in /etc/guix/acl, or those of
// Nix, each of the form NAME:BASE64. Keys of Guix bear no name: they get the one
// given, and a number where there are several.
func ParseKeys(name string, text []byte) (keys []Key, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("(")) {
		keys, err = parseGuixKeys(name, text)
	} else {
		keys, err = parseNixKeys(text)
	}
	if err == nil && len(keys) == 0 {
		err = errors.New("it holds no public key")
	}
	return keys, err
}

func parseNixKeys(text []byte) ([]Key, error) {
	var keys []Key
	for field := range strings.FieldsSeq(string(text)) {
		k, err := signature.ParsePublicKey(field)
		if err != nil {
			return nil, fmt.Errorf("neither a public key of Guix, (public-key …), nor one of Nix, NAME:BASE64: %w", err)
		}
		keys = append(keys, Key{Name: k.Name, nix: k.Data, fingerprint: fmt.Sprintf("ed25519:%X", []byte(k.Data))})
	}
	return keys, nil
}

func parseGuixKeys(name string, text []byte) ([]Key, error) {
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
		k, err := guixKey(form)
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

// allowed returns the key of an (entry KEY (tag (guix import))).
func allowed(entry sexp) (sexp, bool) {
	key, err := entry.field("public-key")
	if err != nil || !entry.is("entry") {
		return sexp{}, false
	}
	tag, err := entry.field("tag")
	if err != nil || len(tag.list) != 2 {
		return sexp{}, false
	}
	what := tag.list[1]
	return key, what.is("guix") && len(what.list) == 2 && what.list[1].isAtom("import")
}

// guixKey reads a (public-key …) of libgcrypt.
func guixKey(s sexp) (Key, error) {
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
		return Key{}, errors.New("a key for EdDSA, with which Guix does not sign")
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
