// Package apptainer is the seam of images that Apptainer or Singularity built.
// Nothing is ever built again: a definition is a program, and the image's own,
// unsigned word.
package apptainer

import (
	"context"
	"fmt"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/apptainer"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// System is what builds images from a definition file.
type System struct{}

// About describes it. It takes no flags.
func (System) About() rebuild.About {
	return rebuild.About{
		Name: apptainer.Name, Tool: "Apptainer", NoDerivation: noDerivation, Sentences: sentences(),
		SavesRecipe: "Apptainer keeps the definition file in every SIF.",
	}
}

const noDerivation = "derivation/none-of-definition"

// Keep says which files the evidence is read from.
func (System) Keep(path string) bool { return apptainer.Keep(path) }

// Recover returns what an image says of the definition that it was built from.
func (System) Recover(img, base *inspect.Image) (*provenance.Evidence, error) {
	return apptainer.System{}.Recover(img, base)
}

// Repack is skipped: the file system is what the definition's sections wrote.
func (System) Repack(*inspect.Image, provenance.Recipe) check.Check {
	return check.Skip(check.Repack, "repack/definition")
}

// Freedoms are none.
func (System) Freedoms(_, _ *inspect.Image) []compare.Freedom { return nil }

// History is none: the one partition is not made instruction by instruction.
func (System) History(*inspect.Image) rebuild.History { return rebuild.History{} }

// Given is never so: there is no flag.
func (System) Given(rebuild.Settings) (bool, error) { return false, nil }

// Plan is always refused.
func (System) Plan(img *inspect.Image, recipe provenance.Recipe, _ rebuild.Settings) (rebuild.Plan, error) {
	if recipe.System != apptainer.Name {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild from a definition: %w", provenance.ErrNotMine)
	}
	return rebuild.Plan{
		System: apptainer.Name, Image: img.Reference, ConfigDigest: img.Config.Digest.String(),
		Trust: []rebuild.Trust{}, Reasons: refused(),
	}, nil
}

func refused() []check.Message { return []check.Message{check.Say("plan/definition-not-followed")} }

// Vet refuses a stored plan too.
func (System) Vet(plan rebuild.Plan, _ rebuild.Settings) (rebuild.Plan, error) {
	if plan.System != apptainer.Name {
		return plan, fmt.Errorf("vetting a plan for a definition: %w", provenance.ErrNotMine)
	}
	plan.Command, plan.Trust, plan.Details, plan.Reasons = nil, []rebuild.Trust{}, nil, refused()
	return plan, nil
}

// Script is one that does nothing.
func (System) Script(rebuild.Plan) []byte {
	return []byte("#!/bin/sh\n# This plan is refused: a definition is not followed on an image's word.\nexit 1\n")
}

// Builder runs nothing.
func (System) Builder(string) rebuild.Builder { return builder{} }

type builder struct{}

func (builder) Build(context.Context, rebuild.Plan, rebuild.Job) (*rebuild.Result, error) {
	return &rebuild.Result{Derivation: check.Skip(check.Derivation, noDerivation)}, &rebuild.RefusedError{Reasons: refused()}
}
