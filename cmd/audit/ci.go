package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/report"
)

// gates are the files with which a CI service runs audit as a gate.
//
//go:embed ci
var gates embed.FS

// A gate is what one service takes. The first of its files is the one that is printed.
type gate struct {
	service string
	files   []gateFile
}

// A gateFile is a file of a repository, and the one here that it is made of.
type gateFile struct{ to, from string }

func allGates() []gate {
	return []gate{
		{"github", []gateFile{{".github/workflows/audit.yml", "ci/github/workflow.yml"}, {".github/actions/audit/action.yml", "ci/github/action.yml"}}},
		{"gitlab", []gateFile{{"templates/audit.yml", "ci/gitlab/component.yml"}, {".gitlab-ci.yml", "ci/gitlab/pipeline.yml"}}},
	}
}

func gateServices() (names []string) {
	for _, g := range allGates() {
		names = append(names, g.service)
	}
	return names
}

func ciCommand() *cli.Command {
	return &cli.Command{
		Name:      "ci",
		Usage:     "prints the files with which a CI service runs audit as a gate",
		ArgsUsage: strings.Join(gateServices(), " | "),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write all of them into the repository in `DIR`, where they belong; none that is there and is another is replaced"},
		},
		Action: func(c *cli.Context) error {
			service, err := oneArgument(c, "service")
			if err != nil {
				return err
			}
			i := slices.Index(gateServices(), service)
			if i < 0 {
				return usage("ci %s: not one of %s%s", service, strings.Join(gateServices(), " and "), meant(service, gateServices()))
			}
			return putGate(c, allGates()[i])
		},
	}
}

func putGate(c *cli.Context, g gate) error {
	dir := c.String("output")
	if dir == "" {
		_, err := c.App.Writer.Write(g.files[0].text())
		return err
	}
	for _, f := range g.files {
		there, err := os.ReadFile(filepath.Join(dir, f.to))
		if err == nil && string(there) != string(f.text()) {
			return usage("%s is there and is another: take it away, or put together what you want of both (audit ci %s prints it)", filepath.Join(dir, f.to), g.service)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, f := range g.files {
		path := filepath.Join(dir, f.to)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := saveFile(path, f.text()); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(c.App.Writer, report.Printable(path)); err != nil {
			return err
		}
	}
	return nil
}

func (f gateFile) text() []byte {
	text, err := gates.ReadFile(f.from)
	if err != nil {
		panic(err) // it is part of the program
	}
	return text
}
