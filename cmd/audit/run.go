package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"audit/provenance/statement"
	"audit/rebuild"
	"audit/rebuild/policy"
	"audit/rebuild/shell"
	"audit/report"
	"audit/sbom"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "the whole line: inspect, recover the recipe, rebuild, compare, report (audit IMAGE is short for it)",
		ArgsUsage: "IMAGE",
		Flags:     slices.Concat(outputFlags(), demandFlags("consistent"), farmFlags(), packageFlags(), archiveFlags(), statementFlags(), signFlags(), buildFlags()),
		Action: func(c *cli.Context) error {
			reference, err := oneArgument(c, "IMAGE")
			if err != nil {
				return err
			}
			if c.String("output") == "-" {
				return usage("-o takes the name of a folder; --format prints a report on standard output (see audit help run)")
			}
			if c.String("platform") == everyPlatform {
				return auditPlatforms(c, reference)
			}
			return audited(c, func(l *line) (*audit, error) { return l.run(c.Context, reference) })
		},
	}
}

func outputFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report into `DIR` (default: NAME.audit in the current folder)"},
		&cli.StringFlag{Name: "format", Usage: "print the report as `FORMAT` on standard output: " + report.FormatNames() + "; with any but text a folder is written only with -o"},
		&cli.BoolFlag{Name: "json", Usage: "the same as --format json"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "print all of it: every finding, what is not trusted, and what the verdict does not say"},
		layerCacheFlag(),
	}, readingFlags()...)
}

func buildFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		&cli.StringFlag{Name: "builder", Value: "auto", Usage: "`WHO` rebuilds: " + strings.Join(systems().BuilderNames(), ", ") + "; auto is by recipe, when it is there"},
		&cli.StringFlag{Name: "rebuilt", Usage: "take `IMAGE` as the rebuild, made elsewhere, and run no builder"},
		&cli.StringSliceFlag{Name: "fresh", Usage: "build `PACKAGE` again although it is in the store; all for every one"},
		&cli.BoolFlag{Name: "check-inputs", Usage: "build everything that took part twice, to name what does not come out the same"},
		&cli.BoolFlag{Name: "no-substitutes", Usage: "let the builder fetch nothing that others have built"},
		&cli.StringSliceFlag{Name: "substitute-urls", Usage: "let the builder fetch from `URL` only; may be given again"},
		&cli.StringSliceFlag{Name: "substitute-key", Usage: "let the builder believe what the key `NAME:BASE64` signed of what it fetches; may be given again"},
		&cli.StringFlag{Name: "builders", Usage: "let the builder build on `MACHINES`, as its option of that name has them"},
		&cli.IntFlag{Name: "cores", Usage: "let each build use `N` cores (default: as the builder is set up)"},
		&cli.IntFlag{Name: "max-jobs", Usage: "let the builder do `N` builds at a time (default: as it is set up)"},
		baseFlag(),
	}, systemFlags())
}

// newLine makes a line of the flags of a verb.
func newLine(c *cli.Context) (*line, error) {
	farms, err := newFarms(c)
	if err != nil {
		return nil, err
	}
	in, err := systemSettings(c)
	if err != nil {
		return nil, err
	}
	stated, err := newStatements(c)
	if err != nil {
		return nil, err
	}
	l := &line{
		farms: farms, stated: stated, known: c.StringSlice("known"), builder: c.String("builder"), rebuilt: c.String("rebuilt"), secrets: secretsOf(c), in: in, base: c.String("base"),
		fresh: c.StringSlice("fresh"), inputs: c.Bool("check-inputs"), progress: progressFor(c),
	}
	if l.reading, err = newReading(c); err != nil {
		return nil, err
	}
	if l.archives, err = newArchives(c); err != nil {
		return nil, err
	}
	if l.packages, err = newPackages(c); err != nil {
		return nil, err
	}
	if l.rebuilders, err = newRebuilders(c); err != nil {
		return nil, err
	}
	if err := checkKnown(l.known); err != nil {
		return nil, err
	}
	l.options = buildOptions(c)
	l.demand = l.builder != "auto" && l.builder != "none" && l.builder != ""
	if l.builder != "" && !slices.Contains(systems().BuilderNames(), l.builder) {
		return nil, oneOf("builder", l.builder, systems().BuilderNames())
	}
	return l, nil
}

// buildOptions are what is passed through to the build tool.
func buildOptions(c *cli.Context) rebuild.Options {
	return rebuild.Options{
		NoSubstitutes: c.Bool("no-substitutes"), SubstituteURLs: c.StringSlice("substitute-urls"),
		Cores: c.Int("cores"), MaxJobs: c.Int("max-jobs"), SubstituteKeys: c.StringSlice("substitute-key"), Builders: c.String("builders"),
	}
}

// A job is what is done with what a line finds.
type job struct {
	demand *policy.Policy
	format report.Format
	key    *statement.PrivateKey // nil when nobody signs
}

func newJob(c *cli.Context) (j job, err error) {
	if j.demand, err = demanded(c); err != nil {
		return j, err
	}
	if j.format, err = formatOf(c); err != nil {
		return j, err
	}
	j.key, err = signingKey(c)
	return j, err
}

