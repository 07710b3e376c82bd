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
	Kind  error          // [rebuild.ErrNoBuilder], [rebuild.ErrRefused] or [rebuild.ErrBuild]
	Means string
	Hint  string
}

// A Tool is a program that fails in known ways.
type Tool struct {
	Get      string           // advice for a machine without it
	Failures func() []Failure // the most telling first
	Error    *regexp.Regexp   // the line in which it says what went wrong
}

// Explain turns the failure of a command into what it means for a build: no
// builder, a failed build, or an interruption, which is returned as it is.
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
	for _, f := range t.Failures() {
		if f.Says.MatchString(log) {
			return &rebuild.HintError{Err: fmt.Errorf("%w: %s: %s", f.Kind, f.Means, Complaint(log, f.Says)), Hint: f.Hint}
		}
	}
	return fmt.Errorf("%w: %w: %s", rebuild.ErrBuild, err, Complaint(log, t.Error))
}

// Complaint returns the line of a log that says what went wrong: the first that
// matches, since the others follow from it; else the last of all.
func Complaint(log string, says *regexp.Regexp) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for _, line := range lines {
		if says.MatchString(line) {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}
