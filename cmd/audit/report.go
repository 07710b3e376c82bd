package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"audit/rebuild"
	"audit/report"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "renders a stored report again",
		ArgsUsage: "REPORT.json",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "`FORMAT`: text, html or json"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output"},
			&cli.StringFlag{Name: "require", Usage: "let the exit status tell whether `POLICY` holds: consistent, equivalent or reproducible"},
		},
		Action: func(c *cli.Context) error {
			path, err := oneArgument(c, "REPORT.json")
			if err != nil {
				return err
			}
			return putReport(c, path)
		},
	}
}

func putReport(c *cli.Context, path string) error {
	write, ok := map[string]func(io.Writer, *report.Report) error{
		"json": report.WriteJSON,
		"html": report.WriteHTML,
		"text": func(w io.Writer, r *report.Report) error { return report.WriteText(w, r, report.TextOptions{}) },
	}[c.String("format")]
	if !ok {
		return usageError{fmt.Errorf("--format %s: not one of text, html and json", c.String("format"))}
	}
	r, err := readReport(path)
	if err != nil {
		return unreadableError{err}
	}
	if err := putOne(c, func(w *bytes.Buffer) error { return write(w, r) }); err != nil {
		return err
	}
	return judgeStored(c.String("require"), r.Verdict)
}

func readReport(path string) (*report.Report, error) {
	if path == "-" {
		return report.ReadJSON(os.Stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := report.ReadJSON(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, nil
}

// judgeStored holds a policy against a stored verdict, when one is given.
func judgeStored(require string, v rebuild.Verdict) error {
	if require == "" {
		return nil
	}
	var policy rebuild.Policy
	if err := policy.UnmarshalText([]byte(require)); err != nil {
		return usageError{fmt.Errorf("--require: %w", err)}
	}
	if !policy.Holds(v) {
		return policyError{policy, v}
	}
	return nil
}
