package main

import (
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/inspect"
	"audit/rebuild"
)

// The keys in the metadata of the app of what no output may contain.
const (
	secretsKey     = "secrets"
	allSecretsKey  = "all secrets"
	commandLineKey = "command line" // and of the command line
)

// newSecrets are what is secret in a command line: in every address of it, and the
// values of the systems' flags that are marked so.
func newSecrets(args []string) (addresses, all rebuild.Secrets) {
	marked := make(map[string]func(string) []string)
	for _, about := range systems().Abouts() {
		for _, f := range about.Flags {
			if f.Secret != nil {
				marked[f.Name] = f.Secret
			}
		}
	}
	marked["creds"] = func(value string) []string {
		_, password, _ := strings.Cut(value, ":")
		return []string{password}
	}
	var words, values []string
	for i, arg := range args {
		name, value, isOne := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		secret := marked[name]
		switch {
		case !strings.HasPrefix(arg, "-"):
			if i == 0 || marked[strings.TrimLeft(args[i-1], "-")] == nil {
				words = append(words, arg)
			}
			continue
		case !isOne && i+1 < len(args):
			value = args[i+1]
		case isOne && secret == nil:
			words = append(words, value)
		}
		if secret != nil {
			values = append(values, secret(value)...)
		}
	}
	addresses = rebuild.NewSecrets(words)
	return addresses, rebuild.NewSecrets(words, values...)
}

// secretsOf are those of the addresses in the command line of a verb.
func secretsOf(c *cli.Context) rebuild.Secrets {
	s, _ := c.App.Metadata[secretsKey].(rebuild.Secrets)
	return s
}

// hiding is a stream without what is secret; where there is nothing to hide it is the
// stream itself, which may be a terminal.
func hiding(to io.Writer, secrets rebuild.Secrets) io.Writer {
	if secrets.IsZero() {
		return to
	}
	return rebuild.MaskedWriter{To: to, Secrets: secrets}
}

// publicReference is how results name an image: without what is secret in the address
// of a registry.
func publicReference(img *inspect.Image) string {
	if !strings.Contains(img.Reference, "://") {
		return img.Reference
	}
	return rebuild.WithoutSecrets(img.Reference)
}

// publicPlan is a plan whose texts for people have nothing that is secret in what
// the user gave; its details have none of themselves.
func publicPlan(plan rebuild.Plan, secrets rebuild.Secrets) rebuild.Plan {
	plan.Image = secrets.Mask(plan.Image)
	plan.Command = masked(plan.Command, secrets)
	plan.Local = masked(plan.Local, secrets)
	plan.Trust = slices.Clone(plan.Trust)
	for i := range plan.Trust {
		t := &plan.Trust[i]
		t.URL, t.Flag = secrets.Mask(t.URL), secrets.Mask(t.Flag)
		t.Reason.Args = secrets.Args(t.Reason.Args)
	}
	plan.Reasons = slices.Clone(plan.Reasons)
	for i := range plan.Reasons {
		plan.Reasons[i].Args = secrets.Args(plan.Reasons[i].Args)
	}
	return plan
}

func masked(texts []string, secrets rebuild.Secrets) []string {
	texts = slices.Clone(texts)
	for i := range texts {
		texts[i] = secrets.Mask(texts[i])
	}
	return texts
}
