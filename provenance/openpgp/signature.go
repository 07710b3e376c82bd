package openpgp

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // what vendors signed with until about 2010
	"errors"
	"fmt"
	"hash"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A Word says what a signature is worth.
type Word int

// The words. Only Good is that of a trusted key over these very bytes.
const (
	Unreadable Word = iota // it cannot be read, or is of a kind that is not known
	Unknown                // it is by a key that the keyring does not have
	Bad                    // it names a key of the keyring, and is not over these bytes
	Revoked                // it is by a key that was revoked, whenever that was
	Expired                // it says that it was made before the key was, or after that had expired
	Good
)

// A Signature is one and what it is worth.
type Signature struct {
	Word  Word
	KeyID string    // of the key that it names, in hexadecimal, upper case; "" when it names none
	Key   Key       // the primary key; zero when it is Unknown or Unreadable
	Made  time.Time // as it says
	Hash  string    // the algorithm: "SHA-256"
	Err   error     // why it is Unreadable
}

// Detached judges the signatures in a text, armored or not, of the bytes that parts
// have together. The error is that of a text which is not all signatures, beside those
// that could be read.
func (r Keyring) Detached(signature []byte, parts ...[]byte) ([]Signature, error) {
	packets, err := readSignatures(signature)
	var all []Signature
	for _, p := range packets {
		all = append(all, r.judge(p, parts))
	}
	return all, err
}

// Clearsigned judges the signatures of a clearsigned text and returns what they are of,
// with lines ending in "\n". Before and after there may be nothing else: a reader of the
// file could take that for signed.
func (r Keyring) Clearsigned(text []byte) (plain []byte, all []Signature, err error) {
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, []byte(clearHead)) {
		return nil, nil, errors.New("it does not begin as a clearsigned text does")
	}
	block, rest := clearsign.Decode(text)
	if block == nil {
		return nil, nil, errors.New("it is no clearsigned text")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, nil, errors.New("something follows the signature")
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(block.ArmoredSignature.Body); err != nil {
		return nil, nil, fmt.Errorf("reading the signature: %w", err)
	}
	packets, err := readSignatures(body.Bytes())
	for _, p := range packets {
		all = append(all, r.judge(p, [][]byte{block.Bytes}))
	}
	return block.Plaintext, all, err
}

const clearHead = "-----BEGIN PGP SIGNED MESSAGE-----"

// IsClearsigned says whether a text begins as a clearsigned one does.
func IsClearsigned(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte(clearHead))
}

// BestOf returns the signature that is worth most, the first of several; false when there
// is none.
func BestOf(all []Signature) (best Signature, ok bool) {
	for i, s := range all {
		if i == 0 || s.Word > best.Word {
			best = s
		}
	}
	return best, len(all) > 0
}

func (r Keyring) judge(p parsed, parts [][]byte) Signature {
	if p.err != nil {
		return Signature{Err: p.err}
	}
	s := Signature{Made: p.CreationTime.UTC(), Hash: p.Hash.String()}
	id, ok := issuer(p.Signature)
	if !ok {
		s.Err = errors.New("it names no key")
		return s
	}
	s.KeyID, s.Word = fmt.Sprintf("%016X", id), Unknown
	if p.SigType != packet.SigTypeBinary && p.SigType != packet.SigTypeText {
		s.Word, s.Err = Unreadable, fmt.Errorf("it is of type %d, which is none of a document", p.SigType)
		return s
	}
	if isCritical(p.Signature) {
		s.Word, s.Err = Unreadable, errors.New("it has a notation that one must understand to judge it")
		return s
	}
	for _, m := range r.members[id] {
		if word := m.judge(p.Signature, parts); word > s.Word {
			s.Word, s.Key = word, m.key
		}
	}
	return s
}

// issuer returns the ID of the key that a signature names.
func issuer(sig *packet.Signature) (uint64, bool) {
	if sig.IssuerKeyId == nil {
		return 0, false
	}
	return *sig.IssuerKeyId, true
}

// judge says what a signature is worth that names this key.
func (m member) judge(sig *packet.Signature, parts [][]byte) Word {
	if len(sig.IssuerFingerprint) > 0 && !bytes.Equal(sig.IssuerFingerprint, m.public.Fingerprint) {
		return Unknown
	}
	h, err := sig.PrepareVerify()
	if err != nil {
		return Unknown
	}
	write(h, sig.SigType, parts)
	switch {
	case m.public.VerifySignature(h, sig) != nil:
		return Bad
	case m.revoked:
		return Revoked
	case !m.isGoodAt(sig.CreationTime):
		return Expired
	}
	return Good
}

func write(h hash.Hash, kind packet.SignatureType, parts [][]byte) {
	if kind == packet.SigTypeText {
		h = pgp.NewCanonicalTextHash(h)
	}
	for _, p := range parts {
		h.Write(p)
	}
}

// isGoodAt says whether the key was there at a time and had not expired. What binds it may
// be younger: a key that was extended, or only signed again, was good before that too.
func (m member) isGoodAt(t time.Time) bool {
	return !m.primary.KeyExpired(m.span, t) && !m.public.KeyExpired(m.binding, t) && !ends(m.binding, t)
}

// ends says whether a binding had expired at a time.
func ends(binding *packet.Signature, t time.Time) bool {
	life := binding.SigLifetimeSecs
	return life != nil && *life > 0 && t.After(binding.CreationTime.Add(time.Duration(*life)*time.Second))
}

// isCritical says whether a signature has a notation without which it must not be judged
// (RFC 9580, 5.2.3.24).
func isCritical(sig *packet.Signature) bool {
	for _, n := range sig.Notations {
		if n.IsCritical {
			return true
		}
	}
	return false
}

// IsWeak says whether the digest of a signature is one of which collisions can be made.
func (s Signature) IsWeak() bool { return s.Hash == crypto.SHA1.String() }
