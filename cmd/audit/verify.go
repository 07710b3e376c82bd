package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"audit/inspect"
	"audit/inspect/registry/access"
	"audit/inspect/userfile"
	"audit/provenance/evidence"
	"audit/rebuild"
	"audit/report"
	"audit/report/attest"
)

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "asks whether enough independent rebuilders, who signed, built the image and agree",
		ArgsUsage: "IMAGE",
		Flags: append(append(statementFlags(), append(registryFlags(), platformFlag())...),
			&cli.StringFlag{Name: "trust", Usage: "take rebuilders, their keys and what is demanded from `FILE` (JSON) as well"},
			&cli.StringSliceFlag{Name: "operator", Usage: "say who signs with a key, as `KEY=OPERATOR` (default: the key's name): one operator has one voice; may be given again"},
			&cli.StringSliceFlag{Name: "maker", Usage: "say that the operator `NAME` made the image, so that its word about it does not count; may be given again"},
			&cli.StringSliceFlag{Name: "from", Usage: "look for statements in the `REPOSITORY` of a rebuilder too: docker://HOST/NAME; may be given again"},
			&cli.IntFlag{Name: "at-least", DefaultText: "all of them", Usage: "demand that `K` operators agree"},
			&cli.StringFlag{Name: "require", Value: rebuild.RequireReproducible.String(), Usage: "`WORD` that each of them must have found: reproducible, or equivalent"},
			&cli.StringFlag{Name: "max-age", Usage: "take no statement that is older than `AGE`: 90d, 12h"},
			&cli.BoolFlag{Name: "json", Usage: "print what was found as JSON"},
			&cli.StringFlag{Name: "badge", Usage: "write `FILE` with which shields.io shows the result"},
		),
		Action: func(c *cli.Context) error {
			reference, err := oneArgument(c, "IMAGE")
			if err != nil {
				return err
			}
			return verify(c, reference)
		},
	}
}

func verify(c *cli.Context, reference string) error {
	stated, err := newStatements(c)
	if err != nil {
		return err
	}
	terms, err := newTerms(c, &stated)
	if err != nil {
		return err
	}
	progress := progressFor(c)
	registries, err := newAccess(c)
	if err != nil {
		return err
	}
	opt := inspect.Options{Platform: c.String("platform"), Access: registries, Progress: progress.bytes("reading " + reference)}
	img, err := open(c.Context, reference, opt)
	if err == nil {
		err = addStatements(c.Context, img, c.StringSlice("from"), registries)
	}
	progress.clear()
	if err != nil {
		return err
	}
	a := attest.Verify(img, evidence.Of(img, stated.given, stated.trust), terms)
	if err := putAgreement(c, a); err != nil {
		return err
	}
	if !a.Holds {
		return notHeld("%s", sentences().Text(a.Why))
	}
	return nil
}

// addStatements looks into the repositories of rebuilders.
func addStatements(ctx context.Context, img *inspect.Image, places []string, registries *access.Options) error {
	for _, place := range places {
		repo, err := attest.Repository(place)
		if err != nil {
			return usage("--from %s: %w", place, err)
		}
		if err := inspect.AddStatements(ctx, img, repo, inspect.Options{Access: registries}); err != nil {
			return unreadable(err)
		}
	}
	return nil
}

// newTerms are what is asked of statements: by the flags, and by a trust file.
func newTerms(c *cli.Context, stated *statements) (attest.Terms, error) {
	terms := attest.Terms{Now: time.Now(), AtLeast: c.Int("at-least")}
	if err := terms.Require.UnmarshalText([]byte(c.String("require"))); err != nil {
		return terms, usage("--require: %w", err)
	}
	var err error
	if age := c.String("max-age"); age != "" {
		if terms.MaxAge, err = attest.ParseAge(age); err != nil {
			return terms, usage("--max-age: %w", err)
		}
	}
	for _, k := range stated.trust.Keys {
		terms.Rebuilders = append(terms.Rebuilders, attest.Rebuilder{Operator: k.Name, Key: k.Name})
	}
	for _, name := range stated.identities {
		terms.Rebuilders = append(terms.Rebuilders, attest.Rebuilder{Operator: name, Key: name})
	}
	if path := c.String("trust"); path != "" {
		if err := addTrust(c, path, stated, &terms); err != nil {
			return terms, usage("--trust %s: %w", path, err)
		}
	}
	if err := nameOperators(c, terms.Rebuilders); err != nil {
		return terms, err
	}
	return terms, checkTerms(c, &terms)
}

