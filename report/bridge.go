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

func wordsOf(f check.Finding) string {
	if f.Words != "" || f.IsZero() {
		return f.Words
	}
	words := sentenceOf(f.Message)
	if more := f.Args.Int("more"); more > 0 {
		words += fmt.Sprintf(" (and %d entries more)", more)
	}
	return words
}

func summaryOf(c check.Check) string {
	if c.Summary != "" {
		return c.Summary
	}
	var parts []string
	for _, m := range c.Reasons {
		parts = append(parts, sentenceOf(m))
	}
	return strings.Join(parts, "; ")
}

func sentenceOf(m check.Message) string { return AllSentences().Text(m) }
