package guix

import (
	"fmt"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/rebuild"
)

// Vet judges a plan that comes from a file, which anyone may have written: its
// details are decoded strictly and checked field by field, and what it would run
// or fetch is judged anew. That its recipe is incomplete stands.
//
// The configuration of a system is a program and stays as it is; it is run only
// when it is trusted. A plan that guix could not follow is an error; one of
// another build system an error that wraps [provenance.ErrNotMine].
func Vet(plan rebuild.Plan, trusted Trusted) (rebuild.Plan, error) {
	if plan.System != guix.Name {
		return plan, fmt.Errorf("vetting a plan for Guix: %w", provenance.ErrNotMine)
	}
	d, err := rebuild.DetailsOf[Details](plan)
	if err != nil {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	if !trusted.Given.isZero() {
		d.Given = trusted.Given
	}
	d.Mirrors = trusted.Mirrors
	incomplete := len(plan.Reasons) > 0 && plan.Reasons[0].Code == codeIncomplete && d.Given.isZero()
	if err := d.check(); err != nil && !incomplete {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	plan.Details, plan.Command, plan.Local = d, d.invocation(), trusted.local()
	if !incomplete {
		plan.Takes = nil
	}
	plan.Trust = judge(d, trusted)
	if !incomplete {
		plan.Reasons = refusal(d, plan.Trust)
	}
	return plan, nil
}

// runnable returns the details of a plan that may be run, or a
// [rebuild.RefusedError].
func runnable(plan rebuild.Plan) (Details, error) {
	if len(plan.Reasons) > 0 {
		return Details{}, &rebuild.RefusedError{Reasons: plan.Reasons}
	}
	d, err := rebuild.DetailsOf[Details](plan)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Details{}, &rebuild.RefusedError{Reasons: []check.Message{check.Say("plan/not-expressible", "error", err)}}
	}
	return d, nil
}
