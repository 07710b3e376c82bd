package attest

import (
	"errors"
	"fmt"
	"time"

	"audit/provenance/statement"
	"audit/rebuild"
	"audit/report"
)

// VSAType is the predicateType of a verification summary (SLSA v1, "Verification
// Summary Attestation").
const VSAType = "https://slsa.dev/verification_summary/v1"

// A summary is the predicate of one. Its levels are audit's own words: those of SLSA
// say something else, and one run never shows SLSA_BUILD_REPRODUCED.
type summary struct {
	Verifier struct {
		ID      string            `json:"id"`
		Version map[string]string `json:"version"`
	} `json:"verifier"`
	TimeVerified time.Time `json:"timeVerified"`
	ResourceURI  string    `json:"resourceUri"` // as its consumers pull it
	Policy       struct {
		URI string `json:"uri"`
	} `json:"policy"`
	Result string   `json:"verificationResult"`
	Levels []string `json:"verifiedLevels"`
}

// NewSummary makes the statement of a verification summary, for tools that know nothing
// of audit. It says PASSED of an image only where audit built it again itself and
// demanded that it be equivalent or reproducible, and FAILED only where what was
// demanded of such a build does not hold; of anything else it is an error.
func NewSummary(r *report.Report, auditor, resource string, now time.Time) ([]byte, error) {
	var require rebuild.Policy
	switch err := require.UnmarshalText([]byte(r.Policy.Require)); {
	case err != nil || require < rebuild.RequireEquivalent:
		return nil, fmt.Errorf("a verification summary says that an image was rebuilt: what was demanded is %q, and has to be equivalent or reproducible (--require)", r.Policy.Require)
	case r.Rebuild == nil || r.Rebuild.Status != report.Built:
		return nil, errors.New("a verification summary says that an image was rebuilt, and this one was not built here")
	}
	subjects := subjectsOf(r)
	if len(subjects) == 0 {
		return nil, errNoSubject
	}
	s := &summary{TimeVerified: now.UTC().Truncate(time.Second), ResourceURI: resource, Result: "FAILED", Levels: []string{"FAILED"}}
	s.Verifier.ID, s.Verifier.Version = auditor, map[string]string{r.Tool.Name: r.Tool.Version}
	s.Policy.URI = home + "policy/" + require.String()
	if r.Policy.Holds {
		level := "AUDIT_EQUIVALENT"
		if r.Verdict == rebuild.Reproducible {
			level = "AUDIT_REPRODUCIBLE"
		}
		s.Result, s.Levels = "PASSED", []string{level}
	}
	return encode(subjects, VSAType, s)
}

// encode writes a statement.
func encode(subjects []statement.Subject, predicateType string, predicate any) ([]byte, error) {
	return compact(struct {
		Type          string              `json:"_type"`
		Subject       []statement.Subject `json:"subject"`
		PredicateType string              `json:"predicateType"`
		Predicate     any                 `json:"predicate"`
	}{statement.TypeV1, subjects, predicateType, predicate})
}

var errNoSubject = errors.New("the image has no digest that binds all of it: its config does not describe its layers, and it is no file")
