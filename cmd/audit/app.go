package main

import (
	"io"

	"github.com/urfave/cli/v2"
)

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:                   "audit",
		Usage:                  "verify where a container image came from, and whether it can be built again",
		UsageText:              "audit [VERB] [flags] IMAGE",
		Description:            topicList(),
		HideVersion:            true, // audit version says it
		Reader:                 stdin,
		Writer:                 stdout,
		ErrWriter:              stderr,
		HideHelpCommand:        false,
		UseShortOptionHandling: false,
		Commands: append(withSettings(withGuides([]*cli.Command{
			bounded(runCommand()), bounded(inspectCommand()), bounded(provenanceCommand()), bounded(planCommand()),
			bounded(rebuildCommand()), bounded(compareCommand()), bounded(sbomCommand()), reportCommand(), bounded(attestCommand()), bounded(verifyCommand()),
			keygenCommand(), batchCommand(), summaryCommand(), policyCommand(), ciCommand(),
			configCommand(), completionCommand(), manCommand(), versionCommand(),
		})), topicCommands()...),
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
	return usage("%w (see audit help %s)", err, c.Command.Name) // such as a number that is none
}

// oneArgument returns the only argument of a verb.
func oneArgument(c *cli.Context, what string) (string, error) {
	if !c.Args().Present() {
		return "", usage("no %s given (see audit help %s)", what, c.Command.Name)
	}
	if c.Args().Len() != 1 {
		return "", usage("%s takes one %s, not %d (see audit help %s)", c.Command.Name, what, c.Args().Len(), c.Command.Name)
	}
	return c.Args().First(), nil
}
