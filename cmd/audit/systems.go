package main

import (
	"github.com/urfave/cli/v2"

	"audit/rebuild"
	"audit/rebuild/apptainer"
	"audit/rebuild/docker"
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
	return in, nil
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
