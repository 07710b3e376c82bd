package guix

import (
	"fmt"
	"path/filepath"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/store"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/provenance/signatures"
	"audit/rebuild"
	"audit/rebuild/guix/repack"
)

// System is GNU Guix.
type System struct{}

// About describes Guix.
func (System) About() rebuild.About {
	return rebuild.About{
		Name: guix.Name, Tool: "Guix", Store: "/gnu/store", Sentences: sentences(),
		Farms: farms(), Sources: "channel", NarHash: []string{"guix", "hash", "-S", "nar", "-f", "hex"}, PrintsImage: true,
		Fetch: fetch, Mirrors: mirrors, DerivationFlag: "guix-drv",
		Causes: causes(), SavesRecipe: "Guix puts it into the image when it is called with --save-provenance.",
		Flags: []rebuild.Flag{
			{Name: "guix-drv", Usage: "of an image by Guix: follow the derivation in `FILE`, and those beside it, to the sources"},
			{Name: "trust-channel", Kind: rebuild.List, Usage: "let code of the channel at `URL` run here; may be given again"},
			rebuild.TrustSourceFlag(),
			{Name: "guix-channels", Usage: "of an image by Guix: take the channels of `FILE`, a program that Guix runs, for those that the image records or lacks"},
			{Name: "guix-manifest", Usage: "of an image by Guix: take the packages of `FILE`, a program that Guix runs, for those that the image records"},
			{Name: "channel-url", Kind: rebuild.List, Usage: "fetch a channel from another place than it names, `NAME=URL`: a mirror, or a folder with a clone; may be given again"},
			{Name: "trust-configuration", Kind: rebuild.Switch, Usage: "let the configuration.scm that the image of a whole system holds run here: it is a program"},
		},
	}
}

// farms are those that Guix trusts as it is installed (Guix 1.5, etc/substitutes).
// They are run apart from each other, and each builds by itself.
func farms() []signatures.Farm {
	const key = "(public-key (ecc (curve Ed25519) (q #%s#)))"
	return []signatures.Farm{
		{Server: "https://bordeaux.guix.gnu.org", Operator: "bordeaux.guix.gnu.org", Name: "bordeaux.guix.gnu.org",
			Key: fmt.Sprintf(key, "7D602902D3A2DBB83F8A0FB98602A754C5493B0B778C8D1DD4E0F41DE14DE34F")},
		{Server: "https://ci.guix.gnu.org", Operator: "ci.guix.gnu.org", Name: "ci.guix.gnu.org",
			Key: fmt.Sprintf(key, "8D156F295D24B0D9A86FA5741A840FF2D24F60F7B6C4134814AD55625971B394")},
	}
}

// Keep says which files Guix's evidence is read from.
func (System) Keep(path string) bool { return guix.Keep(path) || repack.Keep(path) }

// Recover returns the recipe of an image that guix pack or guix system made.
func (System) Recover(img, base *inspect.Image) (*provenance.Evidence, error) {
	return guix.System{}.Recover(img, base)
}

// Repack packs the store items again by the rules of guix pack.
func (System) Repack(img *inspect.Image, recipe provenance.Recipe) check.Check {
	return repack.Check(img, recipe)
}

// History is empty: guix pack has no instructions.
func (System) History(*inspect.Image) rebuild.History { return rebuild.History{} }

// Given says whether the user gives channels or packages beside the image.
func (System) Given(in rebuild.Settings) (bool, error) {
	trusted, err := trusted(in)
	return !trusted.Given.isZero(), err
}

// Plan says how to build an image again from its recipe.
func (System) Plan(img *inspect.Image, recipe provenance.Recipe, in rebuild.Settings) (rebuild.Plan, error) {
	trusted, err := trusted(in)
	if err != nil {
		return rebuild.Plan{}, err
	}
	return NewPlan(img, recipe, trusted)
}

// Vet judges a plan that comes from a file.
func (System) Vet(plan rebuild.Plan, in rebuild.Settings) (rebuild.Plan, error) {
	trusted, err := trusted(in)
	if err != nil {
		return plan, err
	}
	return Vet(plan, trusted)
}

func trusted(in rebuild.Settings) (t Trusted, err error) {
	t = Trusted{Channels: in.List("trust-channel"), Configuration: in.On("trust-configuration"), Sources: in.List(rebuild.TrustSource)}
	if file := in.Text("guix-drv"); file != "" && (store.NameOf(filepath.Base(file)) == "" || !strings.HasSuffix(file, ".drv")) {
		return t, fmt.Errorf("--guix-drv: %q does not have the name of a derivation in the store (HASH-NAME.drv)", filepath.Base(file))
	}
	t.ChannelsFile, t.ManifestFile = in.Text("guix-channels"), in.Text("guix-manifest")
	if t.Given, err = readGiven(t.ChannelsFile, t.ManifestFile); err != nil {
		return t, err
	}
	t.Mirrors, err = newMirrors(in.List("channel-url"))
	return t, err
}

// Script writes a plan for a shell.
func (System) Script(plan rebuild.Plan) []byte { return Script(plan) }

// Builder runs plans with the guix of this machine.
func (System) Builder(string) rebuild.Builder { return Builder{} }