// do walks a line and judges what it found; failed says that the policy does not hold.
func (j job) do(c *cli.Context, l *line, walk func(*line) (*audit, error)) (a *audit, failed, err error) {
	if l.dir, err = os.MkdirTemp("", "audit-"); err != nil {
		return nil, nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(l.dir)
	a, err = walk(l)
	l.progress.clear()
	if err != nil {
		return nil, nil, err
	}
	failed = judge(a.report, j.demand)
	if j.key != nil {
		if a.attested, err = sign(a.report, c.String("auditor"), j.key); err != nil {
			return nil, nil, err
		}
	}
	if a.demanded != nil {
		failed = a.demanded
	}
	return a, failed, nil
}

// audited runs a line and puts out what it found; the policy decides last. Where there is
// nothing to put out, what an earlier run left in the folder is taken away: nobody can take
// it for a report of this image.
func audited(c *cli.Context, walk func(*line) (*audit, error)) error {
	j, err := newJob(c)
	if err != nil {
		return err
	}
	l, err := newLine(c)
	if err != nil {
		return err
	}
	dir := c.String("output")
	if dir != "" { // in vain is no image read
		if err := replaceable(dir); err != nil {
			return err
		}
	}
	a, failed, err := j.do(c, l, walk)
	if err != nil {
		return withoutEarlier(dir, err)
	}
	if dir == "" && j.format.Name == textFormat {
		dir = folderFor(a.image.Reference)
	}
	if dir != "" {
		if err := a.save(dir); err != nil {
			return withoutEarlier(c.String("output"), err)
		}
	}
	if err := j.print(c, a.report, dir); err != nil {
		return err
	}
	return failed
}

// save writes the folder of the report.
func (a *audit) save(dir string) error {
	files, err := a.files()
	if err != nil {
		return err
	}
	return save(dir, files)
}

// print writes the terminal summary, or the format that was asked for.
func (j job) print(c *cli.Context, r *report.Report, dir string) error {
	switch {
	case j.format.Name != textFormat:
		return j.format.Write(c.App.Writer, r)
	case c.Bool("quiet"):
		return nil
	}
	return report.WriteText(c.App.Writer, r, textOptions(c, c.App.Writer, dir))
}

// files are the results of an audit. Those that can be long are made while they are
// written.
func (a *audit) files() ([]file, error) {
	date, err := sourceDate()
	if err != nil {
		return nil, err
	}
	opt := billOptions(date)
	opt.Sources = billSources(a)
	bill := sbom.Collect(a.image, a.evidence, opt)
	files := []file{
		{name: "report.json", write: func(w io.Writer) error { return report.WriteJSON(w, a.report) }},
		{name: "report.html", write: func(w io.Writer) error { return report.WriteHTML(w, a.report) }},
		{name: "sbom.spdx.json", write: bill.WriteSPDX},
		{name: "sbom.cdx.json", write: bill.WriteCycloneDX},
	}
	files = append(files, recipeFiles(a)...)
	if len(a.log) > 0 {
		files = append(files, file{name: a.logName(), data: a.log})
	}
	if a.attested != nil {
		files = append(files, a.attested.files()...)
	}
	return append(files, planFiles(a.plan)...), nil
}

func recipeFiles(a *audit) []file {
	var files []file
	if a.evidence == nil {
		return nil
	}
	for _, f := range a.evidence.Recipe.Files {
		files = append(files, file{name: f.Name, data: f.Text})
	}
	return files
}

func planFiles(plan *rebuild.Plan) []file {
	if plan == nil {
		return nil
	}
	files := []file{{name: "plan.json", data: planJSON(*plan)}}
	if s, err := systems().Named(plan.System); err == nil {
		files = append(files, file{name: "rebuild.sh", data: script(s, *plan)})
	}
	return files
}

// byHand shows the command of a plan that is refused, as a comment, for who wants to run
// it all the same.
func byHand(plan rebuild.Plan) string {
	if len(plan.Command) == 0 {
		return ""
	}
	return "# What would be run:\n#   " + shell.Printable(shell.Words(plan.Command)) + "\n"
}

// script writes a plan as a shell script. That of a plan which is refused says why; it
// goes on where the user allows all that it would run, or gives what the recipe lacks,
// and shows the command, and does nothing else, where it can be neither.
func script(s rebuild.System, plan rebuild.Plan) []byte {
	why := sentences().Join(plan.Reasons)
	switch {
	case len(plan.Reasons) == 0:
		return s.Script(plan)
	case !plan.Allowable() && len(plan.Takes) == 0:
		return []byte("#!/bin/sh\n" + byHand(plan) + shell.Refusal(why))
	}
	takes := plan.Takes
	if len(plan.Untrusted()) > 0 {
		takes = nil
	}
	plan.Reasons = nil
	return shell.Guarded(s.Script(plan), why, takes)
}

// sourceDate is the time that SOURCE_DATE_EPOCH gives, zero when it is not set
// (reproducible-builds.org/specs/source-date-epoch).
func sourceDate() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > 253402300799 || strings.HasPrefix(text, "+") { // the year 9999
		return time.Time{}, usage("SOURCE_DATE_EPOCH is no number of seconds since 1970")
	}
	return time.Unix(seconds, 0).UTC(), nil
}
