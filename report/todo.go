package report

import (
	"fmt"
	"strings"

	"audit/inspect/check"
	"audit/rebuild"
)

// A broken rule is one of a policy that does not hold.
type broken struct {
	Text string // what is demanded and not so, and the file that shows it; of several the first
	ToDo string
}

// Broken are the rules of the policy that do not hold, in its order.
func (r *Report) Broken() (all []broken) {
	type demand struct{ rule, text string }
	var firsts []Violation
	counts := make(map[demand]int64)
	of := func(v Violation) demand { return demand{v.Rule, r.Say(Message{v.Code, v.Args})} }
	for _, v := range r.Policy.Violations {
		d := of(v)
		if counts[d] == 0 {
			firsts = append(firsts, v)
		}
		counts[d] += v.count()
	}
	shown := make(map[[2]string]bool)
	for _, v := range firsts {
		text, d := r.Demand(v), of(v)
		if v.Finding != nil {
			what := [2]string{v.Finding.Code, v.Path}
			if shown[what] { // another rule has named it
				text = d.text
			}
			shown[what] = true
		}
		if more := counts[d] - 1; more > 0 && v.Rule != "checks" {
			text += fmt.Sprintf(" (and %d more)", more)
		}
		all = append(all, broken{text, r.ToDo(v)})
	}
	return all
}

// count is of how many findings a violation is: the last of many alike stands for those
// that are not listed.
func (v Violation) count() int64 {
	if v.Finding == nil {
		return 1
	}
	return 1 + v.Finding.Args.Int("more")
}

// demands says in sentences what the policy demands and is not so, a rule each.
func (r *Report) demands() (all []string) {
	for _, b := range r.Broken() {
		all = append(all, b.Text)
	}
	return all
}

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
		return r.ofRefused(v)
	case "allow":
		return "Look at the difference again. Where it is still harmless give the allowance a later day, within a year; else take it out of the policy."
	}
	return r.toReach(v)
}

// toReach says what lets the verdict become the one that is demanded: what is to be done
// next in any case, unless it is one check alone that is missing.
func (r *Report) toReach(v Violation) string {
	if v.Args.String("require") == rebuild.RequireExplained.String() && r.Verdict == rebuild.Unverified {
		return r.advice(check.Closure, r.Status(check.Closure))
	}
	steps := r.next()
	switch {
	case len(steps) == 0:
	case r.Verdict == rebuild.Unverified || r.Verdict == rebuild.Matching:
		return strings.Join(steps, " ")
	case r.Verdict > rebuild.Matching: // something speaks against it
		return steps[0]
	}
	return r.remedy(check.Rebuild)
}

// ofRefused says what to do about the finding that a policy refuses.
func (r *Report) ofRefused(v Violation) string {
	if v.Finding == nil {
		return "See the findings that the policy refuses."
	}
	w := r.words.only(r.Recipe.System)
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if f.Code != v.Finding.Code || f.Path != v.Path {
				continue
			}
			todo := w.adviseOn(c.ID, f.Code, f.Level).todo
			if f.Level == check.Note {
				todo += fmt.Sprintf(" If the gate is not meant to stop for it, name other codes in refuse than %s.", v.Args.String("rule"))
			}
			return todo
		}
	}
	id, _, _ := strings.Cut(v.Finding.Code, "/")
	return w.adviseOn(check.ID(id), v.Finding.Code, check.Problem).todo
}
