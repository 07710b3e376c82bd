package openpgp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Tags of packets (RFC 4880, 4.3).
const (
	tagSignature    = 2
	tagSecretKey    = 5
	tagPublicKey    = 6
	tagSecretSubkey = 7
	tagUserID       = 13
	tagPublicSubkey = 14
)

var errPacket = errors.New("it is no OpenPGP packet, or one that ends early")

// nextPacket splits off a packet (RFC 4880, 4.2): whole is all of it, body what it has.
// One of no length, or in parts, is an error: signatures and keys are none.
func nextPacket(text []byte) (tag byte, body, rest []byte, err error) {
	if len(text) < 2 || text[0]&0x80 == 0 {
		return 0, nil, nil, errPacket
	}
	tag, head, size := text[0]&0x3f, 0, uint64(0)
	if text[0]&0x40 == 0 {
		tag >>= 2
		head, size = oldLength(text)
	} else {
		head, size = newLength(text)
	}
	if head == 0 || size > uint64(len(text)-head) {
		return 0, nil, nil, errPacket
	}
	return tag, text[head:][:size], text[uint64(head)+size:], nil
}

// oldLength reads the length of a packet in the old format: how many bytes its head and
// its body have. A head of 0 bytes is none.
func oldLength(text []byte) (head int, size uint64) {
	kind := text[0] & 3
	if kind == 3 || len(text) < 1+1<<kind {
		return 0, 0
	}
	for _, b := range text[1:][:1<<kind] {
		size = size<<8 | uint64(b)
	}
	return 1 + 1<<kind, size
}

func newLength(text []byte) (head int, size uint64) {
	switch first := text[1]; {
	case first < 192:
		return 2, uint64(first)
	case first < 224 && len(text) > 2:
		return 3, uint64(first-192)<<8 + uint64(text[2]) + 192
	case first == 255 && len(text) > 5:
		return 6, uint64(binary.BigEndian.Uint32(text[2:]))
	}
	return 0, 0
}

// maxSignatures bounds the signatures of one text.
const maxSignatures = 64

// readSignatures reads the packets of a detached signature, armored or not. What cannot
// be read is a signature with an error.
func readSignatures(text []byte) (all []parsed, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN PGP SIGNATURE-----")) {
		if text, err = armored(text); err != nil {
			return nil, fmt.Errorf("reading an armored signature: %w", err)
		}
	}
	for len(text) > 0 {
		tag, body, rest, err := nextPacket(text)
		switch {
		case err != nil:
			return all, err
		case tag != tagSignature:
			return all, fmt.Errorf("a packet of type %d is no signature", tag)
		case len(all) == maxSignatures:
			return all, fmt.Errorf("it has more than %d signatures", maxSignatures)
		}
		all = append(all, parse(body))
		text = rest
	}
	return all, nil
}

// A parsed signature is one that was read, or why it was not.
type parsed struct {
	*packet.Signature
	err error
}

func parse(body []byte) parsed {
	isOld := len(body) > 0 && (body[0] == 3 || body[0] == 2)
	if isOld {
		return parseOld(body)
	}
	p, err := packet.Read(bytes.NewReader(frame(body)))
	sig, ok := p.(*packet.Signature)
	if err != nil || !ok {
		return parsed{err: cause(err)}
	}
	return parsed{Signature: sig}
}

func cause(err error) error {
	if err == nil {
		return errPacket
	}
	return err
}

// frame puts the head of a signature packet before its body.
func frame(body []byte) []byte {
	head := []byte{0xc0 | tagSignature, 255, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(head[2:], uint32(len(body)))
	return append(head, body...)
}

// parseOld reads a signature of version 3 (RFC 4880, 5.2.2): version, 5, type, time, key
// ID, algorithms of key and hash, two bytes of the hash, numbers. It is read as one of
// version 4 with the same numbers, of which then another end is hashed.
func parseOld(body []byte) parsed {
	const head = 19
	if len(body) < head || body[1] != 5 {
		return parsed{err: errPacket}
	}
	kind, made, id, algorithms, tag := body[2], body[3:7], body[7:15], body[15:17], body[17:19]
	later := []byte{4, kind}
	later = append(later, algorithms...)
	later = append(append(later, 0, 6, 5, 2), made...) // hashed: the time
	later = append(append(later, 0, 10, 9, 16), id...) // not hashed: the key
	later = append(append(later, tag...), body[head:]...)
	p := parse(later)
	if p.err == nil {
		p.HashSuffix = append([]byte{kind}, made...)
	}
	return p
}
