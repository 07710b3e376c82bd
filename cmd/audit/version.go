package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"
)

// release is the version that a package of audit is made as, where it is built from
// sources without their history: go build -ldflags "-X main.release=v1.2.3".
var release string

// A program is what is known of this program.
type program struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"` // of the commit, RFC 3339
	Modified bool   `json:"modified"`       // built from more than the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:      "version",
		Usage:     "says which audit this is: its version, commit, Go and platform",
		ArgsUsage: " ",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print it as JSON"}},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("version takes no argument (see audit help version)")
			}
			info, _ := debug.ReadBuildInfo()
			return newProgram(info).put(c)
		},
	}
}

func (b program) put(c *cli.Context) error {
	if c.Bool("json") {
		text, err := json.MarshalIndent(b, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.App.Writer, "%s\n", text)
		return err
	}
	_, err := fmt.Fprintf(c.App.Writer, "audit %s\ncommit %s\ngo %s\nplatform %s\n", b.Version, b.commit(), b.Go, b.Platform)
	return err
}

func (b program) commit() string {
	text := cmp.Or(b.Commit, "unknown")
	if b.Date != "" {
		text += " of " + b.Date
	}
	if b.Modified {
		text += ", modified"
	}
	return text
}

// newProgram reads what the Go linker wrote into a program; info may be nil.
func newProgram(info *debug.BuildInfo) program {
	b := program{Version: release, Go: strings.TrimPrefix(runtime.Version(), "go"), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		b.Version = cmp.Or(b.Version, "devel")
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	switch stamped := info.Main.Version; {
	case b.Version != "":
	case stamped != "" && stamped != "(devel)":
		b.Version = stamped
	case b.Commit != "":
		b.Version = "devel-" + b.Commit[:min(len(b.Commit), 12)]
		if b.Modified {
			b.Version += "+dirty"
		}
	default:
		b.Version = "devel"
	}
	return b
}

// version is the version of this program, "devel" when nothing is known of it.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return newProgram(info).Version
}
