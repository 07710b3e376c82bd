package rebuild

import (
	"fmt"
	"slices"
	"testing"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

// bases are what an image can rest on, from nothing to two builds of each part.
func bases() map[string]Basis {
	part := func(how How, operators ...string) Part {
		return Part{Path: "/store/x", From: how, Operators: operators}
	}
	return map[string]Basis{
		"nothing":       {},
		"inputs alone":  {Inputs: []Part{part(Pinned)}},
		"given":         {Given: true, Items: []Part{part(Carried)}},
		"given, signed": {Given: true, Items: []Part{part(Signed, "a", "b")}},
		"carried":       {Items: []Part{part(Carried)}},
		"reused":        {Items: []Part{part(Built), part(Reused)}},
		"substituted":   {Items: []Part{part(Signed, "a", "b"), part(Substituted)}},
		"one farm":      {Items: []Part{part(Built), part(Signed, "a")}},
		"two farms":     {Items: []Part{part(Signed, "a", "b")}},
		"remade":        {Items: []Part{part(Remade), part(Signed, "a", "b")}},
		"built":         {Items: []Part{part(Built)}, Inputs: []Part{part(Pinned)}},
	}
}

// TestJudge goes through every combination of statuses, results and bases, and
// holds each verdict against what it claims.
func TestJudge(t *testing.T) {
	statuses := []check.Status{check.Unknown, check.Pass, check.Fail, check.Skipped}
	two := []string{"two farms", "built", "remade"}
	one := append([]string{"one farm"}, two...)
	count := 0
	for name, basis := range bases() {
		for n := range 1 << (2*3 + 2 + 2) { // two bits for each of three checks and the result, one for each fact
			own, repack, other := statuses[n&3], statuses[n>>2&3], statuses[n>>4&3]
			result := []compare.Result{"", compare.Identical, compare.Equivalent, compare.Different}[n>>6&3]
			f := Facts{Result: result, Basis: basis, Failed: n>>8&1 != 0, Unstable: n>>9&1 != 0,
				Checks: map[check.ID]check.Status{check.Rebuild: own, check.Repack: repack, check.Closure: other}}
			v := Judge(f)
			count++
			no := repack == check.Fail || other == check.Fail
			same := result == compare.Identical || result == compare.Equivalent
			against := no || f.Failed || result == compare.Different || f.Unstable || own == check.Fail
			packed := repack == check.Pass && name != "given" && (slices.Contains(one, name) || name == "given, signed")
			passed := same && own == check.Pass && !against
			for claim, holds := range map[string]bool{
				"contradicted exactly when a check but rebuild fails":                             (v == Contradicted) == no,
				"build-failed exactly when the builder failed and nothing contradicts":            (v == BuildFailed) == (f.Failed && !no),
				"different exactly of an image that was given":                                    (v == Different) == (result == compare.Different && basis.Given && !no && !f.Failed),
				"unreproducible exactly when this run shows something else":                       (v == Unreproducible) == (!no && !f.Failed && v != Different && (result == compare.Different || f.Unstable || own == check.Fail)),
				"reproducible only of the same bytes":                                             v != Reproducible || passed && result == compare.Identical || packed && (result != compare.Equivalent || basis.Given),
				"equivalent only of files that are the same":                                      v != Equivalent || result == compare.Equivalent && (passed || packed),
				"two builds for reproducible and equivalent":                                      v != Reproducible && v != Equivalent || slices.Contains(two, name) || name == "given, signed" && packed,
				"a build or a signature of each part for vouched":                                 v != Vouched || slices.Contains(one, name),
				"a rebuild that passed is at least matching":                                      !passed || slices.Contains([]Verdict{Matching, Vouched, Equivalent, Reproducible}, v),
				"what was merely given, reused or substituted is matching at most, but by repack": !passed || slices.Contains(one, name) || packed || v == Matching,
				"an identical rebuild of built parts is reproducible":                             !(passed && result == compare.Identical && slices.Contains(two, name)) || v == Reproducible,
				"an equivalent rebuild of built parts is equivalent":                              !(passed && result == compare.Equivalent && slices.Contains(two, name)) || v == Equivalent,
				"without a rebuild that passed repack alone speaks for an image":                  passed || packed || against || v == Unverified,
				"what weighs against an image wins":                                               !against || slices.Contains([]Verdict{Contradicted, BuildFailed, Different, Unreproducible}, v),
			} {
				if !holds {
					t.Fatalf("%s: %v of %s, %+v", claim, v, name, f)
				}
			}
		}
	}
	if want := len(bases()) << 10; count != want {
		t.Errorf("%d combinations, want %d", count, want)
	}
}

// TestJudgeNothing holds that nothing examined is never success.
func TestJudgeNothing(t *testing.T) {
	if v := Judge(Facts{}); v != Unverified {
		t.Error(v)
	}
	built := Basis{Items: []Part{{Path: "/store/x", From: Built}}}
	for _, r := range []compare.Result{compare.Identical, compare.Equivalent} {
		if v := Judge(Facts{Result: r, Basis: built}); v != Unverified {
			t.Errorf("%s, and no check: %v", r, v)
		}
	}
	var v Verdict
	if v != Unverified {
		t.Error("the zero verdict is", v)
	}
}

// TestBasis: where each part comes from, and who signed it.
func TestBasis(t *testing.T) {
	signed := map[string][]string{"/s/a": {"farm", "farm"}, "/s/b": {"two", "one"}, "/s/c": {"one"}}
	for _, tc := range []struct {
		name      string
		given     bool
		originals []string
		made      []Item
		want      string
	}{
		{"nothing made", false, []string{"/s/b", "/s/d", "/s/profile"}, nil, "false [{/s/b signed [one two]} {/s/d carried []} {/s/profile remade []}] []"},
		{"given", true, []string{"/s/a"}, nil, "true [{/s/a signed [farm]}] []"},
		{"made", false, nil, []Item{{Path: "/s/c", How: Built}, {Path: "/s/a", How: Reused}, {Path: "/s/d", How: Substituted, Source: "https://x"}},
			"false [{/s/a signed [farm]} {/s/c built [one]} {/s/d substituted []}] []"},
		{"instructions", false, nil, []Item{{Path: "1/2 FROM x@sha256:…", How: Pinned}, {Path: "2/2 RUN y", How: Reused}},
			"false [{2/2 RUN y reused []}] [{1/2 FROM x@sha256:… pinned []}]"},
	} {
		b := Origins{Given: tc.given, Originals: tc.originals, Made: tc.made, Remade: []string{"/s/profile"}, Operators: signed}.Basis()
		if got := fmt.Sprint(b.Given, b.Items, b.Inputs); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestPolicy(t *testing.T) {
	for _, tc := range []struct {
		verdict Verdict
		holds   []Policy // with a closure that is not known
	}{
		{Unverified, []Policy{RequireConsistent}},
		{Matching, []Policy{RequireConsistent, RequireMatching}},
		{Vouched, []Policy{RequireConsistent, RequireExplained, RequireMatching, RequireVouched}},
		{Equivalent, []Policy{RequireConsistent, RequireExplained, RequireMatching, RequireVouched, RequireEquivalent}},
		{Reproducible, []Policy{RequireConsistent, RequireExplained, RequireMatching, RequireVouched, RequireEquivalent, RequireReproducible}},
		{Unreproducible, nil},
		{Different, nil},
		{Contradicted, nil},
		{BuildFailed, nil},
		{Verdict(99), nil},
		{Verdict(-1), nil},
	} {
		for _, p := range Policies() {
			if got, want := p.Holds(tc.verdict, check.Unknown), slices.Contains(tc.holds, p); got != want {
				t.Errorf("%v of verdict %d: %v, want %v", p, tc.verdict, got, want)
			}
		}
		if got, want := RequireExplained.Holds(tc.verdict, check.Pass), tc.holds != nil; got != want {
			t.Errorf("explained of verdict %d: %v, want %v", tc.verdict, got, want)
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
	for _, want := range Policies() {
		text, _ := want.MarshalText()
		var p Policy
		if err := p.UnmarshalText(text); err != nil || p != want {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
	var p Policy
	if err := p.UnmarshalText([]byte("strict")); err == nil || err.Error() != `unknown policy "strict" (there are consistent, explained, matching, vouched, equivalent and reproducible)` {
		t.Errorf("there is no policy named strict: %v", err)
	}
}
