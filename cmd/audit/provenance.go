package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/locks"
	"audit/report"
)

func provenanceCommand() *cli.Command {
	return &cli.Command{
		Name:      "provenance",
		Usage:     "the recipe that an image carries, as files that its build system takes",
		ArgsUsage: "IMAGE",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: ".", Usage: "write the recipe's files into `DIR`; - prints them"},
			baseFlag(),
			knownFlag(),
		}, slices.Concat(readingFlags(), []cli.Flag{packagesFlag(), trustedKeyFlag()})...),
		Action: func(c *cli.Context) error {
			reference, err := oneArgument(c, "IMAGE")
			if err != nil {
				return err
			}
			if err := checkKnown(c.StringSlice("known")); err != nil {
				return err
			}
			r, err := newReading(c)
			if err != nil {
				return err
			}
			l := &line{base: c.String("base"), known: c.StringSlice("known"), progress: progressFor(c), reading: r}
			if l.farms, err = newFarms(c); err != nil {
				return err
			}
			if l.packages, err = newPackages(c); err != nil {
				return err
			}
			if c.IsSet("packages") && !c.IsSet("trusted-key") {
				return usage("--packages: no key is trusted that could have signed them (--trusted-key FILE)")
			}
			a := new(audit)
			if a.image, err = l.inspect(c.Context, reference); err != nil {
				return err
			}
			if err := l.readKnown(a); err != nil {
				return err
			}
			if a.evidence, err = l.recover(c.Context, a.image); err != nil {
				return err
			}
			if l.described != nil && c.IsSet("trusted-key") {
				err = l.vouch(c.Context, a)
			}
			l.progress.clear()
			if err != nil {
				return err
			}
			return putRecipe(c, a.evidence.Recipe, l.described)
		},
	}
}

// putRecipe writes the files of a recipe and says what it could not express.
func putRecipe(c *cli.Context, recipe provenance.Recipe, described *locks.Recipe) error {
	if recipe.Status == provenance.None {
		return notHeld("the image carries no recipe that audit can read")
	}
	packages := len(recipe.Packages)
	if described != nil {
		recipe.Files = append(recipe.Files, described.Files()...)
		recipe.Missing = append(recipe.Missing, described.Share.Message())
		packages += described.Packages()
	}
	dir := c.String("output")
	if dir != "-" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return fmt.Errorf("making the folder for the recipe: %w", err)
		}
	}
	for _, f := range recipe.Files {
		if dir == "-" {
			fmt.Fprintf(c.App.Writer, "%s\n", f.Text)
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := saveFile(path, f.Text); err != nil {
			return err
		}
		fmt.Fprintln(c.App.Writer, path)
	}
	sources := "source"
	if s, err := systems().Named(recipe.System); err == nil {
		sources = cmp.Or(s.About().Sources, sources)
	}
	fmt.Fprintf(c.App.ErrWriter, "%s: %s, %s, recipe %s\n",
		cmp.Or(report.Printable(recipe.Packer), "no build system that is known"), count(len(recipe.Channels), sources), count(packages, "package"), recipe.Status)
	for _, m := range recipe.Missing {
		fmt.Fprintln(c.App.ErrWriter, "- "+report.Printable(sentences().Text(m)))
	}
	return nil
}

// describe adds to the evidence of an ordinary image, one without a store, what can be
// written of the packages in it: their locks are a recipe in part.
func describe(img *inspect.Image, ev *provenance.Evidence) *locks.Recipe {
	if len(img.Items) > 0 {
		ev.Base = nil
		return nil
	}
	described := locks.Read(locks.Source{Image: img, Installed: ev.Installed, Records: ev.Records, BaseLayers: ev.Base.Layers})
	ev.Share = &described.Share
	ev.Recover.Findings = slices.Concat(ev.Recover.Findings, ev.Base.Findings, described.Findings)
	if ev.Recover.Status == check.Pass {
		ev.Recover.Status = check.Worst(ev.Recover.Findings)
	}
	if ev.Recipe.Status == provenance.None && len(described.Locks) > 0 {
		ev.Recipe.Status = provenance.Partial
		ev.Recover.Reasons = slices.Insert(ev.Recover.Reasons, 0, check.Say("recipe/partial-packages", "packages", described.Packages()))
	}
	return described
}
