package rebuild

import (
	"fmt"
	"path"
	"strings"

	"audit/inspect"
)

// Unstable says that a build which was asked for afresh gave other bytes than
// the one before: whatever the images show, the recipe does not decide what
// comes out.
func Unstable(fresh []Fresh) bool {
	for _, f := range fresh {
		if !f.Same && f.Problem == "" {
			return true
		}
	}
	return false
}

// WithFresh adds to the check named rebuild what building again has shown. A
// build that gave other bytes makes it a fail; one that could not be done is
// worth a note.
func WithFresh(c inspect.Check, fresh []Fresh) inspect.Check {
	for _, f := range fresh {
		name := strings.TrimSuffix(path.Base(f.Derivation), ".drv")
		switch {
		case f.Problem != "":
			c.Findings = append(c.Findings, inspect.Finding{Rule: "fresh-build-not-done", Layer: -1, Path: f.Derivation,
				Message: name + " could not be built again: " + f.Problem})
		case !f.Same:
			c.Findings = append(c.Findings, inspect.Finding{Rule: "fresh-build-differs", Level: inspect.Problem, Layer: -1, Path: f.Derivation,
				Message: fmt.Sprintf("building %s again gave other bytes: %s", name, strings.Join(f.Differences, ", "))})
		}
	}
	if Unstable(fresh) {
		c.Status = inspect.Fail
		c.Summary = "a second build gave other bytes; " + c.Summary
	}
	return c
}
