package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"audit/inspect/userfile"
	"audit/rebuild"
	"audit/rebuild/policy"
	"audit/report"
)

func policyCommand() *cli.Command {
	return &cli.Command{
		Name:      "policy",
		Usage:     "checks a file that says what is demanded of images",
		ArgsUsage: "check FILE",
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 2 || c.Args().First() != "check" {
				return usage("audit policy check FILE is what there is (see audit help policy)")
			}
			_, err := readPolicy(c.Args().Get(1))
			return err
		},
	}
}

// demandFlags say what the exit status is about.
func demandFlags(require string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "require", Value: require, Usage: "`POLICY` that decides the exit status: " + strings.Join(policyNames(), ", ")},
		&cli.StringFlag{Name: "policy", Usage: "demand what `FILE` says: statuses of checks, findings that are refused, documented differences that are allowed"},
		&cli.StringFlag{Name: "allow", Hidden: true, Action: func(*cli.Context, string) error {
			return usage("--allow is gone: documented differences stand in a policy file, under allow (--policy FILE)")
		}},
	}
}

// policyNames are the values that --require takes.
func policyNames() []string {
	var names []string
	for _, p := range rebuild.Policies() {
		names = append(names, p.String())
	}
	return names
}

// demanded is what --require and --policy demand of an image; nil when nothing is.
func demanded(c *cli.Context) (*policy.Policy, error) {
	var p policy.Policy
	if path := c.String("policy"); path != "" {
		var err error
		if p, err = readPolicy(path); err != nil {
			return nil, err
		}
	}
	switch require := c.String("require"); {
	case c.IsSet("policy") && !c.IsSet("require"): // the file says it
	case require == "":
		return nil, nil
	default:
		var least rebuild.Policy
		if err := least.UnmarshalText([]byte(require)); err != nil {
			return nil, oneOf("require", require, policyNames())
		}
		p.Require = max(p.Require, least)
	}
	return &p, nil
}

func readPolicy(path string) (policy.Policy, error) {
	f, err := userfile.Open(path)
	if err != nil {
		return policy.Policy{}, usage("--policy: %w", named(path, err))
	}
	defer f.Close()
	p, err := policy.Read(f, time.Now())
	if err != nil {
		return p, usage("%s: %w", path, err)
	}
	return p, nil
}

// judge compares a report with what is demanded, and notes in it what came out.
// The error says what is not as demanded, the first thing by its name.
func judge(r *report.Report, p *policy.Policy) error {
	if p == nil {
		r.Policy = report.Policy{Holds: true}
		return nil
	}
	j := p.Judge(r.Facts(), time.Now())
	r.SetPolicy(*p, j)
	if len(j.Violations) == 0 {
		return nil
	}
	first := j.Violations[0]
	text := sentences().Text(first.Message)
	if first.Rule == "require" {
		text = fmt.Sprintf("the verdict is %s, and --require %s does not hold", r.Verdict, p.Require)
	}
	if first.Path != "" {
		text += ": " + first.Path
	}
	if more := len(j.Violations) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return notHeld("%s", text)
}
