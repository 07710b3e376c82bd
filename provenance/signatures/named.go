package signatures

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"

	"github.com/nix-community/go-nix/pkg/narinfo/signature"
)

// Signatures in lines "Sig: NAME:BASE64", by Ed25519 over a fingerprint of store
// path, NAR hash, NAR size and references (Nix 2.8, libstore/path-info.cc and
// crypto.cc). Public keys are written in the same way, NAME:BASE64.

func parseNamedKeys(_ string, text []byte) ([]Key, error) {
	var keys []Key
	for field := range strings.FieldsSeq(string(text)) {
		k, err := signature.ParsePublicKey(field)
		if err != nil {
			return nil, fmt.Errorf("neither (public-key …) nor NAME:BASE64: %w", err)
		}
		keys = append(keys, Key{Name: k.Name, ed25519: k.Data, fingerprint: fmt.Sprintf("ed25519:%X", []byte(k.Data))})
	}
	return keys, nil
}

// namedSigners verifies the lines Sig, NAME:BASE64. One that holds is enough.
func (info *narinfo) namedSigners(keys []Key) (signers []Key, err error) {
	text := []byte(info.fingerprint())
	for _, line := range info.sigs {
		k, bad := namedSigner(text, line, keys)
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

func namedSigner(text []byte, line string, keys []Key) (Key, error) {
	sig, err := signature.ParseSignature(line)
	if err != nil {
		return Key{}, err
	}
	named := false
	for _, k := range keys {
		if k.ed25519 == nil || k.Name != sig.Name {
			continue
		}
		if named = true; ed25519.Verify(k.ed25519, text, sig.Data) {
			return k, nil
		}
	}
	if named {
		return Key{}, fmt.Errorf("%s: %w", sig.Name, errWrongSignature)
	}
	return Key{}, &untrustedError{fmt.Sprintf("%.100q", sig.Name)}
}
