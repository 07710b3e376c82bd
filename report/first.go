package report

import (
	"strings"

	"audit/inspect/check"
	"audit/provenance/vouch"
	"audit/rebuild"
)

// First returns a function that says of a report, in one sentence, what its page would have
// somebody look at first: what contradicts the image, what differs most, what lends rights or
// decides who has them and nobody answers for; "" where nothing stands out. It looks at the
// verdict, the findings that are no notes, the first file that nobody vouches for, how much
// of the files has vouchers, and what differs.
func First(systems ...rebuild.About) func(*Report) string {
	words := newWords(systems)
	return func(r *Report) string {
		r.words = words
		return strings.TrimSpace(r.first())
	}
}

func (r *Report) first() string {
	switch r.Verdict {
	case rebuild.Contradicted:
		return r.contradiction()
	case rebuild.Unreproducible, rebuild.Different:
		return gravest(r.Comparison)
	}
	if rights := r.rights(); rights != "" {
		return rights
	}
	if len(r.Vouchers.Nobody) == 0 {
		return ""
	}
	if f := r.Vouchers.Nobody[0]; f.Kind == vouch.Differs || accessOrder(f.Path) <= 2 || r.isOther(f.Path) {
		return r.standsOut()
	}
	return ""
}

// isOther says whether a file has other bytes than its package has installed or recorded.
func (r *Report) isOther(path string) bool {
	for _, f := range r.check(check.Closure).Findings {
		if f.Path == path && (f.Code == "closure/package-file-changed" || f.Code == "closure/record-differs") {
			return true
		}
	}
	return false
}

// SaysFirst says whether [First] may need a finding.
func (f Finding) SaysFirst() bool { return f.Level > check.Note }

// SaysFirst says whether [First] may need a difference.
func (d *Difference) SaysFirst() bool {
	return !d.Cause.Harmless() && (d.Privileged || d.Known == "" && d.decides())
}

// SaysFirst says whether [First] may need a difference.
func (f FieldDifference) SaysFirst() bool { return f.Known == "" && f.compared().Decides() }
