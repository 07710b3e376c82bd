package openpgp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"audit/inspect/check"
)

// A Key is one that a keyring has, under its primary key.
type Key struct {
	Fingerprint string    // of the primary key, in hexadecimal, upper case
	Name        string    // the user ID that it has for itself; printable and short
	Expires     time.Time // zero when it does not
	Revoked     bool
}

// A Keyring has public keys. The zero value has none.
type Keyring struct {
	keys    []Key
	members map[uint64][]member // by key ID
}

// A member is a key or subkey that can have made a signature.
type member struct {
	key     Key // the primary one
	public  *packet.PublicKey
	binding *packet.Signature // says what it is for, and how long
	primary *packet.PublicKey
	span    *packet.Signature // the binding of the primary key
	revoked bool
}

// maxKeys bounds the keys of one file.
const maxKeys = 4096

// Keys returns the keys in the order of the file, each once.
func (r Keyring) Keys() []Key { return slices.Clone(r.keys) }

// IsEmpty says that there is no key.
func (r Keyring) IsEmpty() bool { return len(r.keys) == 0 }

const armorHead = "-----BEGIN PGP PUBLIC KEY BLOCK-----"

// IsKeyring says whether a text looks like a keyring: armored, or packets of which the
// first is a public key.
func IsKeyring(text []byte) bool {
	if bytes.Contains(text, []byte(armorHead)) {
		return true
	}
	tag, _, _, err := nextPacket(text)
	return err == nil && tag == tagPublicKey
}

// ReadKeyring reads public keys, armored in one or more blocks or binary. Keys of a kind
// that is not known are left out as long as one can be read. What each has signed of itself
// is verified, which takes its time: the error is that of ctx when it ends before.
func ReadKeyring(ctx context.Context, text []byte) (Keyring, error) {
	blocks, err := dearmor(text)
	if err != nil {
		return Keyring{}, err
	}
	r := Keyring{members: make(map[uint64][]member)}
	var last error
	for _, block := range blocks {
		if err := checkPackets(block); err != nil {
			return Keyring{}, fmt.Errorf("reading an OpenPGP key: %w", err)
		}
		list, err := pgp.ReadKeyRing(untilDone{ctx, bytes.NewReader(block)})
		if err != nil {
			last = err
		}
		for _, e := range list {
			if ctx.Err() != nil {
				break
			}
			r.add(e)
		}
		if ctx.Err() != nil {
			return Keyring{}, context.Cause(ctx)
		}
	}
	switch {
	case len(r.keys) > maxKeys:
		return Keyring{}, fmt.Errorf("it has more than %d keys", maxKeys)
	case len(r.keys) > 0:
		return r, nil
	case last != nil:
		return Keyring{}, fmt.Errorf("reading an OpenPGP key: %w", last)
	}
	return Keyring{}, errors.New("it has no OpenPGP key")
}

// An untilDone reads as long as its context lasts.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}

// maxCertifications bounds the signatures in one file of keys: each that a key has of
// itself is verified.
const maxCertifications = 1 << 14

// numberBits are the most bits that the public numbers of a key may have, in their order
// (RFC 4880, 5.5.2 and 9.1); nil for algorithms whose keys are no plain numbers. What a
// signature costs grows with the square of them and more.
func numberBits(algorithm byte) []int {
	switch algorithm {
	case 1, 2, 3: // RSA: modulus, exponent
		return []int{8192, 32}
	case 16, 20: // ElGamal: prime, generator, value
		return []int{8192, 8192, 8192}
	case 17: // DSA: prime, order, generator, value
		return []int{4096, 512, 4096, 4096}
	}
	return nil
}

