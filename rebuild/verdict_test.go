package rebuild

import (
	"audit/inspect/check"
	"slices"
	"testing"
)

var outcomes = []Outcome{NotTried, TriedAndFailed, RebuiltIdentical, RebuiltEquivalent, RebuiltDifferent}

// TestJudge goes through every combination of seven checks, four statuses and
// five outcomes, and holds each verdict against what it claims.
func TestJudge(t *testing.T) {
	ids := check.IDs()
	checks := make([]check.Check, len(ids))
	for n := range 1 << (2 * len(ids)) { // two bits a check
		no := false
		var own check.Status
		for i, id := range ids {
			status := check.Status(n >> (2 * i) & 3)
			checks[i] = check.Check{ID: id, Status: status}
			if id == check.Rebuild {
				own = status
			} else if status == check.Fail {
				no = true
			}
		}
		for _, o := range outcomes {
			v := Judge(checks, o)
			for claim, holds := range map[string]bool{
				"contradicted exactly when a check but rebuild fails":     (v == Contradicted) == no,
				"reproducible only of identical bytes":                    v != Reproducible || o == RebuiltIdentical,
				"equivalent only of equivalent files":                     v != Equivalent || o == RebuiltEquivalent,
				"no success without the check passed":                     v != Reproducible && v != Equivalent || own == check.Pass,
				"build-failed exactly when a build failed":                (v == BuildFailed) == (o == TriedAndFailed && !no),
				"unreproducible only after a rebuild said so":             v != Unreproducible || o == RebuiltDifferent || own == check.Fail,
				"a different rebuild is never better than that":           o != RebuiltDifferent || no || v == Unreproducible,
				"what was not tried is unverified unless something fails": o != NotTried || no || own == check.Fail || v == Unverified,
				"an identical rebuild that passed is reproducible":        o != RebuiltIdentical || no || own != check.Pass || v == Reproducible,
				"an equivalent rebuild that passed is equivalent":         o != RebuiltEquivalent || no || own != check.Pass || v == Equivalent,
			} {
				if !holds {
					t.Fatalf("%s: %v with %v, outcome %d", claim, v, checks, o)
				}
			}
		}
	}
}

// TestJudgeNothing holds that nothing examined is never success.
func TestJudgeNothing(t *testing.T) {
	for _, o := range outcomes {
		if v := Judge(nil, o); v == Reproducible || v == Equivalent {
			t.Errorf("no checks, outcome %d: %v", o, v)
		}
	}
	if v := Judge(nil, NotTried); v != Unverified {
		t.Error(v)
	}
	var v Verdict
	if v != Unverified {
		t.Error("the zero verdict is", v)
	}
}

func TestPolicy(t *testing.T) {
	for _, tc := range []struct {
		verdict Verdict
		holds   []Policy
	}{
		{Unverified, []Policy{RequireConsistent}},
		{Reproducible, []Policy{RequireConsistent, RequireEquivalent, RequireReproducible}},
		{Equivalent, []Policy{RequireConsistent, RequireEquivalent}},
		{Unreproducible, nil},
		{Contradicted, nil},
		{BuildFailed, nil},
		{Verdict(99), nil},
	} {
		for _, p := range []Policy{RequireConsistent, RequireEquivalent, RequireReproducible} {
			if got, want := p.Holds(tc.verdict), slices.Contains(tc.holds, p); got != want {
				t.Errorf("%v of verdict %d: %v, want %v", p, tc.verdict, got, want)
			}
		}
	}
}

// TestTexts writes verdicts and policies and reads them again.
func TestTexts(t *testing.T) {
	for i := range verdictNames {
		text, _ := Verdict(i).MarshalText()
		var v Verdict
		if err := v.UnmarshalText(text); err != nil || v != Verdict(i) {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
	for i := range policyNames {
		text, _ := Policy(i).MarshalText()
		var p Policy
		if err := p.UnmarshalText(text); err != nil || p != Policy(i) {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
	var p Policy
	if err := p.UnmarshalText([]byte("strict")); err == nil {
		t.Error("there is no policy named strict")
	}
}
