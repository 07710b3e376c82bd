package rebuild

import (
	"audit/inspect/check"
	"fmt"
)

// A Verdict is what all checks together allow to be said of an image. The zero
// value is Unverified: nothing examined is never success.
type Verdict int

// The verdicts.
const (
	Unverified     Verdict = iota // nothing contradicts, nothing was rebuilt
	Reproducible                  // rebuilt; config and every layer identical
	Equivalent                    // rebuilt; only packaging differs, each difference with its cause
	Unreproducible                // rebuilt; something else differs
	Contradicted                  // a check that ran says no
	BuildFailed                   // the build was tried and failed
)

var verdictNames = [...]string{"unverified", "reproducible", "equivalent", "unreproducible", "contradicted", "build-failed"}

func (v Verdict) String() string { return verdictNames[v] }

// MarshalText writes the verdict as reports have it.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdictNames {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("unknown verdict %q", text)
}

// An Outcome is how the rebuild of an image ended. The zero value is NotTried.
type Outcome int

// The outcomes.
const (
	NotTried          Outcome = iota // no build ran, or nothing could be compared
	TriedAndFailed                   // a build ran and failed
	RebuiltIdentical                 // config and every layer are the same bytes
	RebuiltEquivalent                // a container sees the same
	RebuiltDifferent                 // something else differs
)

// Judge computes the verdict. The strongest word wins: a check that says no
// contradicts the image whatever a rebuild shows; then a build that failed;
// then what the rebuild showed. It speaks for the image only when the check
// named rebuild has passed too: nothing examined is never success.
func Judge(checks []check.Check, o Outcome) Verdict {
	passed, failed := false, false
	for _, c := range checks {
		switch {
		case c.ID != check.Rebuild && c.Status == check.Fail:
			return Contradicted
		case c.ID == check.Rebuild && c.Status == check.Fail:
			failed = true
		case c.ID == check.Rebuild && c.Status == check.Pass:
			passed = true
		}
	}
	switch {
	case o == TriedAndFailed:
		return BuildFailed
	case o == RebuiltDifferent || failed:
		return Unreproducible
	case o == RebuiltIdentical && passed:
		return Reproducible
	case o == RebuiltEquivalent && passed:
		return Equivalent
	}
	return Unverified
}

// A Policy is what a user demands of an image. The zero value is
// RequireConsistent.
type Policy int

// The policies, the mildest first. An image that holds one holds all before it.
const (
	RequireConsistent   Policy = iota // nothing contradicts it: not contradicted, unreproducible or build-failed
	RequireEquivalent                 // rebuilt, and a container sees the same
	RequireReproducible               // rebuilt, and every byte is the same
)

var policyNames = [...]string{"consistent", "equivalent", "reproducible"}

func (p Policy) String() string { return policyNames[p] }

// MarshalText writes the policy as the command line has it.
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Policy) UnmarshalText(text []byte) error {
	for i, name := range policyNames {
		if name == string(text) {
			*p = Policy(i)
			return nil
		}
	}
	return fmt.Errorf("unknown policy %q (there are consistent, equivalent and reproducible)", text)
}

// Holds says whether an image with the verdict is what the policy demands.
func (p Policy) Holds(v Verdict) bool {
	switch v {
	case Reproducible:
		return true
	case Equivalent:
		return p != RequireReproducible
	case Unverified:
		return p == RequireConsistent
	}
	return false
}
