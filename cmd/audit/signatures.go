package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"audit/provenance/signatures"
)

func farmFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "substitutes", Usage: "ask the build farm at `URL` (http, https or file) what it signed; may be given again"},
		&cli.BoolFlag{Name: "online", Usage: "ask the official build farms of the build system"},
		&cli.StringSliceFlag{Name: "trusted-key", Usage: "believe signatures of the public key in `FILE`, beside those of the official farms; may be given again"},
	}
}

// farms are whom to ask what they signed, and whose word counts.
type farms struct {
	servers []string
	online  bool
	keys    []signatures.Key
}

func newFarms(c *cli.Context) (farms, error) {
	f := farms{servers: c.StringSlice("substitutes"), online: c.Bool("online"), keys: signatures.OfficialKeys()}
	for _, server := range f.servers {
		if err := signatures.CheckServer(server); err != nil {
			return f, usage("--substitutes: %w", err)
		}
	}
	for _, path := range c.StringSlice("trusted-key") {
		keys, err := signatures.ReadKeys(path)
		if err != nil {
			return f, usage("--trusted-key: %w", err)
		}
		f.keys = append(f.keys, keys...)
	}
	return f, nil
}

// askFarms makes the check of signed hashes. Nobody is asked unasked: it may
// need the network.
func (l *line) askFarms(ctx context.Context, a *audit) error {
	servers := l.farms.servers
	if l.farms.online {
		servers = append(servers, signatures.OfficialServers(a.evidence.Recipe.System)...)
	}
	return l.step("signatures", func() error {
		out, outcomes := signatures.Check(ctx, a.image.Items, signatures.Options{
			Servers: servers, Keys: l.farms.keys, CacheDir: cacheDir(), Progress: l.tell.count("asking build farms"),
		})
		l.add(out)
		a.signed = outcomes
		return ctx.Err()
	})
}

// cacheDir is where answers of farms are kept; "" when there is no such place.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "audit", "narinfo")
}
