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

// A UsageError reports that what the user gives does not suffice, or is wrong: nothing
// was found out about the image, and nothing of it is to be reported.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

func (e *UsageError) Unwrap() error { return e.Err }
