package report

import (
	"fmt"
	"strings"

	"audit/inspect/check"
)

// Until all findings are codes this stands between those that are and the
// sentences that a report has.

func ruleOf(f check.Finding) string {
	if f.IsZero() {
		return f.Rule
	}
	_, name, _ := strings.Cut(f.Code, "/")
	return name
}

// wordsOf is the sentence of a finding.
func (s Sentences) wordsOf(f check.Finding) string {
	if f.IsZero() {
		return f.Words
	}
	words := s.Text(f.Message)
	if more := f.Args.Int("more"); more > 0 {
		words += fmt.Sprintf(" (and %d entries more)", more)
	}
	return words
}

// summaryOf says why a check ended as it did.
func (s Sentences) summaryOf(c check.Check) string {
	if len(c.Reasons) == 0 {
		return c.Summary
	}
	parts := make([]string, len(c.Reasons))
	for i, m := range c.Reasons {
		parts[i] = s.Text(m)
	}
	return strings.Join(parts, "; ")
}
