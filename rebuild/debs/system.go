package debs

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// Name is that of the system.
const Name provenance.SystemName = "debs"

// The flags that ask for it.
const (
	packagesFlag = "debian-packages"
	keyringFlag  = "debian-keyring"
)

// System is what installs packages of Debian.
type System struct{}

// About describes it.
func (System) About() rebuild.About {
	return rebuild.About{
		Name: Name, Tool: "mmdebstrap", NoDerivation: noDerivation, Sentences: sentences(),
		SavesRecipe: "dpkg keeps which packages are installed.",
		Example:     [2]string{"audit rebuild --debian-packages ./debs --debian-keyring debian-archive-keyring.gpg image.tar", "from a distribution's packages"},
		Flags: []rebuild.Flag{
			{Name: packagesFlag, Usage: "install the Debian packages of the image again, in their versions, from `DIR`, which has them and the indexes that --debian-keyring signed; their scripts run as root, without a network"},
			{Name: keyringFlag, Usage: "the OpenPGP keyring `FILE` of the archive whose packages --debian-packages has"},
		},
	}
}

const noDerivation = "derivation/none-of-packages"

// Keep wants what apt and dpkg are told in files, and one piece of byte code that every
// installation of Python has.
func (System) Keep(file string) bool {
	return file == sourcesFile || path.Dir(file) == optionsFolder || strings.HasPrefix(file, "usr/lib/python3") && strings.HasPrefix(path.Base(file), "abc.cpython-")
}

// Where apt and dpkg are told what to do.
const (
	sourcesFile   = "etc/apt/sources.list"
	optionsFolder = "etc/dpkg/dpkg.cfg.d"
)

// Recover recognises no image: any image of Debian may have been made in another way.
func (System) Recover(_, _ *inspect.Image) (*provenance.Evidence, error) {
	return nil, provenance.ErrNotMine
}

// Repack is skipped: no packer's rules are known.
func (System) Repack(*inspect.Image, provenance.Recipe) check.Check {
	return check.Skip(check.Repack, "repack/no-system")
}

// Freedoms are none.
func (System) Freedoms(_, _ *inspect.Image) []compare.Freedom { return nil }

// History is none.
func (System) History(*inspect.Image) rebuild.History { return rebuild.History{} }

// Given says whether packages are given, with the keyring.
func (System) Given(in rebuild.Settings) (bool, error) {
	folder, keyring := in.Text(packagesFlag), in.Text(keyringFlag)
	switch {
	case folder == "" && keyring == "":
		return false, nil
	case folder == "" || keyring == "":
		return false, errors.New("--" + packagesFlag + " and --" + keyringFlag + " belong together")
	}
	return true, nil
}

// Script writes a plan for a shell.
func (System) Script(plan rebuild.Plan) []byte { return script(plan) }

// Builder runs plans with mmdebstrap.
func (System) Builder(string) rebuild.Builder { return builder{} }

// Vet judges a plan that comes from a file: what it names has to be given again.
func (System) Vet(plan rebuild.Plan, in rebuild.Settings) (rebuild.Plan, error) {
	if plan.System != Name {
		return plan, fmt.Errorf("vetting a plan for %s: %w", Name, provenance.ErrNotMine)
	}
	plan.Command, plan.Trust, plan.Reasons = nil, []rebuild.Trust{}, nil
	d, err := rebuild.DetailsOf[Details](plan)
	if err == nil {
		err = d.check()
	}
	given, _ := System{}.Given(in)
	switch {
	case err != nil:
		return plan, err
	case !given:
		plan.Reasons = append(plan.Reasons, check.Say("plan/packages-not-given"))
	default:
		d.Folder = in.Text(packagesFlag)
		plan.Trust = d.trust()
	}
	plan.Details, plan.Command = d, d.command()
	return plan, nil
}
