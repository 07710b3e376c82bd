package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/cmd/audit/batch/list"
	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/policy"
	"audit/report"
	"audit/report/fleet"
)

func summaryCommand() *cli.Command {
	return &cli.Command{
		Name:      "summary",
		Usage:     "puts many reports on one page; the exit status judges all of them",
		ArgsUsage: "DIR...",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "list", Usage: "demand a result of each image of `LIST`, in the forms that audit batch takes (default: the lists of the batches)"},
			&cli.StringFlag{Name: "since", Usage: "show what has changed since the summary in `FILE` (of --format json)"},
			&cli.StringFlag{Name: "format", Value: textFormat, Usage: "write as `FORMAT`: " + strings.Join(summaryFormats(), ", ")},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output"},
			&cli.StringFlag{Name: "lock", Usage: "write a list of the images by their digests to `FILE`, which audit batch takes"},
		}, append(registryFlags(), demandFlags("consistent")...)...),
		Action: func(c *cli.Context) error {
			if c.Args().Len() == 0 {
				return usage("summary takes at least one DIR (see audit help summary)")
			}
			return summarizeAll(c, c.Args().Slice())
		},
	}
}

// A summaryFormat is a form of a summary.
type summaryFormat struct {
	name  string
	write func(io.Writer, *fleet.Summary) error
}

func summaryForms() []summaryFormat {
	return []summaryFormat{
		{textFormat, fleet.WriteText}, {"html", fleet.WriteHTML}, {"json", fleet.WriteJSON}, {"csv", fleet.WriteCSV},
		{"markdown", fleet.WriteMarkdown}, {"prom", fleet.WritePrometheus},
	}
}

func summaryFormats() (names []string) {
	for _, f := range summaryForms() {
		names = append(names, f.name)
	}
	return names
}

func summarizeAll(c *cli.Context, dirs []string) error {
	write, err := summaryWriter(c.String("format"))
	if err != nil {
		return err
	}
	opt, err := summaryOptions(c)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(dirs, func(dir string) bool { return !exists(dir) }); i >= 0 {
		return unreadable(fmt.Errorf("there is no folder %s%s", dirs[i], meantFile(dirs[i])))
	}
	output, lock := c.String("output"), c.String("lock")
	if err := notInTheWay(dirs, output, lock); err != nil {
		return err
	}
	s, err := fleet.Collect(c.Context, dirs, opt)
	if err != nil {
		return unreadable(err)
	}
	s.Linked = output != "" && len(dirs) == 1 && filepath.Clean(filepath.Dir(output)) == filepath.Clean(dirs[0])
	put := func(path string, write func(io.Writer, *fleet.Summary) error) error {
		if path == "" {
			return write(c.App.Writer, s)
		}
		return saveAs(path, func(w io.Writer) error { return write(w, s) })
	}
	if err := put(output, write); err != nil {
		return err
	}
	if lock != "" {
		if err := put(lock, fleet.WriteLock); err != nil {
			return err
		}
	}
	if !s.Policy.Holds || len(s.Bad) > 0 || s.Counts.Images == 0 {
		return notHeld("%s", strings.TrimSuffix(verdictOf(s), "."))
	}
	return nil
}

// notInTheWay refuses files of which one would take the place of the other, or of what a
// batch needs.
func notInTheWay(dirs []string, output, lock string) error {
	if output != "" && lock != "" && filepath.Clean(output) == filepath.Clean(lock) {
		return usage("--output and --lock are the same file, %s", output)
	}
	for _, dir := range dirs {
		for _, path := range []string{output, lock} {
			rel, err := filepath.Rel(dir, path)
			first, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
			if path != "" && err == nil && slices.Contains([]string{fleet.ListFile, fleet.StatusFolder, fleet.ResultsFolder}, first) {
				return usage("%s: the batch in %s has its own there; another name belongs here", path, dir)
			}
		}
	}
	return nil
}

// verdictOf says why a summary fails.
func verdictOf(s *fleet.Summary) string {
	if s.Policy.Holds && len(s.Bad) > 0 {
		return fmt.Sprintf("files of results that cannot be read or relied on: %d", len(s.Bad))
	}
	return s.Headline()
}

func summaryWriter(name string) (func(io.Writer, *fleet.Summary) error, error) {
	for _, f := range summaryForms() {
		if f.name == name {
			return f.write, nil
		}
	}
	return nil, usage("--format %s: not one of %s", name, strings.Join(summaryFormats(), ", "))
}

func summaryOptions(c *cli.Context) (fleet.Options, error) {
	opt := fleet.Options{Tool: version(), First: report.First(systems().Abouts()...)}
	demand, err := demanded(c)
	if err != nil {
		return opt, err
	}
	if demand != nil {
		opt.Demand, opt.Holds = demand.Require.String(), holds(demand, c.String("policy") != "")
	}
	if c.String("policy") != "" {
		opt.Demand = "the policy " + filepath.Base(c.String("policy"))
	}
	if path := c.String("since"); path != "" {
		if opt.Since, err = fleet.ReadSummary(path); err != nil {
			return opt, usage("--since: %w", err)
		}
	}
	if name := c.String("list"); name != "" {
		access, err := newAccess(c)
		if err != nil {
			return opt, err
		}
		entries, err := readList(c, name, access, 0)
		if err != nil {
			return opt, err
		}
		opt.List = list.Images(entries)
	}
	return opt, nil
}

// holds says of a report what is demanded and not so. A policy file needs all of the
// report, its verdict alone does not.
func holds(p *policy.Policy, isFile bool) func(string, rebuild.Verdict, check.Status) (string, error) {
	return func(path string, v rebuild.Verdict, closure check.Status) (string, error) {
		if !isFile {
			if p.Require.Holds(v, closure) {
				return "", nil
			}
			return fmt.Sprintf("the verdict is %s, and %s is demanded", v, p.Require), nil
		}
		r, err := readReport(path)
		if err != nil {
			return "", err
		}
		var exit *exitError
		if err := judge(r, p); errors.As(err, &exit) {
			return exit.Error(), nil
		}
		return "", nil
	}
}
