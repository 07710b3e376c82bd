package nix

import (
	"fmt"

	"audit/inspect"
	"audit/provenance"
	"audit/rebuild"
)

// NewPlan says how to build an image again from what the user gives beside it.
// An image that Nix has left no trace in can be planned too, when an input is
// given.
//
// Without an input the plan is refused, since no image of Nix tells its recipe.
// An input that is given in a wrong way is an error; a recipe of another build
// system, and no input, one that wraps [provenance.ErrNotMine].
func NewPlan(img *inspect.Image, recipe provenance.Recipe, in Input) (rebuild.Plan, error) {
	if recipe.System != provenance.Nix && in.IsZero() {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild with Nix: %w", provenance.ErrNotMine)
	}
	if err := in.Check(); err != nil {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild with Nix: %w", err)
	}
	plan := rebuild.Plan{
		System:       provenance.Nix,
		Image:        img.Reference,
		ConfigDigest: img.Config.Digest.String(),
		Root:         recipe.Pack.Root,
		Files:        []rebuild.PlanFile{},
		Pack:         []string{},
		Source:       in.source(),
		Trust:        []rebuild.Trust{},
	}
	if plan.Source == nil {
		plan.Refused = noInput
		return plan, nil
	}
	plan.Pack = commandOf(*plan.Source)
	plan.Trust = append(plan.Trust, trust(*plan.Source))
	return plan, nil
}

const noInput = "the image does not tell its expression: give it with --nix-expr FILE --nix-attr ATTR, --nix-flake REF#ATTR or --nix-drv FILE.drv"

// commandOf is the command that does by hand what a plan does, without the
// bounds that this package puts on it.
func commandOf(s rebuild.Source) []string {
	switch s.Kind {
	case kindDrv:
		return append([]string{"nix-store", "--realise", s.Location}, s.Options...)
	case kindFlake:
		return append([]string{"nix", "build", "--no-link", "--json", flakeOf(s)}, s.Options...)
	}
	command := []string{"nix-build", "--no-out-link", s.Location}
	if s.Attribute != "" {
		command = append(command, "-A", s.Attribute)
	}
	return append(command, s.Options...)
}

func flakeOf(s rebuild.Source) string {
	if s.Attribute == "" {
		return s.Location
	}
	return s.Location + "#" + s.Attribute
}

// trust says why the code of a source may be run: it is the user who names it,
// and not the image.
func trust(s rebuild.Source) rebuild.Trust {
	why := "it is given by the user; it is evaluated in restricted mode and built in Nix's sandbox"
	switch s.Kind {
	case kindDrv:
		why = "it is given by the user; nothing is evaluated, and it is built in Nix's sandbox"
	case kindFlake:
		why = "it is given by the user; it is evaluated in pure mode and built in Nix's sandbox"
	}
	return rebuild.Trust{Channel: s.Kind, URL: s.Location, Trusted: true, Why: why}
}

// runnable says what about a plan, which may come from a file that anyone has
// edited, cannot be run.
func runnable(plan rebuild.Plan) error {
	if plan.Source == nil {
		return fmt.Errorf("the plan names no recipe: %s", noInput)
	}
	return checkSource(*plan.Source)
}

// Vet judges a plan that comes from a file, which anyone may have written. What
// it was refused for stands. A plan with options that a plan cannot have is an
// error; one of another build system an error that wraps
// [provenance.ErrNotMine].
func Vet(plan rebuild.Plan) (rebuild.Plan, error) {
	if plan.System != provenance.Nix {
		return plan, fmt.Errorf("vetting a plan for Nix: %w", provenance.ErrNotMine)
	}
	if plan.Refused != "" && plan.Source == nil {
		return plan, nil
	}
	if err := runnable(plan); err != nil {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	plan.Pack = commandOf(*plan.Source)
	plan.Trust = []rebuild.Trust{trust(*plan.Source)}
	return plan, nil
}
