package rebuilders

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"audit/inspect/userfile"
)

// A Key is a public key by which a rebuilder signs.
type Key struct {
	Operator string // who signs with it
	ID       string // as attestations name it, in hexadecimal
	old      string // the same without the digest algorithms that some list with a key
	public   ed25519.PublicKey
}

// keyFileBytes bounds a file of keys.
const keyFileBytes = 1 << 20

// ReadKeys reads a file of public keys in PEM, which are those of one operator: he is
// called by the name of the file, without its ending.
func ReadKeys(path string) ([]Key, error) {
	text, err := userfile.Read(path, keyFileBytes)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(path)
	keys, err := ParseKeys(strings.TrimSuffix(name, filepath.Ext(name)), text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return keys, nil
}

// ParseKeys reads public keys in PEM.
func ParseKeys(operator string, text []byte) (keys []Key, err error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != "PUBLIC KEY" {
			return nil, fmt.Errorf("a %s is no public key", strings.ToLower(block.Type))
		}
		k, err := parseKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		k.Operator = operator
		keys, text = append(keys, k), rest
	}
	if len(keys) == 0 {
		return nil, errors.New("it has no public key in PEM")
	}
	return keys, nil
}

// CheckKeys refuses keys of which one is given as that of two operators, who would have
// two voices with it.
func CheckKeys(keys []Key) error {
	of := make(map[string]string)
	for _, k := range keys {
		if have, ok := of[k.ID]; ok && have != k.Operator {
			return fmt.Errorf("the key %.16s is given as that of %s and of %s", k.ID, have, k.Operator)
		}
		of[k.ID] = k.Operator
	}
	return nil
}

// isVoiceOf says whether two keys are one voice: of one operator, or the same key.
func (k Key) isVoiceOf(other Key) bool { return k.Operator == other.Operator || k.ID == other.ID }

// parseKey reads a key of Ed25519 (RFC 8410, 4). rebuilderd writes a NULL where there
// should be no parameters.
func parseKey(der []byte) (Key, error) {
	for _, head := range []string{"302a300506032b6570032100", "302c300706032b65700500032100"} {
		prefix, err := hex.DecodeString(head)
		if err != nil {
			return Key{}, err
		}
		if raw, ok := bytes.CutPrefix(der, prefix); ok && len(raw) == ed25519.PublicKeySize {
			k := Key{public: raw}
			k.ID = k.id(`"keyid_hash_algorithms":["sha256","sha512"],`)
			k.old = k.id("")
			return k, nil
		}
	}
	return Key{}, errors.New("it is no public key of Ed25519")
}

// id is the digest of what describes the key, in canonical JSON.
func (k Key) id(algorithms string) string {
	text := fmt.Sprintf(`{%s"keytype":"ed25519","keyval":{"public":"%x"},"scheme":"ed25519"}`, algorithms, []byte(k.public))
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (k Key) isCalled(id string) bool { return id == k.ID || id == k.old }
