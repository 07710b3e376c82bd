package rebuild

import (
	"fmt"
	"slices"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

// A Verdict is what follows for an image from all that was found. The zero
// value is Unverified: nothing examined is never success.
type Verdict int

// The verdicts.
const (
	Unverified     Verdict = iota // nothing contradicts, and nothing was built
	Reproducible                  // identical, and two builds of every part exist
	Equivalent                    // only packaging differs, and two builds of every part exist
	Vouched                       // identical or equivalent; each part was built in this run or signed by a trusted party
	Matching                      // identical or equivalent to something of which less is known
	Unreproducible                // the builder ran, and what came out is different
	Different                     // the image that was given is different
	BuildFailed                   // the derivation's own builder failed
	Contradicted                  // a check that ran says no
)

var verdictNames = [...]string{"unverified", "reproducible", "equivalent", "vouched", "matching", "unreproducible", "different", "build-failed", "contradicted"}

func (v Verdict) String() string { return verdictNames[v] }

// MarshalText writes the verdict as reports have it.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(text []byte) error {
	i := slices.Index(verdictNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown verdict %q", text)
	}
	*v = Verdict(i)
	return nil
}

// Facts are all that a verdict follows from. A report has them too, so that the
// verdict of a stored one can be computed again.
type Facts struct {
	Checks   map[check.ID]check.Status // a check that is not there did not run
	Result   compare.Result            // of the comparison with the rebuild; "" without one
	Basis    Basis                     // what the image rests on
	Failed   bool                      // a build was tried, and the derivation's own builder failed
	Unstable bool                      // two builds of this run differ from each other
}

// StatusesOf returns the statuses of checks, as Facts have them.
func StatusesOf(checks []check.Check) map[check.ID]check.Status {
	statuses := make(map[check.ID]check.Status, len(checks))
	for _, c := range checks {
		statuses[c.ID] = c.Status
	}
	return statuses
}

// Judge computes the verdict. What weighs against the image wins: a check that
// says no, then a build that failed, then a comparison that shows something else.
// Only then may the comparison, or where there was none the check named repack,
// speak for it, and never better than what it rests on.
func Judge(f Facts) Verdict {
	for id, status := range f.Checks {
		if id != check.Rebuild && status == check.Fail {
			return Contradicted
		}
	}
	switch {
	case f.Failed:
		return BuildFailed
	case f.Result == compare.Different && f.Basis.Given:
		return Different
	case f.Result == compare.Different, f.Unstable, f.status(check.Rebuild) == check.Fail:
		return Unreproducible
	}
	return best(f.rebuilt(), f.repacked())
}

// rebuilt is what the comparison with the rebuild shows, for one that is identical
// or equivalent.
func (f Facts) rebuilt() Verdict {
	if f.Result == "" || f.status(check.Rebuild) != check.Pass {
		return Unverified
	}
	return f.Basis.verdict(f.Result)
}

// repacked is what the check named repack shows: that packing the store items
// again, by the packer's own rules, gives the very same layers. It builds
// nothing, so that only signatures can vouch for the items. Where a builder made
// an image that is equivalent, it shows no more than that.
func (f Facts) repacked() Verdict {
	if f.status(check.Repack) != check.Pass {
		return Unverified
	}
	result := compare.Identical
	if f.Result == compare.Equivalent && !f.Basis.Given {
		result = compare.Equivalent
	}
	signed := Basis{Items: f.Basis.Items}
	if v := signed.verdict(result); v != Matching {
		return v
	}
	return Unverified
}

// status is that of a check, Skipped for one that is not there.
func (f Facts) status(id check.ID) check.Status {
	if status, ok := f.Checks[id]; ok {
		return status
	}
	return check.Skipped
}

// better are the verdicts that speak for an image, the best first.
var better = [...]Verdict{Reproducible, Equivalent, Vouched, Matching}

// best is the better of two verdicts that do not speak against the image.
func best(x, y Verdict) Verdict {
	for _, v := range better {
		if x == v || y == v {
			return v
		}
	}
	return Unverified
}
