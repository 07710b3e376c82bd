package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/inspect/check"
	"audit/inspect/userfile"
	"audit/provenance"
	"audit/provenance/openpgp"
	"audit/provenance/signatures"
	"audit/provenance/vouch/apk"
)

func farmFlags() []cli.Flag {
	return grouped(helpSigners, []cli.Flag{
		&cli.StringSliceFlag{Name: "substitutes", Usage: "ask the build farm at `URL` (http, https or file) what it signed; may be given again"},
		&cli.BoolFlag{Name: "online", Usage: "ask the official build farms of the build system, and where the sources are still to be had"},
		trustedKeyFlag(),
		&cli.IntFlag{Name: "at-least", Value: 1, Usage: "demand that `K` operators signed each store item, or built each package again"},
		&cli.StringSliceFlag{Name: "operator", Usage: "say who signs with a trusted key, as `KEY=NAME`: one operator has one voice; may be given again"},
		knownFlag(),
	})
}

func trustedKeyFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "trusted-key", Usage: "believe signatures of the public keys in `FILE`, beside those of the official farms: of a build farm, or of who signs packages (an OpenPGP keyring, a key of Alpine); may be given again"}
}

// farms are whom to ask what they signed, and whose word counts.
type farms struct {
	servers []string
	online  bool
	keys    []signatures.Key
	vendors openpgp.Keyring // who sign packages
	alpine  []apk.Key       // and those of apk
	atLeast int             // operators that must have signed each item
}

func newFarms(c *cli.Context) (farms, error) {
	f := farms{servers: c.StringSlice("substitutes"), online: c.Bool("online"), atLeast: c.Int("at-least")}
	for _, s := range systems() {
		keys, err := signatures.FarmKeys(s.About().Farms)
		if err != nil {
			return f, err
		}
		f.keys = append(f.keys, keys...)
	}
	for _, server := range f.servers {
		if err := signatures.CheckServer(server); err != nil {
			return f, usage("--substitutes: %w", err)
		}
	}
	for _, path := range c.StringSlice("trusted-key") {
		if err := f.trust(c.Context, path); c.Context.Err() != nil {
			return f, unreadable(err)
		} else if err != nil {
			return f, usage("--trusted-key: %w", err)
		}
	}
	named := make(map[string]bool)
	for _, given := range c.StringSlice("operator") {
		key, operator, ok := cutLast(given, "=")
		if named[key] {
			return f, usage("--operator %s: who signs with %s is given twice", given, key)
		}
		named[key] = true
		if !ok || operator == "" {
			return f, usage("--operator %s: KEY=NAME belongs here", given)
		}
		if err := signatures.Operated(f.keys, key, operator); err != nil {
			return f, usage("--operator: %w", err)
		}
	}
	if c.IsSet("at-least") && f.atLeast < 1 {
		return f, usage("--at-least %d: at least one operator signs", f.atLeast)
	}
	if c.IsSet("at-least") && len(f.servers)+len(c.StringSlice("rebuilders")) == 0 && !f.online {
		return f, usage("--at-least %d: nobody is asked (--substitutes URL, --rebuilders URL, --online)", f.atLeast)
	}
	return f, nil
}

// keyringBytes bounds a file of trusted keys.
const keyringBytes = 16 << 20

// trust reads a file of keys, of which the content says what they are for.
func (f *farms) trust(ctx context.Context, path string) error {
	text, err := userfile.Read(path, keyringBytes)
	if err != nil {
		return fmt.Errorf("reading a trusted key: %w", err)
	}
	if openpgp.IsKeyring(text) {
		ring, err := openpgp.ReadKeyring(ctx, text)
		if err != nil {
			return fmt.Errorf("reading the trusted key %s: %w", path, err)
		}
		f.vendors = openpgp.Union(f.vendors, ring)
		return nil
	}
	if apk.IsKey(text) {
		key, err := apk.ReadKey(filepath.Base(path), text)
		if err != nil {
			return fmt.Errorf("reading the trusted key %s: %w", path, err)
		}
		f.alpine = append(f.alpine, key)
		return nil
	}
	keys, err := signatures.ReadKeys(path)
	f.keys = append(f.keys, keys...)
	return err
}

// cutLast cuts a text around the last separator in it.
func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

// askFarms makes the check of signed hashes. Nobody is asked unasked: it may
// need the network.
func (l *line) askFarms(ctx context.Context, a *audit) error {
	servers := slices.Clone(l.farms.servers)
	if s, err := systems().Named(a.evidence.Recipe.System); l.farms.online && err == nil {
		for _, farm := range s.About().Farms {
			servers = append(servers, farm.Server)
		}
	}
	return l.step("signatures", func() error {
		out, outcomes := signatures.Check(ctx, a.image.Items, signatures.Options{
			Servers: servers, Keys: l.farms.keys, Terms: l.terms(a), CacheDir: cacheDir(), Progress: l.progress.count("asking build farms"),
		})
		l.add(out)
		a.signed = outcomes
		return stopped(ctx)
	})
}

// hasNothingToSign says that neither a build farm nor a distribution signs anything of what
// was read of the image.
func (a *audit) hasNothingToSign() bool {
	in := a.evidence.Installed
	return len(a.image.Items) == 0 && len(in.Packages)+len(in.Databases)+len(in.Problems) == 0
}

// unreadLayers counts the layers that were read in part or not at all.
func (a *audit) unreadLayers() (n int) {
	for _, l := range a.image.Layers {
		if l.Broken != nil || l.Absent {
			n++
		}
	}
	return n
}

// isUnasked says that a check of signatures ended without asking anybody about anything.
func isUnasked(c check.Check) bool {
	return len(c.Findings) == 0 && len(c.Reasons) == 1 && (c.Reasons[0].Code == "signatures/not-asked" || c.Reasons[0].Code == "signatures/no-items")
}

// terms are what answers of farms are judged by.
func (l *line) terms(a *audit) signatures.Terms {
	terms := signatures.Terms{AtLeast: l.farms.atLeast, Follows: make(map[string]bool), Unstable: make(map[string]bool)}
	for item, standing := range a.evidence.Derived {
		terms.Follows[item] = standing != provenance.Unproven
	}
	if a.result == nil {
		return terms
	}
	for _, f := range a.result.Fresh {
		for _, item := range f.Items {
			if !f.Same && f.Problem == "" {
				terms.Unstable[item] = true
			}
		}
	}
	return terms
}

// judgeSignaturesAgain takes into account what building twice has shown: an item
// that does not come out the same twice may honestly have another hash than a farm
// signed.
func (l *line) judgeSignaturesAgain(a *audit) {
	if terms := l.terms(a); len(terms.Unstable) > 0 && len(a.signed) > 0 {
		l.add(signatures.Conclude(a.image.Items, a.signed, terms))
	}
}

// cacheDir is where answers of farms are kept; "" when there is no such place.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "audit", "narinfo")
}
