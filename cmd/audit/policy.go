package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"audit/inspect/check"
	"audit/inspect/userfile"
	"audit/rebuild"
	"audit/rebuild/policy"
	"audit/report"
)

func policyCommand() *cli.Command {
	return &cli.Command{
		Name:      "policy",
		Usage:     "checks a file that says what is demanded of images, or prints one that is ready",
		ArgsUsage: "check FILE | show [NAME] | schema",
		Action: func(c *cli.Context) error {
			word, argument, n := c.Args().First(), c.Args().Get(1), c.Args().Len()
			switch {
			case word == "check" && n == 2:
				return checkPolicy(c, argument)
			case word == "show" && n <= 2:
				return showPolicy(c, argument)
			case word == "schema" && n == 1:
				_, err := c.App.Writer.Write(policy.Schema())
				return err
			}
			return usage("policy takes check FILE, show [NAME] or schema%s (see audit help policy)", meant(word, []string{"check", "show", "schema"}))
		},
	}
}

// checkPolicy reads a policy, and names what it allows no more.
func checkPolicy(c *cli.Context, path string) error {
	p, err := readPolicy(path)
	if err != nil {
		return err
	}
	for i, a := range p.Allow {
		if a.Expired(time.Now()) {
			fmt.Fprintf(c.App.ErrWriter, "audit: %s: allow[%d] has expired on %s, and allows nothing\n", path, i, a.Expires)
		}
	}
	return nil
}

// showPolicy prints a ready policy, or what there is.
func showPolicy(c *cli.Context, name string) error {
	if name == "" {
		for _, r := range policy.AllReady() {
			if _, err := fmt.Fprintf(c.App.Writer, "%-10s %s\n", r.Name, r.About); err != nil {
				return err
			}
		}
		return nil
	}
	text := policy.ReadyText(strings.TrimPrefix(name, policy.ReadyPrefix))
	if text == nil {
		return usage("there is no ready policy %q%s (see audit policy show)", name, meant(name, readyNames()))
	}
	_, err := c.App.Writer.Write(text)
	return err
}

func readyNames() (names []string) {
	for _, r := range policy.AllReady() {
		names = append(names, r.Name)
	}
	return names
}

// demandFlags say what the exit status is about.
func demandFlags(require string) []cli.Flag {
	return grouped(helpDemands, []cli.Flag{
		&cli.StringFlag{Name: "require", Value: require, Usage: "`POLICY` that decides the exit status: " + strings.Join(policyNames(), ", ")},
		&cli.StringFlag{Name: "policy", Usage: "demand what `FILE` says, or a ready policy builtin:NAME (audit policy show): statuses of checks, findings that are refused, documented differences that are allowed"},
		&cli.StringFlag{Name: "allow", Hidden: true, Action: func(*cli.Context, string) error {
			return usage("--allow is gone: documented differences stand in a policy file, under allow (--policy FILE)")
		}},
	})
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
	if c.IsSet("policy") {
		var err error
		if p, err = readPolicy(c.String("policy")); err != nil {
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

// readPolicy reads a file, or builtin:NAME. A bare name is always that of a file.
func readPolicy(path string) (policy.Policy, error) {
	if path == "" { // as of a variable that is not set
		return policy.Policy{}, usage("--policy: the name of the file is empty")
	}
	if name, ok := strings.CutPrefix(path, policy.ReadyPrefix); ok {
		p, err := policy.ReadReady(name, time.Now(), findingCodes())
		if err != nil {
			return p, usage("--policy: %w%s", err, meant(name, readyNames()))
		}
		return p, nil
	}
	f, err := userfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) && slices.Contains(readyNames(), path) {
		return policy.Policy{}, usage("--policy: there is no file %s; the ready policy is %s%s", path, policy.ReadyPrefix, path)
	}
	if err != nil {
		return policy.Policy{}, usage("--policy: %w", named(path, err))
	}
	defer f.Close()
	p, err := policy.Read(f, time.Now(), findingCodes())
	p.Name = filepath.Base(path)
	var unknown *policy.UnknownError
	switch {
	case errors.As(err, &unknown):
		return p, usage("%s: %w%s", path, err, meant(unknown.Word, unknown.Known))
	case err != nil:
		return p, usage("%s: %w", path, err)
	}
	return p, nil
}

// findingCodes are the codes that findings of checks can have, sorted.
func findingCodes() []string {
	groups := []string{"packages", "records"} // of package databases, which the check closure reads
	for _, id := range check.IDs() {
		groups = append(groups, string(id))
	}
	return slices.DeleteFunc(codesOf(sentences(), ""), func(code string) bool {
		group, _, _ := strings.Cut(code, "/")
		return !slices.Contains(groups, group)
	})
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
	first := r.Policy.Violations[0]
	if p.Name == "" {
		text := fmt.Sprintf("the verdict is %s, and %s does not hold", r.Verdict, r.Policy.Title())
		if first.Path != "" {
			text += ": " + first.Path
		}
		return &exitError{status: exitPolicy, err: errors.New(text)}
	}
	broken := r.Broken()
	var rules []string
	for _, b := range broken[:min(len(broken), shownRules)] {
		rules = append(rules, b.Text)
	}
	if rest := len(broken) - len(rules); rest > 0 {
		rules = append(rules, fmt.Sprintf("and %d more", rest))
	}
	// Who wrote the policy may be somebody else.
	return &exitError{
		status: exitPolicy, err: fmt.Errorf("the policy %s does not hold: %s", p.Name, strings.Join(rules, "; ")),
		hint: "what to do: " + broken[0].ToDo,
	}
}

// shownRules are how many broken rules of a policy an error names.
const shownRules = 8
