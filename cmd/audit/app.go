package main

import (
	"io"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"
)

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:                   "audit",
		Usage:                  "verify where a container image came from, and whether it can be built again",
		UsageText:              "audit [VERB] [flags] IMAGE",
		Version:                version(),
		Reader:                 stdin,
		Writer:                 stdout,
		ErrWriter:              stderr,
		HideHelpCommand:        false,
		UseShortOptionHandling: false,
		Commands: append(withGuides([]*cli.Command{
			bounded(runCommand()), bounded(inspectCommand()), bounded(provenanceCommand()), bounded(planCommand()),
			bounded(rebuildCommand()), bounded(compareCommand()), bounded(sbomCommand()), reportCommand(), bounded(attestCommand()), bounded(verifyCommand()), keygenCommand(), batchCommand(), policyCommand(), completionCommand(),
		}), topicCommands()...),
		Action:         noVerb,
		OnUsageError:   onUsageError,
		ExitErrHandler: func(*cli.Context, error) {}, // main turns errors into statuses

		DisableSliceFlagSeparator: true, // names of files have commas
	}
}

func noVerb(c *cli.Context) error {
	return usage("no IMAGE given (see audit help)")
}

func onUsageError(c *cli.Context, err error, isSubcommand bool) error {
	return usage("%w (see audit help %s)", err, c.Command.Name)
}

// version returns the version of the module, as the Go linker knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

// flagsFirst orders a command line as the cli package wants it: verb, flags,
// arguments. People write flags before and after the argument; the package
// would silently take the latter for arguments.
func flagsFirst(app *cli.App, args []string) []string {
	valued := valueFlags(app)
	var flags, rest []string
	for i := 1; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		flags = append(flags, arg)
		if valued[strings.TrimLeft(arg, "-")] && i+1 < len(args) {
			i++
			flags = append(flags, args[i])
		}
	}
	return append(args[:1:1], withVerb(app, flags, rest)...)
}

// withVerb puts the verb first; "audit IMAGE" is short for "audit run IMAGE".
func withVerb(app *cli.App, flags, rest []string) []string {
	verb := "run"
	switch {
	case len(rest) == 0 && onlyHelp(flags):
		return flags
	case len(rest) == 0:
		return append([]string{verb}, flags...)
	case rest[0] == "help" || rest[0] == "h":
		return append(rest, flags...)
	case app.Command(rest[0]) != nil:
		verb, rest = rest[0], rest[1:]
	}
	line := append([]string{verb}, flags...)
	return append(append(line, "--"), rest...)
}

// onlyHelp says that nothing but help or the version is asked for.
func onlyHelp(flags []string) bool {
	for _, f := range flags {
		switch f {
		case "-h", "--help", "-v", "--version":
		default:
			return false
		}
	}
	return len(flags) > 0
}

// valueFlags names the flags that take a value.
func valueFlags(app *cli.App) map[string]bool {
	valued := make(map[string]bool)
	for _, command := range app.Commands {
		for _, flag := range command.Flags {
			if _, isBool := flag.(*cli.BoolFlag); isBool {
				continue
			}
			for _, name := range flag.Names() {
				valued[name] = true
			}
		}
	}
	return valued
}

// oneArgument returns the only argument of a verb.
func oneArgument(c *cli.Context, what string) (string, error) {
	if c.Args().Len() != 1 {
		return "", usage("%s takes one %s, not %d (see audit help %s)", c.Command.Name, what, c.Args().Len(), c.Command.Name)
	}
	return c.Args().First(), nil
}
