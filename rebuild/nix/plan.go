package nix

import (
	"fmt"
	"reflect"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/nix"
	"audit/rebuild"
)

// NewPlan says how to build an image again from what the user gives beside it.
// An image that Nix has left no trace in can be planned too, when an input is
// given.
//
// Without an input the plan has a reason why it must not be run, since no image of
// Nix reveals its recipe. An input that is given in a wrong way is an error; a
// recipe of another build system, and no input, one that wraps
// [provenance.ErrNotMine].
func NewPlan(img *inspect.Image, recipe provenance.Recipe, in Input) (rebuild.Plan, error) {
	if recipe.System != nix.Name && in.IsZero() {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild with Nix: %w", provenance.ErrNotMine)
	}
	if err := in.Check(); err != nil {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild with Nix: %w", err)
	}
	details, err := in.details()
	if err != nil {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild with Nix: %w", err)
	}
	if recipe.System == nix.Name {
		details.Root = recipe.Root
	}
	details = details.withoutSecrets()
	plan := rebuild.Plan{System: nix.Name, Image: img.Reference, ConfigDigest: img.Config.Digest.String()}
	return planOf(plan, details, true), nil
}

// planOf completes the header of a plan by its details. Given says that the user
// names what is built.
func planOf(plan rebuild.Plan, details Details, given bool) rebuild.Plan {
	plan.Details, plan.Trust = details, []rebuild.Trust{}
	plan.Command, plan.Reasons, plan.Local = nil, nil, details.local()
	if details.isEmpty() {
		plan.Reasons = []check.Message{check.Say("plan/no-expression")}
		return plan
	}
	t := trust(details, given)
	plan.Command, plan.Trust = byHand(details), append(plan.Trust, t)
	if !t.Trusted {
		plan.Reasons = []check.Message{t.Reason}
	}
	return plan
}

// trust says why the code of a recipe may be run: it is the user who names it, and
// neither the image nor a plan that anyone may have written.
func trust(d Details, given bool) rebuild.Trust {
	t := rebuild.Trust{Trusted: given}
	switch {
	case d.Expression != nil:
		t.Kind, t.URL, t.Flag = "expression", d.Expression.File, "--nix-expr"
		t.Reason = check.Say("plan/given-expression")
	case d.Flake != nil:
		t.Kind, t.URL, t.Flag = "flake", d.Flake.Reference, "--nix-flake"
		t.Reason = check.Say("plan/given-flake")
	default:
		t.Kind, t.URL, t.Flag = "derivation", d.Derivation, "--nix-drv"
		t.Reason = check.Say("plan/given-derivation")
	}
	if !given {
		t.Reason = check.Say("plan/not-given", "kind", t.Kind, "place", t.URL, "flag", t.Flag)
	}
	return t
}

// Vet judges a plan that comes from a file, which anyone may have written: an
// expression that it names could read and send away what it is allowed to. So it
// is run only where the user names the very same, by the flags that plan it. A
// plan with details that none can have is an error; one of another build system an
// error that wraps [provenance.ErrNotMine].
func Vet(plan rebuild.Plan, in Input) (rebuild.Plan, error) {
	if plan.System != nix.Name {
		return plan, fmt.Errorf("vetting a plan for Nix: %w", provenance.ErrNotMine)
	}
	details, err := rebuild.DetailsOf[Details](plan)
	if err == nil && !details.isEmpty() {
		err = details.check()
	}
	if err != nil {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	named, err := in.details()
	if err != nil {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	named = named.withoutSecrets()
	named.Root = details.Root
	return planOf(plan, details, reflect.DeepEqual(named, details)), nil
}
