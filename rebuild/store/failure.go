package store

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"audit/rebuild"
)

// A Failure is a way in which a tool fails that people meet, and what they can do.
type Failure struct {
	Says  *regexp.Regexp // a line of the log
	Kind  error          // one of package rebuild's
	Means string
	Hint  string
}

// Known is a failure by the regular expression that its line matches.
func Known(says string, kind error, means, hint string) Failure {
	return Failure{regexp.MustCompile(says), kind, means, hint}
}

// A StopError is a reason why there is no build, of one of the kinds that package
// rebuild names; its text says what happened without naming the kind.
type StopError struct {
	Kind error
	Text string
}

// Error returns the text.
func (e *StopError) Error() string { return e.Text }

// Unwrap returns the kind.
func (e *StopError) Unwrap() error { return e.Kind }

// A Tool is a program that fails in known ways.
type Tool struct {
	Get      string           // advice for a machine without it
	Machine  func() []Failure // those of the machine: of disk, daemon, network, other machines
	Failures func() []Failure // all others, the most telling first
	Error    *regexp.Regexp   // the line in which it says what went wrong
	Built    *regexp.Regexp   // the line in which it says that a derivation's own builder failed
}

// Explain turns the failure of a command into what it means for a build: no
// builder, a failed build, one that was not done, or an interruption, which is
// returned as it is. The log is what the tool itself wrote, without the words of
// builds.
//
// Where a builder has failed, only the last error can say that the machine was why:
// tools try again elsewhere what one machine could not do.
func (t Tool) Explain(err error, log string) error {
	var exit *rebuild.ExitError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return &rebuild.HintError{Err: fmt.Errorf("%w: %w", rebuild.ErrNoBuilder, err), Hint: t.Get}
	case !errors.As(err, &exit):
		return err
	}
	machines := log
	if t.Built.MatchString(log) {
		machines = t.lastError(log)
	}
	for _, known := range []struct {
		failures []Failure
		log      string
	}{{t.Machine(), machines}, {t.Failures(), log}} {
		for _, f := range known.failures {
			if f.Says.MatchString(known.log) {
				return &rebuild.HintError{Err: fmt.Errorf("%w: %s: %s", f.Kind, f.Means, complaint(known.log, f.Says)), Hint: f.Hint}
			}
		}
	}
	return fmt.Errorf("%w: %w: %s", rebuild.ErrNotDone, err, complaint(log, t.Error))
}

// lastError is the last line in which the tool says what went wrong, and what follows.
func (t Tool) lastError(log string) string {
	all := t.Error.FindAllStringIndex(log, -1)
	if all == nil {
		return ""
	}
	return log[all[len(all)-1][0]:]
}

// complaint returns the line of a log that says what went wrong: the first that
// matches, since the others follow from it; else the last of all.
func complaint(log string, says *regexp.Regexp) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for _, line := range lines {
		if says.MatchString(line) {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}
