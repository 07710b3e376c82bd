package signatures

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/edwards25519"

	"audit/inspect/userfile"
)

// A Key is a public key that is trusted to say what a store item is.
type Key struct {
	// Name is what reports call the key: the name that its signatures bear, where
	// they bear one.
	Name string
	// Operator is who signs with it. One operator has one voice, whatever the
	// number of its keys.
	Operator string

	// fingerprint is computed once: it is asked for at every comparison.
	fingerprint string

	// One of these is set: a key for Ed25519, for ECDSA over the curve Ed25519, or
	// for RSA.
	ed25519 ed25519.PublicKey
	ecc     *edwards25519.Point
	rsa     *rsa.PublicKey
}

// Fingerprint distinguishes keys, whatever they are called: the kind of the key
// and, in hexadecimal, its 32 bytes or, for RSA, the SHA-256 of its PKCS #1
// form.
func (k Key) Fingerprint() string { return k.fingerprint }

// A Farm is a build farm that publishes what it signed.
type Farm struct {
	Server   string // address of its substitute server
	Operator string // who runs it
	Name     string // of its key, where that bears none
	Key      string // public, as [ParseKeys] takes it
}

// FarmKeys returns the keys of farms, each with its operator.
func FarmKeys(farms []Farm) ([]Key, error) {
	var all []Key
	for _, f := range farms {
		keys, err := ParseKeys(f.Name, []byte(f.Key))
		if err != nil {
			return nil, fmt.Errorf("reading the key of %s: %w", f.Server, err)
		}
		for _, k := range keys {
			k.Operator = f.Operator
			all = append(all, k)
		}
	}
	return all, nil
}

// Operated gives the keys that are called by a name, or have it for a fingerprint,
// an operator. The error says that there are none.
func Operated(keys []Key, name, operator string) error {
	found := false
	for i, k := range keys {
		if k.Name == name || k.fingerprint == name {
			keys[i].Operator, found = operator, true
		}
	}
	if !found {
		return fmt.Errorf("no key that is trusted is called %q", name)
	}
	return nil
}

// keyFileBytes bounds what a file of public keys may hold.
const keyFileBytes = 1 << 20

// ReadKeys reads a file of public keys as [ParseKeys] takes it. Keys that
// bear no name are called by that of the file, without ".pub".
func ReadKeys(path string) ([]Key, error) {
	text, err := userfile.Read(path, keyFileBytes)
	if err != nil {
		return nil, fmt.Errorf("reading a trusted key: %w", err)
	}
	keys, err := ParseKeys(strings.TrimSuffix(filepath.Base(path), ".pub"), text)
	if err != nil {
		return nil, fmt.Errorf("reading the trusted key %s: %w", path, err)
	}
	return keys, nil
}

// ParseKeys reads public keys in any of the formats of signatures that are known.
// Keys that bear no name get the one given, and a number where there are several.
// The operator of a key is taken to be its name, without a number that the name
// ends in: keys are renewed.
func ParseKeys(name string, text []byte) (keys []Key, err error) {
	all := formats()
	i := slices.IndexFunc(all, func(f format) bool { return f.isKey(text) })
	if keys, err = all[i].parseKeys(name, text); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no public key")
	}
	for i, k := range keys {
		keys[i].Operator = operatorOf(k.Name)
	}
	return keys, nil
}

// operatorOf returns the name of a key without the number that it ends in:
// "cache.example" of "cache.example-1".
func operatorOf(name string) string {
	stem := strings.TrimRight(name, "0123456789")
	if stem == name || !strings.HasSuffix(stem, "-") && !strings.HasSuffix(stem, "#") {
		return name
	}
	return cmp.Or(stem[:len(stem)-1], name)
}

// operators returns those who sign with some keys, each once, sorted. A key that is given
// as that of several is one voice: that of the first of them.
func operators(keys []Key) []string {
	keys = slices.Clone(keys)
	slices.SortStableFunc(keys, func(a, b Key) int { return cmp.Compare(a.Operator, b.Operator) })
	counted := make(map[string]bool)
	var all []string
	for _, k := range keys {
		if !counted[k.fingerprint] || k.fingerprint == "" {
			all = append(all, k.Operator)
		}
		counted[k.fingerprint] = true
	}
	return slices.Compact(all)
}
