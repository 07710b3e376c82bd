package profile

import (
	"strings"

	"audit/inspect/check"
	"audit/provenance/guix/scheme"
)

// Losses says what a profile has, or should have, that channels.scm and
// manifest.scm cannot say: a message for each thing, with the packages.
func (p *Profile) Losses() []check.Message {
	var lost lossList
	seen := make(map[[4]string]bool)
	for _, e := range p.Entries {
		lost.entry(e)
		// (Guix 1.5, module (guix profiles), packages->manifest)
		if same := [4]string{e.Name, e.Version, e.Output, e.Path}; seen[same] {
			lost.add(e, loss{code: "recipe/package-twice"})
		} else {
			seen[same] = true
		}
	}
	var messages []check.Message
	for _, what := range lost.order {
		packages := lost.packages[what]
		if what.code == noProvenance && len(packages) == len(p.Entries) {
			messages = append(messages, check.Say("recipe/no-provenance"))
			continue
		}
		args := []any{"packages", packages}
		if what.value != "" {
			args = append(args, what.argument, what.value)
		}
		messages = append(messages, check.Say(what.code, args...))
	}
	return messages
}

const noProvenance = "recipe/packages-without-provenance"

// A loss is something that is lost, with the one argument that it may have.
type loss struct{ code, argument, value string }

// A lossList gathers packages by what is lost of them.
type lossList struct {
	order    []loss
	packages map[loss][]string
}

func (l *lossList) add(e *Entry, what loss) {
	if l.packages == nil {
		l.packages = make(map[loss][]string)
	}
	if l.packages[what] == nil {
		l.order = append(l.order, what)
	}
	l.packages[what] = append(l.packages[what], scheme.Str(e.Name).Brief())
}

func (l *lossList) entry(e *Entry) {
	if e.Name == "" || strings.ContainsAny(e.Name, "@:") || strings.ContainsAny(e.Version, "@:") || e.Output == "" || strings.Contains(e.Output, ":") {
		l.add(e, loss{code: "recipe/ambiguous-specification"})
	}
	if _, ok := e.Property("provenance"); !ok {
		l.add(e, loss{code: noProvenance})
	}
	for _, p := range e.Properties {
		switch p.Name {
		case "provenance":
		case "transformations":
			l.transformations(e)
		case "source":
			l.add(e, loss{code: "recipe/installed-channels"})
		default:
			l.add(e, loss{"recipe/property-lost", "property", scheme.Sym(p.Name).Brief()})
		}
	}
}

// moving are transformations whose result depends on the day, and local ones
// on files of the machine.
var (
	moving = map[string]bool{"with-latest": true, "with-branch": true, "with-git-url": true}
	local  = map[string]bool{"with-source": true, "with-patch": true}
)

func (l *lossList) transformations(e *Entry) {
	options, err := e.Transformations()
	if err != nil {
		l.add(e, loss{code: "recipe/bad-transformations"})
	}
	for _, o := range options {
		option := scheme.Str("--" + o.Option + "=" + o.Value).Brief()
		switch {
		case moving[o.Option]:
			l.add(e, loss{"recipe/moving-transformation", "option", option})
		case local[o.Option] && !strings.Contains(o.Value, "://"):
			l.add(e, loss{"recipe/local-transformation", "option", option})
		}
	}
}
