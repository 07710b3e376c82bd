package statement

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// An Envelope is one of DSSE: a payload, and signatures over its type and bytes.
type Envelope struct {
	PayloadType string
	Payload     []byte
	Signatures  [][]byte // without their keyids, which nobody signed
}

// maxSignatures bounds the signatures of an envelope.
const maxSignatures = 100

// pae is the pre-authentication encoding of a payload: what is signed.
func pae(payloadType string, payload []byte) []byte {
	head := fmt.Sprintf("DSSEv1 %d %s %d ", len(payloadType), payloadType, len(payload))
	return append([]byte(head), payload...)
}

// parseEnvelope reads an envelope that was checked.
func parseEnvelope(raw []byte) (*Envelope, error) {
	o, err := parseObject(raw, "payload", "payloadType", "signatures")
	if err != nil {
		return nil, err
	}
	e := new(Envelope)
	if e.PayloadType, err = o.text("payloadType"); err != nil {
		return nil, err
	}
	if e.PayloadType == "" {
		return nil, errors.New("it has no payloadType")
	}
	if e.Payload, err = o.bytes("payload"); err != nil {
		return nil, err
	}
	signatures, err := o.list("signatures")
	if err != nil {
		return nil, err
	}
	if len(signatures) > maxSignatures {
		return nil, fmt.Errorf("it has more than %d signatures", maxSignatures)
	}
	for i, s := range signatures {
		signature, err := parseSignature(s)
		if err != nil {
			return nil, fmt.Errorf("signature %d: %w", i, err)
		}
		e.Signatures = append(e.Signatures, signature)
	}
	return e, nil
}

func parseSignature(raw []byte) ([]byte, error) {
	o, err := parseObject(raw, "sig", "keyid")
	if err != nil {
		return nil, err
	}
	sig, err := o.bytes("sig")
	if err == nil && len(sig) == 0 {
		err = errors.New("it is empty")
	}
	return sig, err
}

// bytes returns what base64, of either alphabet, says.
func (o object) bytes(key string) ([]byte, error) {
	text, err := o.text(key)
	if err != nil {
		return nil, err
	}
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
		return raw, nil
	}
	raw, err := base64.URLEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%s is no base64", key)
	}
	return raw, nil
}

// Statement reads the statement in an envelope.
func (e *Envelope) Statement() (*Statement, error) {
	if e.PayloadType != PayloadType {
		return nil, fmt.Errorf("reading an envelope: its payloadType is %q, which is no in-toto statement", e.PayloadType)
	}
	return Parse(e.Payload)
}

// SignedBy returns the keys that made a signature of the envelope, each once, in the
// order in which they are given.
func (e *Envelope) SignedBy(keys []Key) []Key {
	message := pae(e.PayloadType, e.Payload)
	var found []Key
	for _, k := range keys {
		for _, s := range e.Signatures {
			if k.Verify(message, s) {
				found = append(found, k)
				break
			}
		}
	}
	return found
}

// Sign makes an envelope of a payload with one signature.
func Sign(payloadType string, payload []byte, key *PrivateKey) (*Envelope, error) {
	sig, err := key.sign(pae(payloadType, payload))
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return &Envelope{PayloadType: payloadType, Payload: payload, Signatures: [][]byte{sig}}, nil
}

// MarshalJSON writes the envelope. The keyid is empty: readers must not take a
// signature for a key by it, and some skip a signature whose keyid they cannot
// compute.
func (e *Envelope) MarshalJSON() ([]byte, error) {
	type signature struct {
		Sig   []byte `json:"sig"`
		KeyID string `json:"keyid"`
	}
	out := struct {
		Payload     []byte      `json:"payload"`
		PayloadType string      `json:"payloadType"`
		Signatures  []signature `json:"signatures"`
	}{e.Payload, e.PayloadType, []signature{}}
	for _, s := range e.Signatures {
		out.Signatures = append(out.Signatures, signature{Sig: s})
	}
	return json.Marshal(out)
}
