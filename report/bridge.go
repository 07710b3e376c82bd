package report

import (
	"fmt"
	"strings"

	"audit/inspect/check"
)

// Until all findings are codes this stands between those that are and the
// sentences that a report has.

func ruleOf(f check.Finding) string {
	if f.Rule != "" || f.IsZero() {
		return f.Rule
	}
	_, name, _ := strings.Cut(f.Code, "/")
	return name
}

func wordsOf(f check.Finding, sentences Sentences) string {
	if f.Words != "" || f.IsZero() {
		return f.Words
	}
	words := sentences.Text(f.Message)
	if more := f.Args.Int("more"); more > 0 {
		words += fmt.Sprintf(" (and %d entries more)", more)
	}
	return words
}

func summaryOf(c check.Check, sentences Sentences) string {
	if c.Summary != "" {
		return c.Summary
	}
	return sentences.Join(c.Reasons)
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
