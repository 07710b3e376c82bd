package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/inspect"
	"audit/inspect/userfile"
	"audit/provenance"
	"audit/rebuild"
	"audit/rebuild/apptainer"
	"audit/rebuild/debs"
	"audit/rebuild/docker"
	"audit/rebuild/drv"
	"audit/rebuild/guix"
	"audit/rebuild/nix"
	"audit/sbom"
)

// systems are the build systems, in the order in which they are asked whether an
// image is theirs. This is the one list: a new one is a line here.
func systems() rebuild.Systems {
	return rebuild.Systems{
		guix.System{},
		apptainer.System{}, // a definition, which may have been given what any other made
		nix.System{},
		debs.System{},   // only where the user gives packages
		docker.System{}, // last: it knows something of nearly every image
	}
}

// systemFlags are the flags of all systems.
func systemFlags() []cli.Flag {
	var flags []cli.Flag
	known := make(map[string]bool) // a flag may be one of several systems
	for _, s := range systems() {
		for _, f := range s.About().Flags {
			if !known[f.Name] {
				flags = append(flags, cliFlag(f))
			}
			known[f.Name] = true
		}
	}
	return flags
}

// systemExamples show the flags of the systems.
func systemExamples() (all []example) {
	for _, s := range systems() {
		if e := s.About().Example; e[0] != "" {
			all = append(all, example{e[0], e[1]})
		}
	}
	return all
}

func cliFlag(f rebuild.Flag) cli.Flag {
	switch f.Kind {
	case rebuild.List:
		return &cli.StringSliceFlag{Name: f.Name, Usage: f.Usage}
	case rebuild.Switch:
		return &cli.BoolFlag{Name: f.Name, Usage: f.Usage}
	}
	return &cli.StringFlag{Name: f.Name, Usage: f.Usage}
}

// systemSettings are the values of these flags, or a mistake on the command line.
func systemSettings(c *cli.Context) (rebuild.Settings, error) {
	in := make(rebuild.Settings)
	for _, s := range systems() {
		for _, f := range s.About().Flags {
			if !c.IsSet(f.Name) {
				continue
			}
			switch f.Kind {
			case rebuild.List:
				in[f.Name] = c.StringSlice(f.Name)
			case rebuild.Switch:
				if c.Bool(f.Name) {
					in[f.Name] = []string{"true"}
				}
			default:
				in[f.Name] = []string{c.String(f.Name)}
			}
		}
	}
	if _, err := systems().Given(in); err != nil {
		return nil, usage("%w", err)
	}
	if err := checkDerivations(in); err != nil {
		return nil, usage("%w", err)
	}
	return in, nil
}

// checkDerivations says what is wrong with the .drv files that are given: they are for
// one system, and each for its own.
func checkDerivations(in rebuild.Settings) error {
	var given string
	for _, s := range systems() {
		about := s.About()
		file := in.Text(about.DerivationFlag)
		if file == "" {
			continue
		}
		flag := "--" + about.DerivationFlag
		if given != "" {
			return fmt.Errorf("%s and %s: an image has one of them", given, flag)
		}
		given = flag
		if !strings.HasSuffix(file, ".drv") {
			continue // the system says what else it takes
		}
		text, err := userfile.Read(file, drv.MaxBytes)
		if err == nil && len(bytes.TrimSpace(text)) == 0 {
			err = fmt.Errorf("%s is empty", file)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
		d, err := drv.Parse(string(text))
		if err == nil && slices.ContainsFunc(d.Outputs, func(o drv.Output) bool { return o.Path != "" && !strings.HasPrefix(o.Path, about.Store+"/") }) {
			return fmt.Errorf("%s %s: it is no derivation of %s: what it makes does not lie in %s", flag, file, about.Name, about.Store)
		}
	}
	return nil
}

// misplaced says which flags are for images of another system than the one of the
// recipe or of the store items: what they give would not be used. An image that shows no
// store may be of any system whose recipe is given.
func misplaced(img *inspect.Image, recipe provenance.Recipe, in rebuild.Settings) error {
	own, err := systems().Named(recipe.System)
	stored := err == nil && own.About().Store != ""
	for _, s := range systems() {
		about := s.About()
		given, err := s.Given(in)
		derived := about.DerivationFlag != "" && in.Text(about.DerivationFlag) != ""
		if about.Name == recipe.System || err != nil || !given && !derived || given && !stored {
			continue
		}
		if about.Store != "" && slices.ContainsFunc(img.Items, func(i inspect.StoreItem) bool { return strings.HasPrefix(i.Path, about.Store+"/") }) {
			continue
		}
		return notFor(about, in)
	}
	return nil
}

// notFor names the flags of a system that an image is not by.
func notFor(about rebuild.About, in rebuild.Settings) error {
	var flags []string
	for _, f := range about.Flags {
		if len(in[f.Name]) > 0 {
			flags = append(flags, "--"+f.Name)
		}
	}
	return usage("%s: for images by %s, which this is not: it would not be used", strings.Join(flags, ", "), about.Tool)
}

// stores are those of all systems, as a bill of materials takes them.
func stores() []sbom.Store {
	var all []sbom.Store
	for _, s := range systems() {
		if a := s.About(); a.Store != "" {
			all = append(all, sbom.Store{Folder: a.Store, Ecosystem: sbom.Ecosystem(a.Name), StartsVersion: a.StartsVersion})
		}
	}
	return all
}

// baseFlag is for the verbs that recover a recipe.
func baseFlag() cli.Flag {
	return &cli.StringFlag{Name: "base", Usage: "say that an image from a Dockerfile was built on `IMAGE`, whose layers show whether that is so"}
}
