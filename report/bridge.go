package report

import "audit/inspect/check"

// Until all findings are codes this makes messages of texts: their words are the
// argument text.

func findingOf(id check.ID, f check.Finding) Finding {
	m := f.Message
	if m.IsZero() {
		m = check.Message{Code: string(id) + "/" + kebab(f.Rule), Args: check.Args{"text": f.Words}}
	}
	return Finding{m.Code, m.Args, f.Level, f.Layer, f.Path}
}

func summaryOf(c check.Check) (out []Message) {
	for _, m := range c.Reasons {
		out = append(out, Message(m))
	}
	if len(out) == 0 && c.Summary != "" {
		out = append(out, Message{string(c.ID) + "/summary", check.Args{"text": c.Summary}})
	}
	return out
}

// messages are those that there are, and texts that are none yet.
func messages(all []check.Message, code string, texts ...string) (out []Message) {
	for _, m := range all {
		if !m.IsZero() {
			out = append(out, Message(m))
		}
	}
	for _, text := range texts {
		if text != "" {
			out = append(out, Message{code, check.Args{"text": text}})
		}
	}
	return out
}
