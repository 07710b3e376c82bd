package nix

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/nix"
	"audit/provenance/signatures"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/rebuild/nix/repack"
)

// System is Nix.
type System struct{}

// About describes Nix. Its flags complete the recipe of an image, which no image
// of Nix carries.
func (System) About() rebuild.About {
	return rebuild.About{
		Name: nix.Name, Tool: "Nix", Store: "/nix/store", StartsVersion: nix.StartsVersion, Sentences: sentences(),
		NarHash: []string{"nix-hash", "--type", "sha256"}, Causes: causes(), SavesRecipe: "For Nix, name the expression or the derivation.",
		Example: [2]string{"audit rebuild --nix-flake .#image image.tar.gz", "by Nix, which never reveals the expression"},
		Farms:   []signatures.Farm{{Server: officialServer, Operator: "NixOS Foundation", Key: officialKey}},
		Fetch:   fetch, Mirrors: mirrors, DerivationFlag: "nix-drv",
		Flags: []rebuild.Flag{
			{Name: "nix-drv", Usage: "of an image by Nix: build it from the derivation in `FILE`, or from the one that made FILE where that is in the store of this machine, such as ./result"},
			{Name: "nix-expr", Usage: "of an image by Nix: build it from the expression in `FILE`"},
			{Name: "nix-attr", Usage: "the `ATTRIBUTE` of --nix-expr that makes the image"},
			{Name: "nix-flake", Usage: "of an image by Nix: build it from `REF#ATTRIBUTE`"},
			{Name: "nix-arg", Kind: rebuild.List, Usage: "call --nix-expr, where it is a function, with the argument `NAME=EXPRESSION`; may be given again"},
			{Name: "nix-argstr", Kind: rebuild.List, Usage: "call --nix-expr with the text `NAME=VALUE`; may be given again"},
			{Name: "nix-import-from-derivation", Kind: rebuild.Switch, Usage: "let --nix-expr or --nix-flake build something, in the sandbox, in order to be evaluated"},
			{Name: "nix-path", Kind: rebuild.List, Usage: "let --nix-expr read `[NAME=]FOLDER` too; may be given again"},
			{Name: "nix-uri", Kind: rebuild.List, Usage: "let --nix-expr fetch from addresses that begin with `URL`; may be given again"},
			{Name: "nix-setting", Kind: rebuild.List, Secret: secretOfSetting, Usage: "set `NAME=VALUE` of nix.conf, of those that loosen nothing; may be given again"},
		},
	}
}

// Keep says which files Nix's evidence is read from.
func (System) Keep(path string) bool { return nix.Keep(path) }

// Recover returns what an image by Nix reveals of its recipe.
func (System) Recover(img, base *inspect.Image) (*provenance.Evidence, error) {
	return nix.System{}.Recover(img, base)
}

// Repack packs the store items again by the rules of what packs for Nix.
func (System) Repack(img *inspect.Image, recipe provenance.Recipe) check.Check {
	return repack.Check(img, recipe)
}

// Freedoms are what the packers of Nix leave to chance.
func (System) Freedoms(a, b *inspect.Image) []compare.Freedom { return freedoms(a, b) }

// History is empty: the packers of Nix have no instructions.
func (System) History(*inspect.Image) rebuild.History { return rebuild.History{} }

// Given says whether a derivation, an expression or a flake is given.
func (System) Given(in rebuild.Settings) (bool, error) {
	input := inputOf(in)
	if err := input.Check(); err != nil {
		return false, fmt.Errorf("--nix-drv, --nix-expr, --nix-flake: %w", err)
	}
	if err := checkFile(input.Expr); err != nil {
		return false, fmt.Errorf("--nix-expr: %w", err)
	}
	return !input.IsZero(), nil
}

// Plan says how to build an image again from what the user gives beside it.
func (System) Plan(img *inspect.Image, recipe provenance.Recipe, in rebuild.Settings) (rebuild.Plan, error) {
	input, err := inputOf(in).resolved()
	if err != nil {
		return rebuild.Plan{}, err
	}
	return NewPlan(img, recipe, input)
}

// Vet judges a plan that comes from a file.
func (System) Vet(plan rebuild.Plan, in rebuild.Settings) (rebuild.Plan, error) {
	input, err := inputOf(in).resolved()
	if err != nil {
		return plan, err
	}
	return Vet(plan, input)
}

func inputOf(in rebuild.Settings) Input {
	return Input{
		Drv: in.Text("nix-drv"), Expr: in.Text("nix-expr"), Attr: in.Text("nix-attr"), Flake: in.Text("nix-flake"),
		Args: in.List("nix-arg"), Strings: in.List("nix-argstr"), Imports: in.On("nix-import-from-derivation"),
		Path: in.List("nix-path"), URIs: in.List("nix-uri"), Settings: in.List("nix-setting"),
	}
}

// secretOfSetting is the value of a setting that no plan may have, such as
// access-tokens, or of one without a name.
func secretOfSetting(text string) []string {
	name, value, _ := strings.Cut(text, "=")
	if slices.Contains(Settings(), name) {
		return nil
	}
	_, token, _ := strings.Cut(value, "=") // access-tokens=HOST=TOKEN
	return []string{value, token}
}

// Script writes a plan for a shell.
func (System) Script(plan rebuild.Plan) []byte { return Script(plan) }

// Builder runs plans with the Nix of this machine.
func (System) Builder(string) rebuild.Builder { return Builder{} }
