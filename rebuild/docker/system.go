package docker

import (
	"fmt"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/docker"
	"audit/rebuild"
)

// System is what builds images from a Dockerfile. It is to be asked last: it
// knows something of nearly every image.
type System struct{}

// About describes the engines. Their flags complete a recipe, of which the
// image's provenance may not have all.
func (System) About() rebuild.About {
	return rebuild.About{
		Name: docker.Name, Tool: "the engine", Engines: Engines(), NoDerivation: NoDerivation, Sentences: sentences(),
		SavesRecipe: "BuildKit attaches provenance with --provenance=mode=max.",
		Example:     [2]string{"audit rebuild --source . --build-arg V=1 image.tar", "from a Dockerfile"},
		Flags: []rebuild.Flag{
			{Name: "source", Usage: "of an image from a Dockerfile: build it from `DIR`, or from GIT-URL#REF[:FOLDER]"},
			{Name: "dockerfile", Usage: "the `PATH` in --source of the Dockerfile (default: Dockerfile)"},
			{Name: "build-arg", Kind: rebuild.List, Secret: secretOfArgument, Usage: "give the build from --source the argument `NAME=VALUE`; may be given again"},
			{Name: "target", Usage: "build the `STAGE` of the Dockerfile in --source (default: the last)"},
			{Name: "network", Kind: rebuild.Switch, Usage: "let the instructions of a Dockerfile use the network"},
			rebuild.TrustSourceFlag(),
			{Name: "trust-signer", Kind: rebuild.List, Usage: "fetch and run what a provenance names that the key `NAME` (--key) signed, but for its frontends; may be given again"},
		},
	}
}

// Keep says which files the evidence is read from.
func (System) Keep(path string) bool { return docker.Keep(path) }

// Recover returns what an image says of the Dockerfile that it was built from.
func (System) Recover(img, base *inspect.Image) (*provenance.Evidence, error) {
	return docker.System{}.Recover(img, base)
}

// Repack is skipped: the layers of a Dockerfile are what its instructions wrote.
func (System) Repack(*inspect.Image, provenance.Recipe) check.Check {
	return check.Skip(check.Repack, "repack/instructions")
}

// History returns the instructions that made the layers.
func (System) History(img *inspect.Image) rebuild.History {
	all, _ := docker.History(img)
	return rebuild.History{Engine: string(docker.BuiltBy(all, docker.Attested(img).Build)), Layers: docker.MadeBy(all)}
}

// Given says whether a source is given.
func (System) Given(in rebuild.Settings) (bool, error) {
	input := inputOf(in)
	if err := input.Check(); err != nil {
		return false, fmt.Errorf("--source: %w", err)
	}
	return input.Source != "", nil
}

// Plan says how to build an image again.
func (System) Plan(img *inspect.Image, recipe provenance.Recipe, in rebuild.Settings) (rebuild.Plan, error) {
	return NewPlan(img, recipe, inputOf(in))
}

// Vet judges a plan that comes from a file.
func (System) Vet(plan rebuild.Plan, in rebuild.Settings) (rebuild.Plan, error) {
	return Vet(plan, inputOf(in))
}

func inputOf(in rebuild.Settings) Input {
	return Input{
		Source: in.Text("source"), Dockerfile: in.Text("dockerfile"), BuildArgs: in.List("build-arg"),
		Target: in.Text("target"), Network: in.On("network"), Trusted: in.List(rebuild.TrustSource), Signers: in.List("trust-signer"),
	}
}

// Script writes a plan for a shell.
func (System) Script(plan rebuild.Plan) []byte { return Script(plan) }

// Builder runs plans with an engine of this machine.
func (System) Builder(engine string) rebuild.Builder { return Builder{Engine: engine} }
