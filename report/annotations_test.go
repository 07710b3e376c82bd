package report

import (
	"strings"
	"testing"
)

// TestAnnotations: a line each, whatever the image calls its files.
func TestAnnotations(t *testing.T) {
	r := New(contradictedInput(t))
	r.Policy = Policy{Require: "explained"}
	for range 12 {
		r.Policy.Violations = append(r.Policy.Violations, Violation{Rule: "refuse", Code: "policy/refused-finding", Args: map[string]any{"rule": "closure/"}, Layer: 1, Path: "a\r\n::error::b, 100%:c\x1b[31m"})
	}
	lines := strings.Split(strings.TrimSuffix(string(render(t, WriteAnnotations, r)), "\n"), "\n")
	if len(lines) != maxAnnotations || !strings.Contains(lines[maxAnnotations-1], "3 more") {
		t.Errorf("%d lines, the last is %s", len(lines), lines[len(lines)-1])
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "::error title=audit") || strings.ContainsAny(line, "\r\x1b") {
			t.Errorf("a line is %q", line)
		}
	}
	if !strings.Contains(lines[0], "::error title=audit%3A refuse closure/::the policy refuses closure/: a\\r\\n::error::b, 100%25:c") {
		t.Errorf("the first is %s", lines[0])
	}
	r.Policy = Policy{Require: "consistent", Holds: true}
	if got := render(t, WriteAnnotations, r); len(got) > 0 {
		t.Errorf("a policy that holds: %s", got)
	}
}
