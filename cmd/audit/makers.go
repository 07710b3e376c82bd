package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/docker"
	"audit/provenance/guix"
	"audit/provenance/nix"
	"audit/rebuild"
	guixbuilder "audit/rebuild/guix"
)

// A maker knows the images of one build system: how to recover their recipe,
// how to plan their rebuild, and who builds
// them; plan, vet, script and builder are nil where they cannot be built.
type maker struct {
	name    provenance.SystemName
	system  provenance.System
	keep    func(path string) bool
	plan    func(img *inspect.Image, recipe provenance.Recipe, f flags) (rebuild.Plan, error)
	vet     func(plan rebuild.Plan, f flags) (rebuild.Plan, error)
	script  func(plan rebuild.Plan) []byte
	builder rebuild.Builder
}

// makers are the build systems that are known, in the order in which they are
// asked for their recipe: that of Dockerfiles last, since it knows something of
// nearly every image.
func makers() []maker {
	return []maker{
		{
			name: provenance.Guix, system: guix.System{}, keep: guix.Keep, script: guixbuilder.Script, builder: guixbuilder.Builder{},
			plan: func(img *inspect.Image, recipe provenance.Recipe, f flags) (rebuild.Plan, error) {
				return guixbuilder.NewPlan(img, recipe, f.trusted)
			},
			vet: func(plan rebuild.Plan, f flags) (rebuild.Plan, error) { return guixbuilder.Vet(plan, f.trusted) },
		},
		{name: provenance.Nix, system: nix.System{}, keep: nix.Keep},
		{name: provenance.Docker, system: docker.System{}, keep: docker.Keep},
	}
}

// systems are the build systems of all makers.
func systems() []provenance.System {
	var all []provenance.System
	for _, m := range makers() {
		all = append(all, m.system)
	}
	return all
}

// errNoRecipe is the reason when an image tells nothing to build by.
var errNoRecipe = errors.New("the image tells no recipe that a builder could follow")

// errNoBuilderYet is the reason for build systems whose recipe is recovered and
// whose images audit cannot build.
var errNoBuilderYet = errors.New("audit recovers the recipe of such images and does not build them; --rebuilt takes a rebuild made elsewhere")

// makerOf returns the maker of a build system.
func makerOf(name provenance.SystemName) (maker, error) {
	for _, m := range makers() {
		if m.name == name {
			return m, nil
		}
	}
	return maker{}, errNoRecipe
}

// builderNames are the values of --builder.
func builderNames() []string {
	names := []string{"auto"}
	for _, m := range makers() {
		if m.builder != nil {
			names = append(names, string(m.name))
		}
	}
	return append(names, "none")
}

// flags are what a maker is told on the command line.
type flags struct {
	trusted guixbuilder.Trusted
}

func newFlags(c *cli.Context) flags {
	return flags{trusted: guixbuilder.Trusted{Channels: c.StringSlice("trust-channel"), Configuration: c.Bool("trust-configuration")}}
}

// trustFlags say whose code a rebuild may run.
func trustFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "trust-channel", Usage: "let code of the channel at `URL` run here; may be given again"},
		&cli.BoolFlag{Name: "trust-configuration", Usage: "let the configuration.scm that the image of a whole system holds run here: it is a program"},
	}
}
