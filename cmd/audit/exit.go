package main

import (
	"errors"
	"io/fs"
	"strings"

	"audit/inspect"
	"audit/rebuild"
	"audit/report"
)

// The exit statuses, a contract with scripts.
const (
	exitHolds      = 0   // the policy holds
	exitPolicy     = 1   // audited, and the policy does not hold
	exitUsage      = 2   // the command line is wrong, or an output cannot be written
	exitUnreadable = 3   // the image cannot be read
	exitNotRebuilt = 4   // a rebuild was demanded and could not be done
	exitInterrupt  = 130 // stopped by a signal, as shells report it
)

// A usageError is a mistake on the command line.
type usageError struct{ error }

// A policyError says that an image was audited and that its verdict is not
// what was demanded.
type policyError struct {
	require rebuild.Policy
	verdict rebuild.Verdict
}

func (e policyError) Error() string {
	return "the verdict is " + e.verdict.String() + ", and --require " + e.require.String() + " does not hold"
}

// An unreadableError says that the image cannot be read.
type unreadableError struct{ error }

func (e unreadableError) Unwrap() error { return e.error }

// A notRebuiltError says that a rebuild was demanded and could not be done.
type notRebuiltError struct {
	error
	hint string
}

func (e notRebuiltError) Unwrap() error { return e.error }

// A buildFailedError says that a build was tried and failed.
type buildFailedError struct{ error }

func (e buildFailedError) Unwrap() error { return e.error }

// A noRecipeError says that an image was read and carries no recipe.
type noRecipeError struct{ error }

type interrupted struct{}

func (interrupted) Error() string { return "interrupted: nothing half-written is left behind" }

// exitStatus turns an error into the exit status of the process and the one
// line that a person is told; there is no other place that does.
func exitStatus(err error) (status int, message string) {
	var policy policyError
	var unreadable unreadableError
	var not notRebuiltError
	var stop interrupted
	var none noRecipeError
	var failed buildFailedError
	switch {
	case err == nil:
		return exitHolds, ""
	case errors.As(err, &stop):
		return exitInterrupt, stop.Error()
	case errors.As(err, &policy):
		return exitPolicy, policy.Error()
	case errors.As(err, &none):
		return exitPolicy, none.Error()
	case errors.As(err, &failed):
		return exitPolicy, oneLine(err)
	case errors.As(err, &unreadable):
		return exitUnreadable, oneLine(err) + hintFor(err)
	case errors.As(err, &not):
		return exitNotRebuilt, oneLine(err) + "\n" + not.hint
	}
	return exitUsage, oneLine(err)
}

// hintFor says what to do about an image that cannot be read.
func hintFor(err error) string {
	var choice *inspect.ChoiceError
	switch {
	case errors.As(err, &choice):
		return ""
	case errors.Is(err, fs.ErrNotExist):
		return " (an IMAGE is the path of a file, or - for standard input)"
	}
	return ""
}

// oneLine makes an error one line that cannot command a terminal.
func oneLine(err error) string {
	return report.Printable(strings.TrimSpace(err.Error()))
}
