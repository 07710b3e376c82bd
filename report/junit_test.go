package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild"
)

// junitShape is what the schemas of Jenkins and of Ant's reports both allow:
// for each element its attributes and, in order, its children.
var junitShape = map[string]struct{ attrs, children []string }{
	"testsuites": {nil, []string{"testsuite"}},
	"testsuite":  {[]string{"name", "package", "id", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"}, []string{"properties", "testcase", "system-out", "system-err"}},
	"properties": {nil, []string{"property"}},
	"property":   {[]string{"name", "value"}, nil},
	"testcase":   {[]string{"classname", "name", "time"}, []string{"skipped", "error", "failure"}},
	"skipped":    {[]string{"message"}, nil},
	"error":      {[]string{"message", "type"}, nil},
	"failure":    {[]string{"message", "type"}, nil},
	"system-out": {},
	"system-err": {},
}

// checkShape walks a document and counts its elements.
func checkShape(t *testing.T, name string, doc []byte) map[string]int {
	t.Helper()
	seen := map[string]int{}
	type level struct {
		name string
		last int // position of the last child among those allowed
	}
	open := []level{{name: ""}}
	for d := xml.NewDecoder(bytes.NewReader(doc)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return seen
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			seen[e.Name.Local]++
			shape, known := junitShape[e.Name.Local]
			if !known {
				t.Fatalf("%s: the element %s", name, e.Name.Local)
			}
			var attrs []string
			for _, a := range e.Attr {
				attrs = append(attrs, a.Name.Local)
			}
			if !slices.Equal(attrs, shape.attrs) {
				t.Errorf("%s: %s has the attributes %v", name, e.Name.Local, attrs)
			}
			if parent := &open[len(open)-1]; parent.name != "" {
				at := slices.Index(junitShape[parent.name].children, e.Name.Local)
				if at < parent.last {
					t.Errorf("%s: %s in %s, or too late", name, e.Name.Local, parent.name)
				}
				parent.last = at
			}
			open = append(open, level{name: e.Name.Local})
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

func TestJUnitShape(t *testing.T) {
	stamp := regexp.MustCompile(` timestamp="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"`)
	all := inputs(t)
	all["least"] = Input{Image: &inspect.Image{}}
	for name, in := range all {
		doc := render(t, WriteJUnit, New(in))
		seen := checkShape(t, name, doc)
		var back junitSuites
		if err := xml.Unmarshal(doc, &back); err != nil {
			t.Fatal(err)
		}
		s := back.Suite
		if s.Tests != seen["testcase"] || s.Failures != seen["failure"] || s.Errors != seen["error"] || s.Skipped != seen["skipped"] || s.Tests < 7 {
			t.Errorf("%s: the suite counts %d tests, %d failures, %d errors, %d skipped; there are %v", name, s.Tests, s.Failures, s.Errors, s.Skipped, seen)
		}
		if s.Name == "" || s.Hostname == "" {
			t.Errorf("%s: a suite without name or host", name)
		}
		if !stamp.Match(doc) {
			t.Errorf("%s: no timestamp that Ant's schema takes", name)
		}
	}
}

// TestJUnitIsRedWhenThePolicyFails and then only, for every verdict and policy.
func TestJUnitIsRedWhenThePolicyFails(t *testing.T) {
	for name, in := range inputs(t) {
		for _, policy := range rebuild.Policies() {
			if name == "given" {
				continue // the verdict of the others fits their checks
			}
			in.Policy = Policy{Require: policy.String(), Holds: policy.Holds(in.Verdict, find(in.Checks, check.Closure).Status)}
			s, err := newSuite(New(in))
			if err != nil {
				t.Fatal(err)
			}
			if red := s.Failures+s.Errors > 0; red == in.Policy.Holds {
				t.Errorf("%s, %s: red is %v, and the policy holds is %v", name, policy, red, in.Policy.Holds)
			}
		}
	}
}

func TestJUnitCases(t *testing.T) {
	for _, c := range []struct {
		name  string
		check Check
		build *Rebuild
		want  string // failure, error, skipped or pass
	}{
		{"pass", Check{ID: check.Closure, Status: check.Pass}, nil, "pass"},
		{"fail", Check{ID: check.Closure, Status: check.Fail}, nil, "failure"},
		{"unknown is no pass", Check{ID: check.Recipe, Status: check.Unknown}, nil, "skipped"},
		{"skipped is no pass", Check{ID: check.Rebuild, Status: check.Skipped}, nil, "skipped"},
		{"a build that failed", Check{ID: check.Rebuild, Status: check.Unknown}, &Rebuild{Status: Failed}, "error"},
		{"a builder that is not there", Check{ID: check.Rebuild, Status: check.Skipped}, &Rebuild{Status: NoBuilder}, "skipped"},
	} {
		got := "pass"
		switch j := checkCase(&Report{Rebuild: c.build}, c.check); {
		case j.Failure != nil:
			got = "failure"
		case j.Error != nil:
			got = "error"
		case j.Skipped != nil:
			got = "skipped"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestJUnitKeepsHostileText: visible, and nothing that XML 1.0 forbids.
func TestJUnitKeepsHostileText(t *testing.T) {
	in := hostileInput(t)
	for i := range in.Checks {
		in.Checks[i].Reasons[0].Args["text"] = hostile + "]]>\x00\uffff\ud7ff"
		in.Checks[i].Findings[0].Args["text"] = hostile + "]]>"
	}
	doc := render(t, WriteJUnit, New(in))
	for _, line := range strings.Split(strings.TrimSuffix(string(doc), "\n"), "\n") {
		if Printable(line) != line {
			t.Errorf("a line is %q", line)
		}
	}
	var back junitSuites
	if err := xml.Unmarshal(doc, &back); err != nil {
		t.Fatal(err)
	}
	if got := back.Suite.Cases[0].Failure; !strings.Contains(got.Message, `]]>\x00\uffff`) || !strings.Contains(got.Text, `<script>alert(1)</script>\x1b[31m`) {
		t.Errorf("the failure is %+v", got)
	}
}

// TestJUnitFollowsThePolicy: what a policy lets pass is no failure, and each thing that it
// demands in vain is one, with the file, and with what to do.
func TestJUnitFollowsThePolicy(t *testing.T) {
	r := &Report{Policy: Policy{Require: "consistent", Holds: true}, Checks: []Check{{ID: check.Rebuild, Status: check.Fail}}}
	if c := checkCase(r, r.Checks[0]); c.Failure != nil || c.Error != nil || c.Skipped == nil {
		t.Errorf("a policy that holds: %+v", c)
	}
	r.Policy = Policy{Require: "consistent", Violations: []Violation{
		{Rule: "checks", Code: "policy/check-status", Args: check.Args{"check": "rebuild", "status": "fail", "allowed": []string{"pass"}}, Layer: -1},
		{Rule: "refuse", Code: "policy/refused-finding", Args: check.Args{"rule": "closure/"}, Layer: 2, Path: "bin/su", Finding: &Message{Code: "closure/setuid-file"}},
	}}
	cases := policyCases(r)
	if len(cases) != 2 || cases[0].Name != "policy: check rebuild" || cases[1].Name != "policy: refuse closure/ bin/su" {
		t.Fatalf("%+v", cases)
	}
	for _, c := range cases {
		if c.Failure == nil || !strings.Contains(c.Failure.Text, "what to do: ") {
			t.Errorf("%s: %+v", c.Name, c.Failure)
		}
	}
}
