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
	nixbuilder "audit/rebuild/nix"
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
		{
			name: provenance.Nix, system: nix.System{}, keep: nix.Keep, script: nixbuilder.Script, builder: nixbuilder.Builder{},
			plan: func(img *inspect.Image, recipe provenance.Recipe, f flags) (rebuild.Plan, error) {
				return nixbuilder.NewPlan(img, recipe, f.nix)
			},
			vet: func(plan rebuild.Plan, _ flags) (rebuild.Plan, error) { return nixbuilder.Vet(plan) },
		},
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

// makerFor returns who builds an image again: the maker of its recipe, or the
// one whose recipe the user gives.
func makerFor(recipe provenance.Recipe, f flags) (maker, error) {
	if !f.nix.IsZero() {
		return makerOf(provenance.Nix)
	}
	return makerOf(recipe.System)
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
	nix     nixbuilder.Input
	trusted guixbuilder.Trusted
}

func newFlags(c *cli.Context) flags {
	return flags{nix: nixInput(c), trusted: guixbuilder.Trusted{Channels: c.StringSlice("trust-channel"), Configuration: c.Bool("trust-configuration")}}
}

func nixInput(c *cli.Context) nixbuilder.Input {
	return nixbuilder.Input{
		Drv: c.String("nix-drv"), Expr: c.String("nix-expr"), Attr: c.String("nix-attr"), Flake: c.String("nix-flake"),
		Path: c.StringSlice("nix-path"), URIs: c.StringSlice("nix-uri"), Settings: c.StringSlice("nix-setting"),
	}
}

// nixFlags complete the recipe of an image that Nix made, which it never tells.
func nixFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "nix-drv", Usage: "of an image by Nix: build it from the derivation in `FILE`"},
		&cli.StringFlag{Name: "nix-expr", Usage: "of an image by Nix: build it from the expression in `FILE`"},
		&cli.StringFlag{Name: "nix-attr", Usage: "the `ATTRIBUTE` of --nix-expr that makes the image"},
		&cli.StringFlag{Name: "nix-flake", Usage: "of an image by Nix: build it from `REF#ATTRIBUTE`"},
		&cli.StringSliceFlag{Name: "nix-path", Usage: "let --nix-expr read `[NAME=]FOLDER` too; may be given again"},
		&cli.StringSliceFlag{Name: "nix-uri", Usage: "let --nix-expr fetch from addresses that begin with `URL`; may be given again"},
		&cli.StringSliceFlag{Name: "nix-setting", Usage: "set `NAME=VALUE` of nix.conf, of those that loosen nothing; may be given again"},
	}
}

// trustFlags say whose code a rebuild may run.
func trustFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "trust-channel", Usage: "let code of the channel at `URL` run here; may be given again"},
		&cli.BoolFlag{Name: "trust-configuration", Usage: "let the configuration.scm that the image of a whole system holds run here: it is a program"},
	}
}
