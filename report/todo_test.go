package report

import (
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild"
)

// TestBrokenRules: of a policy each rule that does not hold is named once, with how many
// findings break it, and with what its own finding says to do.
func TestBrokenRules(t *testing.T) {
	found := func(path string, more int64) check.Finding {
		return check.Find(check.Undecided, 0, path, "closure/setuid-file", "kind", "file", "mode", "4755", "more", more)
	}
	r := New(Input{Image: &inspect.Image{}, Checks: []check.Check{{ID: check.Closure, Status: check.Unknown, Findings: []check.Finding{found("a", 0), found("b", 7)}}}})
	violation := func(rule, code string, f check.Finding, args ...any) Violation {
		return Violation{Rule: rule, Code: code, Args: check.Say(code, args...).Args, Layer: 0, Path: f.Path, Finding: &Message{f.Code, f.Args}}
	}
	r.Policy = Policy{Name: "builtin:explained", Require: "explained", Violations: []Violation{
		violation("checks", "policy/check-status", found("a", 0), "check", "closure", "status", "unknown", "allowed", []string{"pass", "skipped"}),
		violation("refuse", "policy/refused-finding", found("a", 0), "rule", "closure/setuid-file"),
		violation("refuse", "policy/refused-finding", found("b", 7), "rule", "closure/setuid-file"),
	}}
	all := r.Broken()
	if len(all) != 2 || !strings.HasPrefix(all[0].Text, "the check closure is unknown, and must be pass or skipped: a (layer 0): a file") ||
		all[1].Text != "the policy refuses closure/setuid-file (and 8 more)" {
		t.Errorf("%+v", all)
	}
	for _, b := range all {
		if !strings.HasPrefix(b.ToDo, "Find the step that made it") {
			t.Errorf("%q: %q", b.Text, b.ToDo)
		}
	}
	for what, write := range map[string]string{
		"audit%3A builtin%3Aexplained%3A check closure":  string(render(t, WriteAnnotations, r)),
		`name="policy: builtin:explained: check closure`: string(render(t, WriteJUnit, r)),
		"policy builtin:explained: does not hold":        string(render(t, WriteJUnit, r)),
		"What to do: Find the step that made it":         string(render(t, WriteMarkdown, r)),
	} {
		if !strings.Contains(write, what) {
			t.Errorf("%q is not in\n%s", what, write)
		}
	}
}

// TestRefusedNote: of a note it is said that it speaks against nothing, and what to change
// in the policy.
func TestRefusedNote(t *testing.T) {
	f := check.Find(check.Note, -1, "config.json", "recipe/evidence", "digest", "sha256:0")
	r := New(Input{Image: &inspect.Image{}, Checks: []check.Check{{ID: check.Recipe, Status: check.Pass, Findings: []check.Finding{f}}}})
	v := Violation{Rule: "refuse", Code: "policy/refused-finding", Args: check.Say("policy/refused-finding", "rule", "recipe/").Args, Layer: -1, Path: f.Path, Finding: &Message{f.Code, f.Args}}
	if got := r.ToDo(v); got != worthKnowing+" If the gate is not meant to stop for it, name other codes in refuse than recipe/." {
		t.Error(got)
	}
}

// TestOneWayToGoOn: what a policy says to do about a verdict is what the report says to do
// next, and of a comparison nobody is sent to build.
func TestOneWayToGoOn(t *testing.T) {
	demand := func(r *Report, require string) string {
		v := Violation{Rule: "require", Code: "policy/verdict", Args: check.Say("policy/verdict", "require", require).Args, Layer: -1}
		return r.ToDo(v)
	}
	r := New(Input{Image: &inspect.Image{}, Checks: []check.Check{{ID: check.Recipe, Status: check.Pass}, check.Skip(check.Rebuild, "plan/refused"), check.Skip(check.Signatures, "signatures/not-asked")}, Systems: testSystems()})
	r.Recipe.System = testSystems()[0].Name
	r.Plan = &Plan{Trust: []Trust{{Flag: "--trust-channel https://example.org/x.git"}}, Refused: []Message{{Code: "plan/needs-trust"}}}
	if got := demand(r, "reproducible"); !strings.Contains(got, "--trust-channel https://example.org/x.git") || strings.Contains(got, "rebuild.sh") {
		t.Errorf("to be built again: %q", got)
	}
	two := New(Input{Image: &inspect.Image{}, Verdict: rebuild.Different, Checks: []check.Check{check.Skip(check.Recipe, "report/comparison-only")}})
	for _, require := range []string{"consistent", "matching", "reproducible"} {
		if got := demand(two, require); strings.Contains(got, "rebuild.sh") || !strings.Contains(got, "ifferences") {
			t.Errorf("of two images, %s: %q", require, got)
		}
	}
	two.Verdict, two.Rebuild = rebuild.Matching, &Rebuild{Status: Given}
	if got := demand(two, "reproducible"); !strings.Contains(got, "audit IMAGE") {
		t.Errorf("of two images that match: %q", got)
	}
}

// TestAdviceIsOfTheSystem: what to do about an image names no other build system than its own.
func TestAdviceIsOfTheSystem(t *testing.T) {
	r := &Report{words: newWords(testSystems())}
	if text := r.remedy(check.Recipe); strings.Contains(text, "--save-provenance") {
		t.Errorf("of an image of none: %q", text)
	}
	r.Recipe.System = testSystems()[0].Name
	if text := r.remedy(check.Recipe); !strings.Contains(text, "--save-provenance") {
		t.Errorf("of an image of one: %q", text)
	}
}
