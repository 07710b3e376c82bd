package main

import (
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"audit/provenance/vouch/packages"
)

func packageFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "packages", Usage: "verify the packages of the image against those in `DIR|URL`: a folder of packages and what signs them, or a mirror or snapshot (http, https or file), of which only what the image has is fetched; may be given again"},
	}
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
