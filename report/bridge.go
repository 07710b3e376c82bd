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
	return s.Join(c.Reasons)
}

// Join writes the sentences of messages on one line.
func (s Sentences) Join(messages []check.Message) string { return strings.Join(s.all(messages), "; ") }

func (s Sentences) all(messages []check.Message) []string {
	var texts []string
	for _, m := range messages {
		texts = append(texts, s.Text(m))
	}
	return texts
}
