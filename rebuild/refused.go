package rebuild

import (
	"strings"

	"audit/inspect/check"
)

// A RefusedError reports a plan that must not be run. It wraps [ErrRefused].
type RefusedError struct {
	Reasons []check.Message // of the plan, the main one first
}

// Error names the codes; a person reads their sentences.
func (e *RefusedError) Error() string {
	text := ErrRefused.Error()
	for n, m := range e.Reasons {
		text += [...]string{": ", "; "}[min(n, 1)] + m.String()
	}
	return strings.TrimSpace(text)
}

func (e *RefusedError) Unwrap() error { return ErrRefused }