// addTrust adds what a trust file says; flags that are given win.
func addTrust(c *cli.Context, path string, stated *statements, terms *attest.Terms) error {
	raw, err := userfile.Read(path, maxKey)
	if err != nil {
		return err
	}
	file, err := attest.ParseTrust(raw)
	if err != nil {
		return err
	}
	for _, k := range file.Keys {
		if err := stated.add(k); err != nil {
			return fmt.Errorf("the key %s: %w", k.Name, err)
		}
	}
	terms.Rebuilders = append(terms.Rebuilders, file.Rebuilders...)
	if !c.IsSet("at-least") && file.AtLeast > 0 {
		terms.AtLeast = file.AtLeast
	}
	if !c.IsSet("require") && file.Require != 0 {
		terms.Require = file.Require
	}
	if !c.IsSet("max-age") {
		terms.MaxAge = file.MaxAge
	}
	return nil
}

// nameOperators says who signs with which key, and who made the image.
func nameOperators(c *cli.Context, rebuilders []attest.Rebuilder) error {
	named := make(map[string]bool)
	for _, given := range c.StringSlice("operator") {
		key, operator, ok := strings.Cut(given, "=")
		i := slices.IndexFunc(rebuilders, func(r attest.Rebuilder) bool { return r.Key == key })
		switch {
		case !ok || operator == "":
			return usage("--operator %s: KEY=OPERATOR belongs here", given)
		case i < 0:
			return usage("--operator %s: there is no key of that name (--key NAME=FILE)", given)
		}
		if named[key] {
			return usage("--operator %s: who signs with %s is given twice", given, key)
		}
		named[key] = true
		rebuilders[i].Operator = operator
	}
	for _, maker := range c.StringSlice("maker") {
		found := false
		for i := range rebuilders {
			if rebuilders[i].Operator == maker {
				rebuilders[i].Maker, found = true, true
			}
		}
		if !found {
			return usage("--maker %s: no operator is called so", maker)
		}
	}
	return nil
}

// checkTerms refuses what could never hold, or always would.
func checkTerms(c *cli.Context, terms *attest.Terms) error {
	operators := make(map[string]bool)
	for _, r := range terms.Rebuilders {
		if !r.Maker {
			operators[r.Operator] = true
		}
	}
	switch {
	case len(terms.Rebuilders) == 0:
		return usage("whose word counts? Give the public keys of rebuilders (--key NAME=FILE, or --trust FILE)")
	case len(operators) == 0:
		return usage("the only keys that are given are of who made the image")
	case c.IsSet("at-least") && terms.AtLeast < 1:
		return usage("--at-least %d: at least one operator agrees", terms.AtLeast)
	case terms.AtLeast > len(operators):
		return usage("--at-least %d: there are %d operators with a key", terms.AtLeast, len(operators))
	case terms.Require != rebuild.RequireReproducible && terms.Require != rebuild.RequireEquivalent:
		return usage("--require %s: reproducible or equivalent is what rebuilders can agree on", terms.Require)
	case terms.AtLeast == 0:
		terms.AtLeast = len(operators)
	}
	return nil
}

// putAgreement prints what was found, and writes the badge.
func putAgreement(c *cli.Context, a attest.Agreement) error {
	if path := c.String("badge"); path != "" {
		if err := replacesBadge(path); err != nil {
			return err
		}
		if err := saveAs(path, file{data: a.Badge()}.writeAll); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if c.Bool("json") {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(a); err != nil {
			return fmt.Errorf("writing JSON: %w", err)
		}
	} else {
		writeAgreement(&b, a)
	}
	out := b.Bytes()
	if c.Bool("json") {
		out = report.PrintableJSON(out)
	}
	if _, err := c.App.Writer.Write(out); err != nil {
		return fmt.Errorf("writing what was found: %w", err)
	}
	return nil
}

// replacesBadge refuses a path at which there is something else than an earlier badge.
func replacesBadge(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().IsRegular() {
		if raw, err := userfile.Read(path, 1<<10); err == nil && attest.IsBadge(raw) {
			return nil
		}
	}
	return usage("--badge %s: there is something else at that place", path)
}

// writeAgreement says it in lines: the answer, a line a rebuilder, and statements that
// count for nobody.
func writeAgreement(b *bytes.Buffer, a attest.Agreement) {
	words := sentences()
	line := func(format string, args ...any) {
		b.WriteString(report.Printable(fmt.Sprintf(format, args...)) + "\n")
	}
	answer := "NO"
	if a.Holds {
		answer = "YES"
	}
	line("%s: %s", answer, words.Text(a.Why))
	line("%d of %d independent rebuilders agree (%d demanded, each that it is %s)", min(a.Agree, a.Least), len(a.Voices), a.AtLeast, a.Require)
	line("image %s (%s)", a.Image.Digest(), a.Image.Platform)
	for _, v := range a.Voices {
		built := ""
		if v.Items > 0 {
			built = fmt.Sprintf("; %d of %d parts built by itself", v.Built, v.Items)
		}
		when := ""
		if v.Time != "" {
			when = ", " + v.Time
		}
		line("%-8s  %s: %s%s%s", v.Vote, v.Operator, words.Text(v.Why), built, when)
	}
	for _, o := range a.Other {
		line("%-8s  %s: %s", "no vote", o.Digest, words.Text(o.Why))
	}
}
