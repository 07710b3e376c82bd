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
			_, err = fmt.Fprint(c.App.Writer, manPage(page, c.App.UsageText))
			return err
		},
	}
}

// manPage puts the usage into the synopsis, where the cli package has its flag of help
// alone, and what man-pages(7) has at the end of a page of a program.
func manPage(page, synopsis string) string {
	head, rest, _ := strings.Cut(page, ".SH SYNOPSIS\n")
	_, rest, _ = strings.Cut(rest, ".SH DESCRIPTION\n")
	return head + ".SH SYNOPSIS\n" + synopsis + "\n\n.SH DESCRIPTION\n" + strings.TrimRight(rest, "\n") + "\n" + manEnd
}

const manEnd = `
.SH EXIT STATUS
.TP
0
the policy holds
.TP
1
audited, and the policy does not hold
.TP
2
the command line is wrong
.TP
3
the image cannot be read
.TP
4
a rebuild was demanded and could not be done
.TP
5
the results could not be written
.TP
75
audit batch was told to stop, or another try may do what is missing
.SH ENVIRONMENT
Each flag has a variable: AUDIT_REQUIRE is that of --require. audit config shows what each is
set to, and by what. NO_COLOR and TERM=dumb turn colours off; HTTPS_PROXY, HTTP_PROXY and
NO_PROXY name proxies; SOURCE_DATE_EPOCH dates what is written.
.SH FILES
.TP
\&.audit.conf
in the working folder: format, quiet and verbose, and nothing else
.SH SEE ALSO
audit help VERB has examples, audit help TOPIC pages, audit help CODE explains a finding.
`
