package rebuilders

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// An attestation says with which digests files came out.
type attestation struct {
	products map[string]string // SHA-256 of each, in hexadecimal
	keys     []Key             // that signed it, one of each operator
}

// Why an attestation does not count.
var (
	errUnknownKey   = errors.New("it is signed by no key that is trusted")
	errBadSignature = errors.New("its signature by a key that is trusted is not of these bytes")
)

// maxDepth bounds how deep the JSON of an attestation may be.
const maxDepth = 32

// verify reads an attestation and verifies it with the keys of rebuilders.
func verify(text []byte, keys []Key) (a attestation, err error) {
	var link struct {
		Signatures []struct{ KeyID, Sig string }
		Signed     json.RawMessage
	}
	if err := json.Unmarshal(text, &link); err != nil {
		return a, fmt.Errorf("reading an attestation: %w", err)
	}
	canonical, err := canonicalize(link.Signed)
	if err != nil {
		return a, fmt.Errorf("reading an attestation: %w", err)
	}
	err = errUnknownKey
	for _, s := range link.Signatures {
		for _, k := range keys {
			if !k.isCalled(s.KeyID) {
				continue
			}
			raw, e := hex.DecodeString(s.Sig)
			if e != nil || !ed25519.Verify(k.public, canonical, raw) {
				err = errBadSignature
				continue
			}
			if !slices.ContainsFunc(a.keys, k.isVoiceOf) {
				a.keys = append(a.keys, k)
			}
		}
	}
	if len(a.keys) == 0 {
		return a, err
	}
	a.products, err = products(canonical)
	return a, err
}

// products reads what was signed.
func products(canonical []byte) (map[string]string, error) {
	var signed struct {
		Type     string `json:"_type"`
		Products map[string]map[string]string
	}
	if err := json.Unmarshal(canonical, &signed); err != nil {
		return nil, fmt.Errorf("reading an attestation: %w", err)
	}
	if signed.Type != "link" {
		return nil, fmt.Errorf("it is of type %.40q, and no link", signed.Type)
	}
	found := make(map[string]string)
	for name, digests := range signed.Products {
		if sum, ok := digests["sha256"]; ok {
			found[name] = strings.ToLower(sum)
		}
	}
	return found, nil
}

// canonicalize writes JSON as it is signed: keys sorted by their bytes, no space, whole
// numbers alone. The two forms in use escape control characters differently; there are
// none in what a rebuilder signs, and text with one is refused.
func canonicalize(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the value")
	}
	var out bytes.Buffer
	err := write(&out, value, maxDepth)
	return out.Bytes(), err
}

func write(out *bytes.Buffer, value any, depth int) error {
	if depth == 0 {
		return fmt.Errorf("it is more than %d levels deep", maxDepth)
	}
	switch value := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		fmt.Fprint(out, value)
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			return fmt.Errorf("%.40s is no whole number", value)
		}
		out.WriteString(value.String())
	case string:
		return writeText(out, value)
	case []any:
		return writeList(out, '[', ']', len(value), func(i int) error { return write(out, value[i], depth-1) })
	case map[string]any:
		names := slices.Sorted(maps.Keys(value))
		return writeList(out, '{', '}', len(names), func(i int) error {
			if err := writeText(out, names[i]); err != nil {
				return err
			}
			out.WriteByte(':')
			return write(out, value[names[i]], depth-1)
		})
	}
	return nil
}

func writeList(out *bytes.Buffer, open, end byte, n int, item func(int) error) error {
	out.WriteByte(open)
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := item(i); err != nil {
			return err
		}
	}
	out.WriteByte(end)
	return nil
}

func writeText(out *bytes.Buffer, text string) error {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("a text has a control character")
	}
	out.WriteByte('"')
	out.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text))
	out.WriteByte('"')
	return nil
}
