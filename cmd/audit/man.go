package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// manCommand prints the manual page, made of the definitions of verbs and flags.
func manCommand() *cli.Command {
	return &cli.Command{
		Name:      "man",
		Usage:     "prints the manual page, for man(1): audit man >audit.1",
		ArgsUsage: " ",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("man takes no argument (see audit help man)")
			}
			c.App.Description = strings.ReplaceAll(topicList(), "\n", "\n    ") // stays in lines
			page, err := c.App.ToManWithSection(1)
			if err != nil {
				return fmt.Errorf("making the manual page: %w", err)
			}
			_, err = fmt.Fprint(c.App.Writer, page)
			return err
		},
	}
}
