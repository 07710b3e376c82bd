package main

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/urfave/cli/v2"
)

// docs are the pages of audit help TOPIC: each is about what one kind of person does.
//
//go:embed docs/*.md
var docs embed.FS

// A topic is what one of them is about.
type topic struct{ name, text string }

// topics are all of them, sorted by name.
func topics() []topic {
	entries, err := docs.ReadDir("docs")
	if err != nil {
		panic(err) // they are part of the program
	}
	var all []topic
	for _, e := range entries {
		text, err := docs.ReadFile(path.Join("docs", e.Name()))
		if err != nil {
			panic(err)
		}
		all = append(all, topic{strings.TrimSuffix(e.Name(), ".md"), string(text)})
	}
	return all
}

// topicCommands make audit help TOPIC print the pages.
func topicCommands() (commands []*cli.Command) {
	for _, p := range topics() {
		commands = append(commands, &cli.Command{
			Name: p.name, Hidden: true, Description: p.text, CustomHelpTemplate: "{{.Description}}",
			Action: func(c *cli.Context) error {
				_, err := fmt.Fprint(c.App.Writer, p.text)
				return err
			},
		})
	}
	return commands
}