// checkPackets refuses keys whose numbers are larger than those of any key that people
// and vendors have, and files with too many signatures.
func checkPackets(packets []byte) error {
	signatures := 0
	for len(packets) > 0 {
		tag, body, rest, err := nextPacket(packets)
		if err != nil {
			return err
		}
		packets = rest
		switch tag {
		case tagSignature:
			if signatures++; signatures > maxCertifications {
				return fmt.Errorf("it has more than %d signatures", maxCertifications)
			}
		case tagPublicKey, tagPublicSubkey, tagSecretKey, tagSecretSubkey:
			if err := checkNumbers(body); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNumbers reads the head of a key: version, 4 bytes of time, algorithm; from version
// 5 on, the length of what follows (RFC 9580, 5.5.2).
func checkNumbers(key []byte) error {
	head := 6
	if len(key) > 0 && key[0] > 4 {
		head = 10
	}
	if len(key) < head {
		return nil // no key, as the reader will say
	}
	numbers := key[head:]
	for _, most := range numberBits(key[5]) {
		if len(numbers) < 2 {
			break
		}
		bits := int(numbers[0])<<8 | int(numbers[1])
		if bits > most {
			return fmt.Errorf("a key has a number of %d bits, and %d are the most", bits, most)
		}
		numbers = numbers[2:]
		numbers = numbers[min(len(numbers), (bits+7)/8):]
	}
	return nil
}

// dearmor returns the packets of all armored blocks of public keys, or of a text that
// is not armored.
func dearmor(text []byte) (blocks [][]byte, err error) {
	if !bytes.Contains(text, []byte(armorHead)) {
		return [][]byte{text}, nil
	}
	for _, part := range bytes.SplitAfter(text, []byte("-----END PGP PUBLIC KEY BLOCK-----")) {
		at := bytes.Index(part, []byte(armorHead))
		if at < 0 {
			continue
		}
		block, err := armored(part[at:])
		if err != nil {
			return nil, fmt.Errorf("reading an armored key: %w", err)
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}

func armored(text []byte) ([]byte, error) {
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	_, err = body.ReadFrom(block.Body)
	return body.Bytes(), err
}

// Union is a keyring with the keys of all.
func Union(rings ...Keyring) Keyring {
	all := Keyring{members: make(map[uint64][]member)}
	for _, r := range rings {
		for _, key := range r.keys {
			if !slices.ContainsFunc(all.keys, func(k Key) bool { return k.Fingerprint == key.Fingerprint }) {
				all.keys = append(all.keys, key)
			}
		}
		for id, members := range r.members {
			all.members[id] = append(all.members[id], members...)
		}
	}
	return all
}

// add adds a key and its subkeys that sign.
func (r *Keyring) add(e *pgp.Entity) {
	name, span, revoked := self(e)
	key := Key{
		Fingerprint: fmt.Sprintf("%X", e.PrimaryKey.Fingerprint),
		Name:        check.Brief(name),
		Revoked:     revoked || len(e.Revocations) > 0,
	}
	if span == nil {
		return
	}
	if life := span.KeyLifetimeSecs; life != nil && *life > 0 {
		key.Expires = e.PrimaryKey.CreationTime.Add(time.Duration(*life) * time.Second).UTC()
	}
	if !slices.ContainsFunc(r.keys, func(k Key) bool { return k.Fingerprint == key.Fingerprint }) {
		r.keys = append(r.keys, key)
	}
	primary := member{key: key, public: e.PrimaryKey, binding: span, primary: e.PrimaryKey, span: span, revoked: key.Revoked}
	if !span.FlagsValid || span.FlagSign {
		r.members[e.PrimaryKey.KeyId] = append(r.members[e.PrimaryKey.KeyId], primary)
	}
	for _, s := range e.Subkeys {
		if !s.Sig.FlagsValid || !s.Sig.FlagSign || !s.PublicKey.PubKeyAlgo.CanSign() {
			continue
		}
		sub := primary
		sub.public, sub.binding, sub.revoked = s.PublicKey, s.Sig, key.Revoked || len(s.Revocations) > 0
		r.members[s.PublicKey.KeyId] = append(r.members[s.PublicKey.KeyId], sub)
	}
}

// self returns the user ID that a key has for itself, and the signature that says how
// long it is good and what for: that of the primary user ID, or the newest. A key is
// revoked with the last of its user IDs.
func self(e *pgp.Entity) (name string, span *packet.Signature, revoked bool) {
	var chosen *pgp.Identity
	revoked = len(e.Identities) > 0
	for _, name := range slices.Sorted(maps.Keys(e.Identities)) {
		id := e.Identities[name]
		if id.SelfSignature == nil || len(id.Revocations) > 0 {
			continue
		}
		revoked = false
		if chosen == nil || compareIdentities(id, chosen) > 0 {
			chosen = id
		}
	}
	switch {
	case chosen != nil:
		name, span = chosen.Name, chosen.SelfSignature
	case revoked: // each of them is
		name = slices.Sorted(maps.Keys(e.Identities))[0]
		span = e.Identities[name].SelfSignature
	}
	if e.SelfSignature != nil { // of version 6: by the key alone
		span = e.SelfSignature
	}
	if span == nil && revoked {
		span = new(packet.Signature)
	}
	return strings.ToValidUTF8(name, "?"), span, revoked
}

func compareIdentities(a, b *pgp.Identity) int {
	isPrimary := func(id *pgp.Identity) int {
		if p := id.SelfSignature.IsPrimaryId; p != nil && *p {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(isPrimary(a), isPrimary(b)), a.SelfSignature.CreationTime.Compare(b.SelfSignature.CreationTime))
}
