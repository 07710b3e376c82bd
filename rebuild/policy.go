package rebuild

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect/check"
)

// A Policy is what a user demands of an image. The zero value is
// RequireConsistent.
type Policy int

// The policies, the mildest first.
const (
	RequireConsistent   Policy = iota // nothing speaks against it
	RequireExplained                  // consistent, and every file is explained: the check named closure passes, or a rebuild gave the same files
	RequireMatching                   // identical or equivalent, whatever that rests on
	RequireVouched                    // and each part was built in this run or signed by a trusted party
	RequireEquivalent                 // and two builds of every part exist
	RequireReproducible               // and every byte is the same
)

var policyNames = [...]string{"consistent", "explained", "matching", "vouched", "equivalent", "reproducible"}

// Policies are all of them, in their order.
func Policies() []Policy {
	return []Policy{RequireConsistent, RequireExplained, RequireMatching, RequireVouched, RequireEquivalent, RequireReproducible}
}

func (p Policy) String() string { return policyNames[p] }

// MarshalText writes the policy as the command line has it.
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Policy) UnmarshalText(text []byte) error {
	i := slices.Index(policyNames[:], string(text))
	if i < 0 {
		last := len(policyNames) - 1
		return fmt.Errorf("unknown policy %q (there are %s and %s)", text, strings.Join(policyNames[:last], ", "), policyNames[last])
	}
	*p = Policy(i)
	return nil
}

// Holds says whether an image is what the policy demands, by its verdict and the
// status of the check named closure.
func (p Policy) Holds(v Verdict, closure check.Status) bool {
	if v < Unverified || v > Matching {
		return false // something speaks against it
	}
	switch p {
	case RequireConsistent:
		return true
	case RequireExplained:
		return closure == check.Pass || v < Matching && v > Unverified
	}
	last := [...]Policy{Matching: RequireMatching, Vouched: RequireVouched, Equivalent: RequireEquivalent, Reproducible: RequireReproducible}
	return p <= last[v] // of Unverified: consistent
}
