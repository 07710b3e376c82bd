package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"audit/provenance"
	"audit/rebuild"
	"audit/report"
)

func planCommand() *cli.Command {
	return &cli.Command{
		Name:      "plan",
		Usage:     "the rebuild plan as JSON, running nothing; -o writes plan.json, rebuild.sh and the recipe's files",
		ArgsUsage: "IMAGE",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write plan.json, rebuild.sh and the recipe's files into `DIR`"},
			baseFlag(),
		}, readingFlags(), systemFlags()),
		Action: func(c *cli.Context) error {
			reference, err := oneArgument(c, "IMAGE")
			if err != nil {
				return err
			}
			in, err := systemSettings(c)
			if err != nil {
				return err
			}
			r, err := newReading(c)
			if err != nil {
				return err
			}
			l := &line{progress: progressFor(c), in: in, base: c.String("base"), secrets: secretsOf(c), reading: r}
			plan, err := l.plan(c.Context, reference)
			l.progress.clear()
			if err != nil {
				return err
			}
			return putPlan(c, plan)
		},
	}
}

// plan is the line as far as the plan.
func (l *line) plan(ctx context.Context, reference string) (rebuild.Plan, error) {
	img, err := l.inspect(ctx, reference)
	if err != nil {
		return rebuild.Plan{}, err
	}
	ev, err := l.recover(ctx, img)
	if err != nil {
		return rebuild.Plan{}, err
	}
	if err := misplaced(img, ev.Recipe, l.in); err != nil {
		return rebuild.Plan{}, err
	}
	s, err := systems().For(ev.Recipe, l.in)
	if err != nil {
		return rebuild.Plan{}, notHeld("%w", err)
	}
	plan, err := s.Plan(img, ev.Recipe, l.in)
	if errors.Is(err, provenance.ErrNotMine) {
		return plan, notFor(s.About(), l.in)
	}
	if err != nil {
		return plan, usage("planning the rebuild: %w", err)
	}
	return publicPlan(plan, l.secrets), nil
}

func putPlan(c *cli.Context, plan rebuild.Plan) error {
	if why := sentences().Join(plan.Reasons); why != "" {
		fmt.Fprintln(c.App.ErrWriter, "audit: as it stands this plan is not run: "+report.Printable(why))
	}
	dir := c.String("output")
	if dir != "" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return fmt.Errorf("making the folder for the plan: %w", err)
		}
	} else {
		_, err := c.App.Writer.Write(planJSON(plan))
		return err
	}
	files := planFiles(&plan)
	for _, f := range rebuild.FilesOf(plan) {
		files = append(files, file{name: f.Name, data: []byte(f.Text)})
	}
	for _, f := range files {
		if err := saveFile(filepath.Join(dir, f.name), f.data); err != nil {
			return err
		}
	}
	return nil
}

// planJSON writes a plan the way it is stored.
func planJSON(plan rebuild.Plan) []byte {
	text, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		panic(err) // strings and lists of strings always marshal
	}
	return append(text, '\n')
}
