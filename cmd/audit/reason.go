package main

import (
	"errors"

	"audit/inspect/check"
	"audit/rebuild"
)

// A reasonError is why nothing is built, as a code.
type reasonError struct{ check.Message }

func (e reasonError) Error() string { return sentences().Text(e.Message) }

// whyNot says in codes why nothing is built, nil where the error is one of a
// builder or of this machine.
func whyNot(err error) []check.Message {
	var refused *rebuild.RefusedError
	var reason reasonError
	switch {
	case errors.As(err, &refused):
		return append([]check.Message{check.Say("plan/refused")}, refused.Reasons...)
	case errors.As(err, &reason):
		return []check.Message{reason.Message}
	case errors.Is(err, rebuild.ErrNoRecipe):
		return []check.Message{check.Say("plan/no-recipe")}
	}
	return nil
}
