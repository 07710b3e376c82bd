package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"audit/inspect/userfile"
	"audit/report"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "renders a stored report again",
		ArgsUsage: "REPORT.json",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "format", Value: textFormat, Usage: "write as `FORMAT`: " + report.FormatNames()},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output"},
		}, demandFlags("")...),
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
	format, err := formatOf(c)
	if err != nil {
		return err
	}
	demand, err := demanded(c)
	if err != nil {
		return err
	}
	r, err := readReport(path)
	if err != nil {
		return unreadable(err)
	}
	var failed error
	if demand != nil {
		failed = judge(r, demand)
	}
	if c.Bool("quiet") && format.Name == textFormat && c.String("output") == "" {
		return failed
	}
	write := format.Write
	if format.Name == textFormat {
		write = func(w io.Writer, r *report.Report) error {
			return report.WriteText(w, r, textOptions(c, w, ""))
		}
	}
	if err := putOne(c, func(w *bytes.Buffer) error { return write(w, r) }); err != nil {
		return err
	}
	return failed
}

// textFormat is the format that people get when they ask for none.
const textFormat = "text"

// formatOf is the format that --format, or --json for short, asks for.
func formatOf(c *cli.Context) (report.Format, error) {
	name := c.String("format")
	switch {
	case c.Bool("json") && name != "" && name != "json":
		return report.Format{}, usage("--json and --format %s: choose one", name)
	case c.Bool("json"):
		name = "json"
	case name == "":
		name = textFormat
	}
	format, ok := report.FormatNamed(name)
	if !ok {
		return format, oneOf("format", name, choices("report", "format"))
	}
	return format, nil
}

func readReport(path string) (*report.Report, error) {
	if path == "-" {
		return report.ReadJSON(os.Stdin, systems().Abouts()...)
	}
	f, err := userfile.Open(path)
	if inside := filepath.Join(path, "report.json"); isFolder(path) && exists(inside) {
		return nil, fmt.Errorf("%s is a folder, nearest is %s", path, inside)
	}
	if err != nil {
		return nil, named(path, err)
	}
	defer f.Close()
	r, err := report.ReadJSON(f, systems().Abouts()...)
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return nil, fmt.Errorf("%s is no report: what audit wrote as report.json is one", path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, nil
}
