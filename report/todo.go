package report

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/rebuild"
)

// Demand says in a sentence what is demanded and not so, with the file that shows it.
func (r *Report) Demand(v Violation) string {
	text := r.Say(Message{v.Code, v.Args})
	if v.Path != "" {
		text += ": " + v.Path
		if v.Layer >= 0 {
			text += fmt.Sprintf(" (layer %d)", v.Layer)
		}
	}
	if v.Finding != nil {
		text += ": " + r.Say(*v.Finding)
	}
	return text
}

// ToDo says what to do about a violation: of the image first, and of the policy where
// that is what has to change.
func (r *Report) ToDo(v Violation) string {
	switch v.Rule {
	case "checks":
		id := check.ID(v.Args.String("check"))
		return r.advice(id, r.Status(id))
	case "refuse":
		return react(r.checkOf(v))
	case "allow":
		return "Look at the difference again. Where it is still harmless give the allowance a later day, within a year; else take it out of the policy."
	}
	return r.toReach(v)
}

// toReach says what lets the verdict become the one that is demanded.
func (r *Report) toReach(v Violation) string {
	for _, c := range r.Checks {
		if c.Status == check.Fail && (r.Verdict == rebuild.Contradicted || c.ID == check.Rebuild) {
			return react(c.ID)
		}
	}
	switch v.Args.String("require") {
	case rebuild.RequireExplained.String():
		return r.advice(check.Closure, r.Status(check.Closure))
	case rebuild.RequireVouched.String():
		return r.remedy(check.Signatures) + " " + r.remedy(check.Rebuild)
	}
	return r.remedy(check.Rebuild)
}

// checkOf is the check whose finding a violation is about.
func (r *Report) checkOf(v Violation) check.ID {
	if v.Finding == nil {
		return check.Closure
	}
	for _, c := range r.Checks {
		if slices.ContainsFunc(c.Findings, func(f Finding) bool { return f.Code == v.Finding.Code && f.Path == v.Path }) {
			return c.ID
		}
	}
	id, _, _ := strings.Cut(v.Finding.Code, "/")
	return check.ID(id)
}
