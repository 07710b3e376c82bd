package main

import (
	"errors"
	"fmt"
	"strings"

	"audit/report"
)

// The exit statuses, a contract with scripts.
const (
	exitHolds      = 0   // the policy holds
	exitPolicy     = 1   // audited, and the policy does not hold
	exitUsage      = 2   // the command line is wrong
	exitUnreadable = 3   // the image, the report or the plan cannot be read
	exitNotRebuilt = 4   // a rebuild was demanded and could not be done
	exitUnwritten  = 5   // results could not be written
	exitAgain      = 75  // of a batch: told to stop, or not done for a reason that may pass
	exitInterrupt  = 130 // stopped by a signal, as shells report it
)

// An exitError is an error with the exit status that it leads to. An error
// without one is about writing: see [exitStatus].
type exitError struct {
	status int
	err    error
	hint   string // what to do about it, on a line of its own; may be ""
}

func (e *exitError) Error() string { return e.err.Error() }

func (e *exitError) Unwrap() error { return e.err }

// usage is a mistake on the command line.
func usage(format string, args ...any) error {
	return &exitError{status: exitUsage, err: fmt.Errorf(format, args...)}
}

// unreadable says that what was to be read cannot be.
func unreadable(err error) error { return &exitError{status: exitUnreadable, err: err} }

// notHeld says that what was demanded of an image does not hold.
func notHeld(format string, args ...any) error {
	return &exitError{status: exitPolicy, err: fmt.Errorf(format, args...)}
}

// notRebuilt says that a rebuild was demanded and could not be done.
func notRebuilt(err error, hint string) error {
	return &exitError{status: exitNotRebuilt, err: fmt.Errorf("no rebuild: %w", err), hint: hint}
}

// errInterrupted is a run that a signal has stopped.
func errInterrupted() error {
	return &exitError{status: exitInterrupt, err: errors.New("interrupted: nothing half-written is left behind")}
}

// exitStatus turns an error into the exit status of the process and what a
// person reads; there is no other place that does. All that can go wrong before
// anything is written has a status of its own.
func exitStatus(err error) (status int, message string) {
	if err == nil {
		return exitHolds, ""
	}
	exit := &exitError{status: exitUnwritten}
	errors.As(err, &exit)
	message = report.Printable(strings.TrimSpace(err.Error()))
	if exit.hint != "" {
		message += "\n" + exit.hint
	}
	return exit.status, message
}
