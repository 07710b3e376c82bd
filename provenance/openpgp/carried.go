package openpgp

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"audit/inspect/check"
)

// MaxCarried bounds the bytes of all keys together that an image carries and that are
// read.
const MaxCarried = 1 << 20

// Carried lists the keys of a text that an image carries, armored or binary: fingerprints,
// each with the first user ID beside it. Nothing of them is verified, which costs as much
// as whoever made the keys wants, so that a name is what anybody wrote there.
func Carried(text []byte) ([]Key, error) {
	blocks, err := dearmor(text)
	if err != nil {
		return nil, err
	}
	c := carried{isKnown: make(map[string]bool)}
	for _, block := range blocks {
		if err := c.read(block); err != nil {
			return nil, fmt.Errorf("reading an OpenPGP key: %w", err)
		}
	}
	if len(c.keys) == 0 {
		return nil, errors.New("it has no OpenPGP key")
	}
	return c.keys, nil
}

// carried are keys that were read so far.
type carried struct {
	keys    []Key
	isKnown map[string]bool // by fingerprint
}

func (c *carried) read(packets []byte) error {
	isNew := false // the key to which user IDs belong
	for len(packets) > 0 {
		tag, body, rest, err := nextPacket(packets)
		if err != nil {
			return err
		}
		packets = rest
		switch tag {
		case tagPublicKey:
			f := fingerprint(body)
			if isNew = f != "" && !c.isKnown[f]; !isNew {
				continue
			}
			if len(c.keys) == maxKeys {
				return fmt.Errorf("it has more than %d keys", maxKeys)
			}
			c.isKnown[f] = true
			c.keys = append(c.keys, Key{Fingerprint: f})
		case tagUserID:
			if k := len(c.keys) - 1; isNew && c.keys[k].Name == "" {
				c.keys[k].Name = check.Brief(strings.ToValidUTF8(string(body), "?"))
			}
		}
	}
	return nil
}

// fingerprint is that of a key (RFC 9580, 5.5.4), "" for one of a version that is not
// known.
func fingerprint(key []byte) string {
	if len(key) < 6 {
		return ""
	}
	switch key[0] {
	case 4:
		if len(key) > 0xffff {
			return ""
		}
		head := binary.BigEndian.AppendUint16([]byte{0x99}, uint16(len(key)))
		return fmt.Sprintf("%X", sha1.Sum(append(head, key...)))
	case 6:
		head := binary.BigEndian.AppendUint32([]byte{0x9b}, uint32(len(key)))
		return fmt.Sprintf("%X", sha256.Sum256(append(head, key...)))
	}
	return ""
}
