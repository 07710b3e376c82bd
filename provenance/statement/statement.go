package statement

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The types of in-toto statements.
const (
	TypeV1  = "https://in-toto.io/Statement/v1"
	TypeV01 = "https://in-toto.io/Statement/v0.1"
)

// SignType is the predicateType of a statement that says nothing but that its subject
// is signed: cosign 3 makes it in place of a signature of its own form.
const SignType = "https://sigstore.dev/cosign/sign/v1"

// PayloadType is the payloadType of an envelope that contains a statement.
const PayloadType = "application/vnd.in-toto+json"

// A Statement says something about each of its subjects.
type Statement struct {
	Type          string
	Subjects      []Subject
	PredicateType string
	Predicate     json.RawMessage // an object; nil when there is none
}

// A Subject is one thing that a statement is about.
type Subject struct {
	Name      string            `json:"name"`
	Digest    map[string]string `json:"digest"` // hexadecimal, by algorithm: "sha256"
	MediaType string            `json:"mediaType,omitempty"`
}

// maxSubjects bounds the subjects of a statement.
const maxSubjects = 10_000

// Parse reads a statement.
func Parse(payload []byte) (*Statement, error) {
	if err := checkJSON(payload); err != nil {
		return nil, fmt.Errorf("reading a statement: %w", err)
	}
	s, err := parse(payload)
	if err != nil {
		return nil, fmt.Errorf("reading a statement: %w", err)
	}
	return s, nil
}

// parse reads a statement that was checked.
func parse(payload []byte) (*Statement, error) {
	o, err := parseObject(payload, "_type", "subject", "predicateType", "predicate")
	if err != nil {
		return nil, err
	}
	s := &Statement{Predicate: o["predicate"]}
	if s.Type, err = o.text("_type"); err != nil {
		return nil, err
	}
	if s.Type != TypeV1 && s.Type != TypeV01 {
		return nil, fmt.Errorf("_type is %q, which is no in-toto statement", s.Type)
	}
	if s.PredicateType, err = o.text("predicateType"); err != nil {
		return nil, err
	}
	if s.PredicateType == "" {
		return nil, errors.New("it has no predicateType")
	}
	subjects, err := o.list("subject")
	if err != nil {
		return nil, err
	}
	if len(subjects) > maxSubjects {
		return nil, fmt.Errorf("it has more than %d subjects", maxSubjects)
	}
	for i, raw := range subjects {
		subject, err := parseSubject(raw)
		if err != nil {
			return nil, fmt.Errorf("subject %d: %w", i, err)
		}
		s.Subjects = append(s.Subjects, subject)
	}
	return s, nil
}

func parseSubject(raw []byte) (Subject, error) {
	var s Subject
	o, err := parseObject(raw, "name", "digest", "mediaType")
	if err != nil {
		return s, err
	}
	if s.Name, err = o.text("name"); err != nil {
		return s, err
	}
	if s.MediaType, err = o.text("mediaType"); err != nil {
		return s, err
	}
	if digest, ok := o["digest"]; ok && json.Unmarshal(digest, &s.Digest) != nil {
		return s, errors.New("digest is no object of texts")
	}
	return s, nil
}

// About says that a subject has a digest, "sha256:" and hexadecimal. As in-toto has
// it, one subject is enough, and its name says nothing.
func (s *Statement) About(digest string) bool {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return hex != "" && slices.ContainsFunc(s.Subjects, func(subject Subject) bool {
		return strings.EqualFold(subject.Digest[algorithm], hex)
	})
}
