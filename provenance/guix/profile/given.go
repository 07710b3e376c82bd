package profile

import (
	"strings"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/scheme"
)

// A Given is a channels.scm or manifest.scm by somebody else, as far as it can be read
// as data: both are programs, and only forms of the usual shape are understood.
type Given struct {
	Channels []provenance.Channel // those with a literal name, of which other fields may be ""
	Packages []Package            // of literal specifications; the version may be the beginning of one
	Whole    bool                 // of a manifest: it is nothing but a list of such specifications
}

// ReadGiven reads what can be read of a channels.scm or manifest.scm without running
// it. A text that is no Scheme gives nothing: Guix will say what is wrong with it.
func ReadGiven(text []byte) Given {
	forms, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil {
		return Given{}
	}
	var g Given
	for _, form := range forms {
		g.channels(form)
	}
	if len(forms) > 0 {
		g.specifications(forms[len(forms)-1])
	}
	return g
}

// channels takes every form (channel (name 'NAME) …) at any depth, which the parser
// bounds.
func (g *Given) channels(v scheme.Value) {
	if v.Kind != scheme.List {
		return
	}
	if len(v.Items) > 1 && v.Items[0].IsSymbol("channel") {
		if c := givenChannel(v.Items[1:]); c.Name != "" {
			g.Channels = append(g.Channels, c)
		}
		return
	}
	for _, item := range v.Items {
		g.channels(item)
	}
}

func givenChannel(fields []scheme.Value) (c provenance.Channel) {
	for _, field := range fields {
		if !field.IsList() || len(field.Items) != 2 {
			continue
		}
		value := field.Items[1]
		if isForm(value, "quote", 2) {
			value = value.Items[1]
		}
		switch {
		case field.Items[0].IsSymbol("name") && value.Kind == scheme.Symbol:
			c.Name = value.Text
		case value.Kind != scheme.String:
		case field.Items[0].IsSymbol("url"):
			c.URL = value.Text
		case field.Items[0].IsSymbol("branch"):
			c.Branch = value.Text
		case field.Items[0].IsSymbol("commit"):
			c.Commit = value.Text
		}
	}
	return c
}

// specifications takes (specifications->manifest (list "NAME" …)), the form that most
// manifests have and guix package --export-manifest writes.
func (g *Given) specifications(v scheme.Value) {
	if !isForm(v, "specifications->manifest", 2) {
		return
	}
	list := v.Items[1]
	switch {
	case isForm(list, "quote", 2) && list.Items[1].IsList():
		list = list.Items[1]
	case list.IsList() && len(list.Items) > 0 && list.Items[0].IsSymbol("list"):
		list = scheme.ListOf(list.Items[1:]...)
	default:
		return
	}
	for _, item := range list.Items {
		if item.Kind != scheme.String {
			return
		}
		g.Packages = append(g.Packages, parseSpecification(item.Text))
	}
	g.Whole = true
}

// parseSpecification reads NAME@VERSION:OUTPUT (Guix 1.5, module (guix ui),
// package-specification->name+version+output).
func parseSpecification(text string) Package {
	p := Package{Output: "out"}
	if name, output, ok := cutLast(text, ":"); ok {
		text, p.Output = name, output
	}
	p.Name = text
	if name, version, ok := cutLast(text, "@"); ok {
		p.Name, p.Version = name, version
	}
	return p
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// Against compares what was given with what an image itself records, and says what is
// not the same: commits of channels, and packages with their versions. It says nothing
// of what it could not read.
func (g Given) Against(channels []provenance.Channel, packages Manifest) (differs []check.Message) {
	for _, c := range g.Channels {
		for _, own := range channels {
			if own.Name == c.Name && c.Commit != "" && own.Commit != c.Commit {
				differs = append(differs, check.Say("derivation/given-commit-differs", "channel", c.Name, "given", c.Commit, "recorded", own.Commit))
			}
		}
	}
	if !g.Whole {
		return differs
	}
	wanted := make(map[[2]string][]Package)
	for _, p := range g.Packages {
		key := [2]string{p.Name, p.Output}
		wanted[key] = append(wanted[key], p)
	}
	has := make(map[[2]string]bool)
	for _, own := range packages {
		key := [2]string{own.Name, own.Output}
		has[key] = true
		switch named := wanted[key]; {
		case len(named) == 0:
			differs = append(differs, check.Say("derivation/given-lacks-package", "package", own.Specification()))
		case !anyFits(named, own.Version):
			differs = append(differs, check.Say("derivation/given-version-differs", "package", own.Specification(), "given", named[0].Specification()))
		}
	}
	for _, p := range g.Packages {
		if !has[[2]string{p.Name, p.Output}] {
			differs = append(differs, check.Say("derivation/given-has-package", "package", p.Specification()))
		}
	}
	return differs
}

// anyFits says whether a version is one that a specification stands for: the version
// that it names, one that begins with that and a dot or hyphen, or any.
func anyFits(named []Package, version string) bool {
	for _, p := range named {
		rest, ok := strings.CutPrefix(version, p.Version)
		if p.Version == "" || ok && (rest == "" || rest[0] == '.' || rest[0] == '-') {
			return true
		}
	}
	return false
}
