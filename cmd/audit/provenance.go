package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"audit/provenance"
	"audit/report"
)

func provenanceCommand() *cli.Command {
	return &cli.Command{
		Name:      "provenance",
		Usage:     "the recipe that an image carries, as files that its build system takes",
		ArgsUsage: "IMAGE",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: ".", Usage: "write the recipe's files into `DIR`; - prints them"},
			baseFlag(),
			platformFlag(),
		},
		Action: func(c *cli.Context) error {
			reference, err := oneArgument(c, "IMAGE")
			if err != nil {
				return err
			}
			l := &line{base: c.String("base"), progress: progressFor(c), platform: c.String("platform")}
			img, err := l.inspect(c.Context, reference)
			if err != nil {
				return err
			}
			ev, err := l.recover(c.Context, img)
			l.progress.clear()
			if err != nil {
				return err
			}
			return putRecipe(c, ev.Recipe)
		},
	}
}

// putRecipe writes the files of a recipe and says what it could not express.
func putRecipe(c *cli.Context, recipe provenance.Recipe) error {
	if recipe.Status == provenance.None {
		return notHeld("the image carries no recipe that audit can read")
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
	fmt.Fprintf(c.App.ErrWriter, "%s: %d %ss, %d packages, recipe %s\n", report.Printable(recipe.Packer), len(recipe.Channels), sources, len(recipe.Packages), recipe.Status)
	for _, m := range recipe.Missing {
		fmt.Fprintln(c.App.ErrWriter, "- "+report.Printable(sentences().Text(m)))
	}
	return nil
}
