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

// SummaryOf is the text of the reasons of a check.
func SummaryOf(c check.Check) string {
	if c.Summary != "" {
		return c.Summary
	}
	var parts []string
	for _, m := range c.Reasons {
		parts = append(parts, sentenceOf(m))
	}
	return strings.Join(parts, "; ")
}

func sentenceOf(m check.Message) string {
	text := integritySentences[m.Code]
	if i := strings.IndexByte(text, '['); i >= 0 {
		j := strings.IndexByte(text, ']')
		part := text[i+1 : j]
		name, _, _ := strings.Cut(part[strings.IndexByte(part, '{')+1:], "}")
		if m.Args.String(name) == "" {
			part = ""
		}
		text = text[:i] + part + text[j+1:]
	}
	for name := range m.Args {
		text = strings.ReplaceAll(text, "{"+name+"}", m.Args.String(name))
		text = strings.ReplaceAll(text, "{"+name+":quote}", fmt.Sprintf("%q", m.Args.String(name)))
	}
	return text
}
