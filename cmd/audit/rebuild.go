package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"audit/inspect/pass"
	"audit/inspect/userfile"
	"audit/rebuild"
)

func rebuildCommand() *cli.Command {
	return &cli.Command{
		Name:      "rebuild",
		Usage:     "runs the builder: for an IMAGE the whole line, for a PLAN (plan.json) just the build, whose image it saves",
		ArgsUsage: "IMAGE | PLAN",
		Flags:     slices.Concat(outputFlags(), demandFlags("consistent"), farmFlags(), packageFlags(), archiveFlags(), buildFlags()),
		Action: func(c *cli.Context) error {
			reference, err := oneArgument(c, "IMAGE or PLAN")
			if err != nil {
				return err
			}
			if plan, ok, err := readPlan(reference); ok {
				return runPlan(c, plan, err)
			}
			return audited(c, func(l *line) (*audit, error) {
				l.demand = l.rebuilt == ""
				return l.run(c.Context, reference)
			})
		},
	}
}

// maxPlan bounds the size of a plan, in bytes.
const maxPlan = 16 << 20

// readPlan reads a stored plan; ok is false when path is anything else.
func readPlan(path string) (plan rebuild.Plan, ok bool, err error) {
	f, err := userfile.Open(path)
	if err != nil {
		return plan, false, nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPlan))
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return plan, false, nil
	}
	decode := json.NewDecoder(bytes.NewReader(text))
	decode.DisallowUnknownFields()
	if err := decode.Decode(&plan); err != nil {
		return plan, true, unreadable(fmt.Errorf("reading %s as a plan: %w", path, err))
	}
	type keys rebuild.Plan // without its own way to be read
	if twice := pass.RepeatedKeys(text, keys{}); len(twice) > 0 {
		return plan, true, unreadable(fmt.Errorf("reading %s as a plan: the key %q stands there twice", path, twice[0]))
	}
	return plan, true, nil
}

// runPlan builds what a plan says and saves the image.
func runPlan(c *cli.Context, plan rebuild.Plan, err error) error {
	if err != nil {
		return err
	}
	in, err := systemSettings(c)
	if err != nil {
		return err
	}
	s, err := systems().Named(plan.System)
	if err == nil {
		plan, err = s.Vet(plan, in)
	}
	if err != nil {
		return unreadable(err)
	}
	builder, ok := rebuild.BuilderOf(s, c.String("builder"))
	if !ok {
		return usage("--builder %s: the plan is for %s", c.String("builder"), s.About().Name)
	}
	dir, err := os.MkdirTemp("", "audit-")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(dir)
	shown := progressFor(c)
	result, err := builder.Build(c.Context, plan, rebuild.Job{Dir: dir, Log: newBuildLog(shown, secretsOf(c)), Fresh: c.StringSlice("fresh"), Options: buildOptions(c), Settings: in})
	shown.clear()
	if err = worded(err); err != nil {
		return planFailure(err)
	}
	return saveImage(c, result.Image)
}

func planFailure(err error) error {
	if mistake, ok := errors.AsType[*rebuild.UsageError](err); ok {
		return usage("%w", mistake)
	}
	if errors.Is(err, rebuild.ErrNoBuilder) || errors.Is(err, rebuild.ErrRefused) || errors.Is(err, rebuild.ErrNotDone) {
		return notRebuilt(err, adviceFor(err))
	}
	return notHeld("%w", err)
}

// saveImage copies the rebuilt image to where the user wants it.
func saveImage(c *cli.Context, image string) error {
	to := c.String("output")
	if to == "" {
		to = filepath.Base(image)
	}
	from, err := os.Open(image)
	if err != nil {
		return err
	}
	defer from.Close()
	err = saveAs(to, func(w io.Writer) error {
		_, err := io.Copy(w, from)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.App.Writer, to)
	return err
}
