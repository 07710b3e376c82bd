package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/docker"
	"audit/provenance/guix"
	"audit/provenance/nix"
	"audit/rebuild"
	dockerbuilder "audit/rebuild/docker"
	guixbuilder "audit/rebuild/guix"
	nixbuilder "audit/rebuild/nix"
)

// A maker knows the images of one build system: how to plan their rebuild, how
// to vet and to write down a plan, and who builds them.
type maker struct {
	name    provenance.SystemName
	tool    string   // where it is built, for people
	engines []string // what --builder can name beside the system: programs that do the same
	keep    func(path string) bool
	plan    func(img *inspect.Image, recipe provenance.Recipe, f flags) (rebuild.Plan, error)
	vet     func(plan rebuild.Plan, f flags) (rebuild.Plan, error)
	script  func(plan rebuild.Plan) []byte
	builder func(engine string) rebuild.Builder // "" for any
}

// makers are the build systems whose images can be built.
func makers() []maker {
	return []maker{
		{
			name: provenance.Guix, tool: "Guix", keep: guix.Keep, script: guixbuilder.Script,
			plan: func(img *inspect.Image, recipe provenance.Recipe, f flags) (rebuild.Plan, error) {
				return guixbuilder.NewPlan(img, recipe, f.trusted)
			},
			vet:     func(plan rebuild.Plan, f flags) (rebuild.Plan, error) { return guixbuilder.Vet(plan, f.trusted) },
			builder: func(string) rebuild.Builder { return guixbuilder.Builder{} },
		},
		{
			name: provenance.Nix, tool: "Nix", keep: nix.Keep, script: nixbuilder.Script,
			plan: func(img *inspect.Image, recipe provenance.Recipe, f flags) (rebuild.Plan, error) {
				return nixbuilder.NewPlan(img, recipe, f.nix)
			},
			vet:     func(plan rebuild.Plan, _ flags) (rebuild.Plan, error) { return nixbuilder.Vet(plan) },
			builder: func(string) rebuild.Builder { return nixbuilder.Builder{} },
		},
		{
			name: provenance.Docker, tool: "the engine", engines: dockerbuilder.Engines(), keep: docker.Keep, script: dockerbuilder.Script,
			plan: func(img *inspect.Image, recipe provenance.Recipe, f flags) (rebuild.Plan, error) {
				return dockerbuilder.NewPlan(img, recipe, f.docker)
			},
			vet:     func(plan rebuild.Plan, f flags) (rebuild.Plan, error) { return dockerbuilder.Vet(plan, f.docker) },
			builder: func(engine string) rebuild.Builder { return dockerbuilder.Builder{Engine: engine} },
		},
	}
}

// systems are the build systems in the order in which they are asked for their
// recipe: that of Dockerfiles last, since it knows something of nearly every
// image. The base is the one that the user says an image was built on, nil for
// none.
func systems(base *inspect.Image) []provenance.System {
	return []provenance.System{guix.System{}, nix.System{}, docker.System{Base: base}}
}

// errNoRecipe is the reason when an image tells nothing to build by.
var errNoRecipe = errors.New("the image tells no recipe that a builder could follow")

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
	switch {
	case !f.nix.IsZero():
		return makerOf(provenance.Nix)
	case f.docker.Source != "":
		return makerOf(provenance.Docker)
	}
	return makerOf(recipe.System)
}

// builderNames are the values of --builder.
func builderNames() []string {
	names := []string{"auto"}
	for _, m := range makers() {
		names = append(append(names, string(m.name)), m.engines...)
	}
	return append(names, "none")
}

// asked returns the builder that a value of --builder means; ok is false when
// it means none of this build system.
func (m maker) asked(name string) (b rebuild.Builder, ok bool) {
	switch {
	case m.builder == nil:
	case name == "" || name == "auto" || name == string(m.name):
		return m.builder(""), true
	case slices.Contains(m.engines, name):
		return m.builder(name), true
	}
	return nil, false
}

// flags are what a maker is told on the command line.
type flags struct {
	nix     nixbuilder.Input
	docker  dockerbuilder.Input
	trusted guixbuilder.Trusted
}

// newFlags returns what makers are told, or a usageError.
func newFlags(c *cli.Context) (flags, error) {
	f := flags{
		nix: nixInput(c), docker: dockerInput(c),
		trusted: guixbuilder.Trusted{Channels: c.StringSlice("trust-channel"), Configuration: c.Bool("trust-configuration")},
	}
	if err := f.nix.Check(); err != nil {
		return f, usageError{fmt.Errorf("--nix-drv, --nix-expr, --nix-flake: %w", err)}
	}
	if err := f.docker.Check(); err != nil {
		return f, usageError{fmt.Errorf("--source: %w", err)}
	}
	if !f.nix.IsZero() && f.docker.Source != "" {
		return f, usageError{errors.New("give the source of a Dockerfile or a recipe for Nix, not both")}
	}
	return f, nil
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

func dockerInput(c *cli.Context) dockerbuilder.Input {
	return dockerbuilder.Input{
		Source: c.String("source"), Dockerfile: c.String("dockerfile"), BuildArgs: c.StringSlice("build-arg"),
		Target: c.String("target"), Network: c.Bool("network"),
	}
}

// dockerFlags complete the recipe of an image from a Dockerfile, whose
// provenance may not tell all.
func dockerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "source", Usage: "of an image from a Dockerfile: build it from `DIR`, or from GIT-URL#REF[:FOLDER]"},
		&cli.StringFlag{Name: "dockerfile", Usage: "the `PATH` in --source of the Dockerfile (default: Dockerfile)"},
		&cli.StringSliceFlag{Name: "build-arg", Usage: "give the build from --source the argument `NAME=VALUE`; may be given again"},
		&cli.StringFlag{Name: "target", Usage: "build the `STAGE` of the Dockerfile in --source (default: the last)"},
		&cli.BoolFlag{Name: "network", Usage: "let the instructions of a Dockerfile use the network"},
	}
}

// baseFlag is for the verbs that recover a recipe.
func baseFlag() cli.Flag {
	return &cli.StringFlag{Name: "base", Usage: "say that an image from a Dockerfile was built on `IMAGE`, whose layers tell whether that is so"}
}

// trustFlags say whose code a rebuild may run.
func trustFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "trust-channel", Usage: "let code of the channel at `URL` run here; may be given again"},
		&cli.BoolFlag{Name: "trust-configuration", Usage: "let the configuration.scm that the image of a whole system holds run here: it is a program"},
	}
}
