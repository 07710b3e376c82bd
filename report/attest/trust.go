package attest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"audit/inspect/pass"
	"audit/provenance/statement"
	"audit/rebuild"
)

// Trust is what a trust file says.
type Trust struct {
	Keys       []statement.Key
	Rebuilders []Rebuilder
	AtLeast    int            // 0 when it does not say
	Require    rebuild.Policy // 0 when it does not say
	MaxAge     time.Duration  // 0 when it does not say
}

// trustFile is a trust file as it is written.
type trustFile struct {
	SchemaVersion string          `json:"schemaVersion"`
	Rebuilders    []trustedSigner `json:"rebuilders"`
	AtLeast       *int            `json:"atLeast"`
	Require       string          `json:"require"`
	MaxAge        string          `json:"maxAge"`
}

type trustedSigner struct {
	Name     string `json:"name"`     // of the key
	Operator string `json:"operator"` // "" for the key's name
	Key      string `json:"key"`      // PEM
	From     string `json:"from"`     // a day, UTC, on which trust begins; "" for always
	To       string `json:"to"`       // the last day on which it is trusted; "" for always
	Maker    bool   `json:"maker"`    // made the image
}

// ParseTrust reads a trust file. The error says what is wrong with it.
func ParseTrust(raw []byte) (*Trust, error) {
	var f trustFile
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("it is no trust file: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the trust file")
	}
	if twice := pass.RepeatedKeys(raw, trustFile{}); len(twice) > 0 {
		return nil, fmt.Errorf("the key %q stands there twice", twice[0])
	}
	if err := exactKeys(raw); err != nil {
		return nil, err
	}
	if f.SchemaVersion != "1" {
		return nil, fmt.Errorf("schemaVersion is %q, and \"1\" is what there is", f.SchemaVersion)
	}
	return f.trust()
}

func (f *trustFile) trust() (*Trust, error) {
	t := new(Trust)
	if f.AtLeast != nil {
		if t.AtLeast = *f.AtLeast; t.AtLeast < 1 {
			return nil, fmt.Errorf("atLeast is %d, and at least one operator agrees", t.AtLeast)
		}
	}
	if len(f.Rebuilders) == 0 {
		return nil, errors.New("it names no rebuilders")
	}
	var err error
	if f.Require != "" {
		if err := t.Require.UnmarshalText([]byte(f.Require)); err != nil {
			return nil, fmt.Errorf("require: %w", err)
		}
		if t.Require < rebuild.RequireEquivalent {
			return nil, fmt.Errorf("require: %s is nothing that rebuilders can agree on (reproducible, equivalent)", f.Require)
		}
	}
	if f.MaxAge != "" {
		if t.MaxAge, err = ParseAge(f.MaxAge); err != nil {
			return nil, fmt.Errorf("maxAge: %w", err)
		}
	}
	names, keys := make(map[string]bool), make(map[[32]byte]bool)
	operators := make(map[string]string) // by the name in small letters
	for i, s := range f.Rebuilders {
		key, r, err := s.rebuilder()
		switch {
		case err != nil:
			return nil, fmt.Errorf("rebuilders[%d]: %w", i, err)
		case names[s.Name], keys[key.ID()]:
			return nil, fmt.Errorf("rebuilders[%d]: the key %s is given twice", i, s.Name)
		}
		if same := operators[strings.ToLower(r.Operator)]; same != "" && same != r.Operator {
			return nil, fmt.Errorf("rebuilders[%d]: the operators %q and %q differ in case alone", i, same, r.Operator)
		}
		operators[strings.ToLower(r.Operator)] = r.Operator
		names[s.Name], keys[key.ID()] = true, true
		t.Keys, t.Rebuilders = append(t.Keys, key), append(t.Rebuilders, r)
	}
	return t, nil
}

func (s *trustedSigner) rebuilder() (statement.Key, Rebuilder, error) {
	r := Rebuilder{Operator: s.Operator, Key: s.Name, Maker: s.Maker}
	if s.Name == "" {
		return statement.Key{}, r, errors.New("the key has no name")
	}
	for _, name := range []string{s.Name, s.Operator} {
		if !IsName(name) && name != "" {
			return statement.Key{}, r, fmt.Errorf("%q is no name: spaces around it, and characters that do not show, could hide that two are one", name)
		}
	}
	if r.Operator == "" {
		r.Operator = s.Name
	}
	var err error
	if s.From != "" {
		if r.From, err = time.Parse(time.DateOnly, s.From); err != nil {
			return statement.Key{}, r, fmt.Errorf("from: %q is no day of the form 2006-01-02", s.From)
		}
	}
	if s.To != "" {
		if r.To, err = time.Parse(time.DateOnly, s.To); err != nil {
			return statement.Key{}, r, fmt.Errorf("to: %q is no day of the form 2006-01-02", s.To)
		}
		r.To = r.To.AddDate(0, 0, 1)
		if !r.From.Before(r.To) {
			return statement.Key{}, r, fmt.Errorf("from %s to %s is no time", s.From, s.To)
		}
	}
	key, err := statement.ParseKey(s.Name, []byte(s.Key))
	if err != nil {
		return key, r, fmt.Errorf("key: %w", err)
	}
	return key, r, nil
}

// IsName says that a name shows as what it is.
func IsName(name string) bool {
	return name != "" && strings.TrimSpace(name) == name && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// exactKeys refuses keys in another case than the schema has them.
func exactKeys(raw []byte) error {
	var whole map[string]json.RawMessage
	var signers []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		return fmt.Errorf("it is no trust file: %w", err)
	}
	if list, ok := whole["rebuilders"]; ok && json.Unmarshal(list, &signers) != nil {
		return errors.New("rebuilders is no list of objects")
	}
	for _, o := range append(signers, whole) {
		for key := range o {
			if !slices.Contains([]string{"schemaVersion", "rebuilders", "atLeast", "require", "maxAge", "name", "operator", "key", "from", "to", "maker"}, key) {
				return fmt.Errorf("unknown field %q", key)
			}
		}
	}
	return nil
}

// ParseAge reads a duration as Go has it, or a number of days: "12h", "90d".
func ParseAge(text string) (time.Duration, error) {
	age, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		age = time.Duration(n) * 24 * time.Hour
		if n < 0 || n > 36_500 {
			err = errors.New("too long")
		}
	}
	if err != nil || age <= 0 {
		return 0, fmt.Errorf("%q is no age, such as 90d or 12h", text)
	}
	return age, nil
}

// Digest is the digest that names the image: of its manifest, else of its config.
func (i Image) Digest() string {
	if i.ManifestDigest != "" {
		return i.ManifestDigest
	}
	return i.ConfigDigest
}

// IsBadge recognises what [Agreement.Badge] writes.
func IsBadge(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte(`{"schemaVersion":1,"label":"rebuilt"`))
}

// Badge is a file of the JSON form that shields.io reads of an endpoint
// (shields.io/badges/endpoint-badge), bound to the image by the start of its digest.
func (a Agreement) Badge() []byte {
	colour := "red"
	if a.Holds {
		colour = "brightgreen"
	}
	digest := a.Image.Digest()
	out, err := compact(struct {
		SchemaVersion int    `json:"schemaVersion"`
		Label         string `json:"label"`
		Message       string `json:"message"`
		Color         string `json:"color"`
	}{1, "rebuilt", fmt.Sprintf("%d of %d agree, %.19s", min(a.Agree, a.Least), len(a.Voices), digest), colour})
	if err != nil {
		panic(err) // texts and numbers
	}
	return append(out, '\n')
}
