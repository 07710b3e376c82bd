package main

import (
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"audit/provenance/vouch/packages"
	"audit/provenance/vouch/rebuilders"
)

func packageFlags() []cli.Flag {
	return grouped(helpSigners, []cli.Flag{
		packagesFlag(),
		&cli.StringSliceFlag{Name: "rebuilders", Usage: "ask the rebuilder at `URL`, such as https://reproduce.debian.net/amd64, which of the verified packages it has built again from source; may be given again"},
		&cli.StringSliceFlag{Name: "rebuilder-key", Usage: "believe attestations signed by the public keys in `FILE`, which are those of one operator; may be given again"},
	})
}

func packagesFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "packages", Usage: "verify the packages of the image against those in `DIR|URL`: a folder of packages and what signs them, or a mirror or snapshot (http, https or file), of which only what the image has is fetched; may be given again"}
}

// newRebuilders are whom to ask what was built again, and whose word counts.
func newRebuilders(c *cli.Context) (opt rebuilders.Options, err error) {
	opt.Servers, opt.AtLeast = c.StringSlice("rebuilders"), c.Int("at-least")
	for _, server := range opt.Servers {
		if err := rebuilders.CheckServer(server); err != nil {
			return opt, usage("--rebuilders: %w", err)
		}
	}
	for _, path := range c.StringSlice("rebuilder-key") {
		keys, err := rebuilders.ReadKeys(path)
		if err != nil {
			return opt, usage("--rebuilder-key: %w", err)
		}
		opt.Keys = append(opt.Keys, keys...)
	}
	if err := rebuilders.CheckKeys(opt.Keys); err != nil {
		return opt, usage("--rebuilder-key: %w", err)
	}
	if len(opt.Keys) > 0 && len(opt.Servers) == 0 {
		return opt, usage("--rebuilder-key: no rebuilder is asked (--rebuilders URL)")
	}
	return opt, nil
}

// newPackages opens where packages lie.
func newPackages(c *cli.Context) (sources []*packages.Source, err error) {
	for _, where := range c.StringSlice("packages") {
		s, err := packages.Open(where, packages.Options{CacheDir: packageCache()})
		if err != nil {
			return nil, usage("--packages: %w", err)
		}
		sources = append(sources, s)
	}
	return sources, nil
}

// packageCache is where packages that were fetched are kept; "" when there is no such
// place.
func packageCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "audit", "packages")
}
