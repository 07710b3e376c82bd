package main

import (
	"embed"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/rebuild"
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

// title is the first line of a page.
func (p topic) title() string {
	title, _, _ := strings.Cut(p.text, "\n")
	return strings.TrimPrefix(title, "# ")
}

// write prints the page: that about findings with the groups of their codes, or what is
// known of one code.
func (p topic) write(w io.Writer, code string) error {
	if code != "" && p.name == findingsTopic {
		return explainCode(w, code)
	}
	if code != "" {
		return usage("%s is a page, and takes no argument (see audit help)", p.name)
	}
	_, err := io.WriteString(w, p.text)
	if err == nil && p.name == findingsTopic {
		err = writeFindings(w)
	}
	return err
}

// topicList names the pages, one a line.
func topicList() string {
	var b strings.Builder
	b.WriteString("Begin with audit IMAGE, or with audit help start.\n\nPages, audit help TOPIC; of a finding, audit help CODE:\n")
	for _, p := range topics() {
		fmt.Fprintf(&b, "\n%-11s  %s", p.name, p.title())
	}
	return b.String()
}

// isTopic says that a command is the page of a name.
func isTopic(name string) bool {
	return slices.ContainsFunc(topics(), func(p topic) bool { return p.name == name })
}

// aliases are other words that audit help has a page for: that about checks explains the
// verdicts.
func (p topic) aliases() (words []string) {
	if p.name != "checks" {
		return nil
	}
	for v := rebuild.Unverified; v <= rebuild.Contradicted; v++ {
		words = append(words, v.String())
	}
	return words
}

// topicCommands make audit help TOPIC print the pages.
func topicCommands() (commands []*cli.Command) {
	for _, p := range topics() {
		commands = append(commands, &cli.Command{
			Name: p.name, Aliases: p.aliases(), Hidden: true, Description: p.text, CustomHelpTemplate: "{{.Description}}",
			Action: func(c *cli.Context) error { return p.write(c.App.Writer, c.Args().First()) },
		})
	}
	return commands
}
