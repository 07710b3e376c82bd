package report

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// TestSARIFOfPlatforms: what is found of one platform does not replace what is of another.
func TestSARIFOfPlatforms(t *testing.T) {
	img := Image{Reference: "docker://h/a:1", Transport: image.Registry, Platform: "linux/arm64"}
	alone := automation(img)
	img.Platforms = []Platform{{Platform: "linux/amd64", Kind: image.ImageEntry}, {Platform: "linux/arm64", Kind: image.ImageEntry, Chosen: true}}
	if got := automation(img); got != alone+"linux-arm64/" {
		t.Errorf("%s, alone %s", got, alone)
	}
}

// TestRefusedFindingIsOneAlert: what the policy refuses is an error, with what to do, and no
// second result.
func TestRefusedFindingIsOneAlert(t *testing.T) {
	in := contradictedInput(t)
	in.Verdict = rebuild.Unverified
	in.Checks[2] = check.Check{ID: check.Closure, Status: check.Unknown, Findings: []check.Finding{check.Find(check.Undecided, 0, "bin/su", "closure/setuid-file", "mode", "4755", "kind", "file")}}
	r := New(in)
	f := r.Checks[2].Findings[0]
	r.Policy = Policy{Require: "consistent", Violations: []Violation{{Rule: "refuse", Code: "policy/refused-finding", Args: check.Args{"rule": f.Code}, Layer: 0, Path: f.Path, Finding: &Message{Code: f.Code, Args: f.Args}}}}
	s := &sarifWriter{report: r, index: map[string]int{}, seen: map[string]int{}}
	s.results()
	n := 0
	for _, result := range s.found {
		if result.place.path == "bin/su" {
			n++
			if result.Level != "error" || result.RuleID != f.Code || !strings.Contains(result.Message.Text, "(the policy refuses it)") {
				t.Errorf("%+v", result)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d results", n)
	}
}

func TestSARIFIsValid(t *testing.T) {
	s := official(t, "sarif-schema-2.1.0.json")
	for name, in := range inputs(t) {
		if err := validate(t, s, render(t, WriteSARIF, New(in))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := validate(t, s, render(t, WriteSARIF, New(Input{Image: &inspect.Image{}}))); err != nil {
		t.Errorf("a report of nothing: %v", err)
	}
	if validate(t, s, []byte(`{"version": "2.1.0", "runs": [{"tool": {"driver": {}}}]}`)) == nil {
		t.Error("the schema takes anything")
	}
}

func sarifOf(t testing.TB, in Input) sarifRun {
	t.Helper()
	var log sarifLog
	if err := json.Unmarshal(render(t, WriteSARIF, New(in)), &log); err != nil {
		t.Fatal(err)
	}
	return log.Runs[0]
}

// lines writes results as "level rule uri".
func lines(run sarifRun) string {
	var all []string
	for _, r := range run.Results {
		all = append(all, fmt.Sprintf("%s %s %s", r.Level, r.RuleID, r.Locations[0].Physical.Artifact.URI))
	}
	return strings.Join(all, "\n")
}

func TestSARIFResults(t *testing.T) {
	stamp := "gnu/store/1hhc-tiny-stamp-0.1/"
	for _, c := range []struct {
		name string
		in   Input
		want []string
	}{
		{"reproducible", reproducibleInput(t), nil},
		{"contradicted", contradictedInput(t), []string{"error closure/unexplained-file etc/cron.d/job", "error policy tiny.tar.gz"}},
		{"build-failed", failedInput(t), []string{"warning rebuild tiny.tar.gz", "error policy tiny.tar.gz"}},
		{"unreproducible", unreproducibleInput(t, 1), []string{
			"warning derivation/derivation-missing gnu/store/1hhc5wb7g4fxlj90gcq43vcjqy33vnmc-tiny-stamp-0.1",
			"error rebuild/content " + stamp + "share/built-at",
			"error config/extra stamp-A.tar.gz",
			"error difference/content " + stamp + "share/built-at",
			"error difference/missing tmp",
			"error difference/mode " + stamp + "bin/su",
			"note difference/timestamp " + stamp + "share/doc/page-00000",
			"error policy stamp-A.tar.gz",
		}},
	} {
		run := sarifOf(t, c.in)
		if got := lines(run); got != strings.Join(c.want, "\n") {
			t.Errorf("%s: the results are\n%s", c.name, got)
		}
		for _, r := range run.Results {
			if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
				t.Errorf("%s: %s is rule %d, which is another", c.name, r.RuleID, r.RuleIndex)
			}
		}
	}
}

// TestSARIFTellsWhatWasSkipped: nothing skipped looks green.
func TestSARIFTellsWhatWasSkipped(t *testing.T) {
	var told []string
	for _, n := range sarifOf(t, unverifiedInput(t)).Invocations[0].Notifications {
		told = append(told, n.Descriptor.ID)
	}
	if got := strings.Join(told, " "); got != "verdict skipped/signatures skipped/sources skipped/derivation skipped/rebuild" {
		t.Errorf("the notifications are %s", got)
	}
}

// TestSARIFSaysADifferenceOnce: the findings that repeat the comparison are
// left to it, and stay when there is none.
func TestSARIFSaysADifferenceOnce(t *testing.T) {
	in := unreproducibleInput(t, 0)
	in.Checks[7].Findings = []check.Finding{check.Find(check.Problem, 0, "x", "rebuild/difference-content"), check.Find(check.Problem, 0, "", "rebuild/more-differences")}
	if got := lines(sarifOf(t, in)); strings.Contains(got, "rebuild/") {
		t.Errorf("the results are\n%s", got)
	}
	in.Comparison, in.Rebuilt = nil, nil
	if got := lines(sarifOf(t, in)); !strings.Contains(got, "error rebuild/difference-content x") {
		t.Errorf("the results are\n%s", got)
	}
}

func TestSARIFIsBounded(t *testing.T) {
	run := sarifOf(t, unreproducibleInput(t, 12_000))
	last := run.Invocations[0].Notifications
	if len(run.Results) != sarifResults || last[len(last)-1].Descriptor.ID != "left-out" {
		t.Errorf("%d results, and the notifications %v", len(run.Results), last)
	}
}

func TestSARIFLocations(t *testing.T) {
	s := &sarifWriter{report: &Report{Image: Image{Transport: image.DockerArchive, Reference: "a b:c.tar"}}}
	for _, c := range []struct{ path, uri, base string }{
		{"etc/passwd", "etc/passwd", sarifRoot},
		{"/gnu/store/x", "gnu/store/x", sarifRoot},
		{"a b/%41?#[x]:ü\xff\n", "a%20b/%2541%3F%23%5Bx%5D%3A%C3%BC%FF%0A", sarifRoot},
		{"javascript:alert(1)", "javascript%3Aalert%281%29", sarifRoot},
		{"", "a%20b%3Ac.tar", ""},
		{"../../etc/passwd", "a%20b%3Ac.tar", ""},
		{"/../x", "a%20b%3Ac.tar", ""},
		{"//evil.example/x", "a%20b%3Ac.tar", ""},
		{".", "a%20b%3Ac.tar", ""},
		{"a/../../x", "a%20b%3Ac.tar", ""},
	} {
		l := s.location(-1, c.path)
		if got := l.Physical.Artifact; got.URI != c.uri || got.Base != c.base {
			t.Errorf("%q lies at %+v", c.path, got)
		}
	}
}

func TestSARIFMessages(t *testing.T) {
	for in, want := range map[string]string{
		"[click](https://evil.example)": "[click] (https://evil.example)",
		"{0} and }":                     "{{0}} and }}",
		"":                              "no message",
		"\x1b[31m":                      `\x1b[31m`,
	} {
		if got := sarifMessage(in).Text; got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestSARIFFingerprints(t *testing.T) {
	a, b := sarifOf(t, unreproducibleInput(t, 50)), sarifOf(t, unreproducibleInput(t, 50))
	seen := map[string]bool{}
	for i, r := range a.Results {
		f := r.Fingerprints["primaryLocationLineHash"]
		if seen[f] || f != b.Results[i].Fingerprints["primaryLocationLineHash"] {
			t.Errorf("the fingerprint %s of %s is not its own, or changes", f, r.RuleID)
		}
		seen[f] = true
	}
}

func FuzzSARIFLocation(f *testing.F) {
	f.Add(hostile)
	f.Add("../x")
	f.Add("a//b")
	f.Fuzz(func(t *testing.T, path string) {
		s := &sarifWriter{report: &Report{Image: Image{Transport: image.DockerArchive, Reference: "image.tar"}}}
		l := s.location(0, path)
		uri := l.Physical.Artifact.URI
		u, err := url.Parse(uri)
		if err != nil || u.IsAbs() || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || strings.HasPrefix(uri, "/") {
			t.Fatalf("%q lies at %q: %v", path, uri, err)
		}
		if l.Physical.Artifact.Base == sarifRoot && u.Path != strings.TrimPrefix(path, "/") {
			t.Errorf("%q comes back as %q", path, u.Path)
		}
		for _, logical := range l.Logical {
			if !utf8.ValidString(logical.Name) || Printable(logical.Name) != logical.Name {
				t.Errorf("a name is %q", logical.Name)
			}
		}
	})
}

// TestSARIFAgreesWithTheVerdict: an error when, and only when, the image or the
// policy is at fault.
func TestSARIFAgreesWithTheVerdict(t *testing.T) {
	for name, in := range inputs(t) {
		bad := in.Verdict == rebuild.Contradicted || in.Verdict == rebuild.Unreproducible || in.Verdict == rebuild.Different || in.Policy.Require != "" && !in.Policy.Holds
		if got := strings.Contains("\n"+lines(sarifOf(t, in)), "\nerror "); got != bad {
			t.Errorf("%s: an error: %v", name, got)
		}
	}
	for _, c := range allCauses() {
		if want := map[bool]string{true: "note", false: "error"}[compare.Cause(c).Harmless()]; levelOf(c) != want {
			t.Errorf("%s is of level %s", c, levelOf(c))
		}
	}
}
