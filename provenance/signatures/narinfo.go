package signatures

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"

	"audit/inspect"
	"audit/inspect/store"
)

// A narinfo is what a build farm says about a store item, with the signatures
// that it gives for it (Guix 1.5, module (guix narinfo); Nix 2.8,
// libstore/nar-info.cc). Only what a signature covers is kept.
type narinfo struct {
	path       string      // the store item
	narHash    inspect.Sum // SHA-256 of its NAR
	narSize    int64       // bytes of its NAR
	references []string    // base names of store items, sorted, each once
	listed     bool        // there is a line References

	signed    []byte   // what the line Signature covers: all before it
	signature string   // of that line; "" when there is none
	sigs      []string // of the lines Sig
}

// errNoNarinfo reports a text that does not even look like a narinfo.
var errNoNarinfo = errors.New("not a narinfo")

// maxSigs is how many signatures of one narinfo are verified; those of caches that
// others have signed again have a handful.
const maxSigs = 64

// signatureLine begins the line of a signature that covers all before it.
const signatureLine = "Signature:"

// parseNarinfo reads the text of a narinfo. What stands after the line
// Signature is not covered by it, so nothing is read there.
func parseNarinfo(text []byte) (*narinfo, error) {
	if !bytes.HasPrefix(text, []byte("StorePath:")) && !bytes.Contains(text, []byte("\nStorePath:")) {
		return nil, errNoNarinfo
	}
	info := new(narinfo)
	body, err := info.cutSignature(text)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]string)
	for line := range strings.Lines(string(body)) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if !ok {
			return nil, fmt.Errorf("the line %.60q is no field", line)
		}
		value = strings.TrimSpace(value)
		if key == "Sig" {
			if info.sigs = append(info.sigs, value); len(info.sigs) > maxSigs {
				return nil, fmt.Errorf("more than %d lines Sig", maxSigs)
			}
			continue
		}
		if _, twice := fields[key]; twice && isSigned(key) {
			return nil, fmt.Errorf("two fields %s", key)
		}
		fields[key] = value
	}
	return info, info.fill(fields)
}

// isSigned says whether a field is one of those that a signature is about.
func isSigned(key string) bool {
	return key == "StorePath" || key == "NarHash" || key == "NarSize" || key == "References"
}

// cutSignature takes the line Signature and returns the text before it, or
// the whole text where there is none.
func (info *narinfo) cutSignature(text []byte) ([]byte, error) {
	at := 0
	if !bytes.HasPrefix(text, []byte(signatureLine)) {
		if at = bytes.Index(text, []byte("\n"+signatureLine)) + 1; at == 0 {
			return text, nil
		}
	}
	line, rest, _ := bytes.Cut(text[at+len(signatureLine):], []byte("\n"))
	if bytes.HasPrefix(rest, []byte(signatureLine)) || bytes.Contains(rest, []byte("\n"+signatureLine)) {
		return nil, errors.New("two lines Signature")
	}
	info.signed, info.signature = text[:at], strings.TrimSpace(string(line))
	if info.signature == "" {
		return nil, errors.New("an empty Signature")
	}
	return info.signed, nil
}

func (info *narinfo) fill(fields map[string]string) (err error) {
	info.path = fields["StorePath"]
	if !isStorePath(info.path) {
		return fmt.Errorf("StorePath %.80q is no store path", info.path)
	}
	if info.narHash, err = parseHash(fields["NarHash"]); err != nil {
		return fmt.Errorf("NarHash %.80q: %w", fields["NarHash"], err)
	}
	if info.narSize, err = strconv.ParseInt(fields["NarSize"], 10, 64); err != nil || info.narSize <= 0 {
		return fmt.Errorf("NarSize %.80q is no size", fields["NarSize"])
	}
	var references string
	references, info.listed = fields["References"]
	info.references = strings.Fields(references)
	for _, r := range info.references {
		if !store.IsStoreName(r) {
			return fmt.Errorf("the reference %.80q is no store item", r)
		}
	}
	slices.Sort(info.references)
	info.references = slices.Compact(info.references)
	return nil
}

func isStorePath(p string) bool {
	return path.IsAbs(p) && path.Clean(p) == p && path.Dir(p) != "/" && store.IsStoreName(path.Base(p))
}

// parseHash reads a SHA-256 digest in the notations that narinfo have had:
// sha256:, then 52 characters of Nix's base 32 or 64 hexadecimal digits.
func parseHash(text string) (sum inspect.Sum, err error) {
	digits, ok := strings.CutPrefix(text, "sha256:")
	if !ok {
		return sum, errors.New("not a SHA-256 digest")
	}
	var raw []byte
	switch len(digits) {
	case hex.EncodedLen(len(sum)):
		raw, err = hex.DecodeString(digits)
	case nixbase32.EncodedLen(len(sum)):
		raw, err = nixbase32.DecodeString(digits)
	default:
		err = fmt.Errorf("%d characters", len(digits))
	}
	if err != nil {
		return sum, err
	}
	return inspect.Sum(raw), nil
}

// fingerprint is the text that a line Sig covers.
func (info *narinfo) fingerprint() string {
	store := path.Dir(info.path)
	full := make([]string, len(info.references))
	for i, r := range info.references {
		full[i] = store + "/" + r
	}
	return fmt.Sprintf("1;%s;sha256:%s;%d;%s", info.path, nixbase32.EncodeToString(info.narHash[:]), info.narSize, strings.Join(full, ","))
}
