package main

import (
	"github.com/urfave/cli/v2"

	"audit/cmd/audit/batch/list"
)

// engineFlags are those by which audit batch prints what an engine needs to run its
// shards.
func engineFlags() []cli.Flag { return nil }

// writeEngine prints what an engine needs to do a list; false when none is asked for.
func writeEngine(c *cli.Context, name string, entries []list.Entry) (bool, error) {
	return false, nil
}
