package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"audit/rebuild"
	"audit/report"
)

// configCommand shows the settings of audit run, whose flags it takes.
func configCommand() *cli.Command {
	flags := slices.DeleteFunc(runCommand().Flags, func(f cli.Flag) bool { return f.Names()[0] == "json" })
	return &cli.Command{
		Name:      "config",
		Usage:     "shows what each flag is set to, and by what: the command line, a variable, a file or nothing",
		ArgsUsage: " ",
		Flags:     append(flags, &cli.BoolFlag{Name: "json", Usage: "print it as JSON"}),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("config takes no argument (see audit help config)")
			}
			return putConfig(c)
		},
	}
}

// A shownSetting is a flag as audit config shows it.
type shownSetting struct {
	Name     string   `json:"name"`
	Values   []string `json:"values"`
	From     string   `json:"from"` // "flag", "default", the variable, or the file and its line
	Variable string   `json:"variable"`
}

func putConfig(c *cli.Context) error {
	var all []shownSetting
	for _, f := range c.Command.Flags {
		if name := f.Names()[0]; name != "json" && name != "help" && f.(cli.VisibleFlag).IsVisible() {
			all = append(all, shownOf(c, f))
		}
	}
	if c.Bool("json") {
		text, err := json.MarshalIndent(all, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.App.Writer, "%s\n", text)
		return err
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "FLAG\tVALUE\tFROM\tVARIABLE")
	for _, s := range all {
		fmt.Fprintf(w, "--%s\t%s\t%s\t%s\n", s.Name, report.Printable(strings.Join(s.Values, " ")), report.Printable(s.From), s.Variable)
	}
	return w.Flush()
}

// shownOf is a flag with its value, without what is secret in it.
func shownOf(c *cli.Context, f cli.Flag) shownSetting {
	name := f.Names()[0]
	s := shownSetting{Name: name, From: "default", Variable: envName(name)}
	set, _ := c.App.Metadata[settingsKey].(*presets)
	line, _ := c.App.Metadata[commandLineKey].(commandLine)
	switch from := set.of(c.App.Command("run"), name); {
	case line.asks(f.Names()...):
		s.From = "flag"
	case len(from) > 0:
		s.From = from[0].origin
	}
	if values, ok := c.Value(name).(cli.StringSlice); ok {
		s.Values = values.Value()
	} else if value := fmt.Sprint(c.Value(name)); value != "" {
		s.Values = []string{value}
	}
	secrets, _ := c.App.Metadata[allSecretsKey].(rebuild.Secrets)
	s.Values = masked(s.Values, secrets)
	if s.Values == nil {
		s.Values = []string{}
	}
	return s
}
