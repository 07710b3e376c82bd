package profile

import (
	"fmt"
	"strings"

	"audit/provenance/guix/scheme"
)

// Losses says what a profile holds, or should hold, that channels.scm and
// manifest.scm cannot say: a sentence for each thing, with the packages.
func (p *Profile) Losses() []string {
	var lost lossList
	seen := make(map[[4]string]bool)
	for _, e := range p.Entries {
		lost.entry(e)
		// (Guix 1.5, module (guix profiles), packages->manifest)
		if same := [4]string{e.Name, e.Version, e.Output, e.Path}; seen[same] {
			lost.add(e, "a manifest has each package once, and the profile, put together from several manifests, has another time")
		} else {
			seen[same] = true
		}
	}
	var sentences []string
	for _, why := range lost.order {
		packages := lost.packages[why]
		if why == noProvenance && len(packages) == len(p.Entries) {
			sentences = append(sentences, "no package has its provenance recorded (the pack was made without --save-provenance): the channels are not known")
			continue
		}
		sentences = append(sentences, why+": "+strings.Join(packages, ", "))
	}
	return sentences
}

const noProvenance = "no provenance is recorded of these packages, and nothing says that the channels of the others have them"

// A lossList gathers packages by what is lost of them.
type lossList struct {
	order    []string
	packages map[string][]string
}

func (l *lossList) add(e *Entry, why string) {
	if l.packages == nil {
		l.packages = make(map[string][]string)
	}
	if l.packages[why] == nil {
		l.order = append(l.order, why)
	}
	l.packages[why] = append(l.packages[why], scheme.Str(e.Name).Brief())
}

func (l *lossList) entry(e *Entry) {
	if e.Name == "" || strings.ContainsAny(e.Name, "@:") || strings.ContainsAny(e.Version, "@:") || e.Output == "" || strings.Contains(e.Output, ":") {
		l.add(e, "the names of these packages read as something else when they are written NAME@VERSION:OUTPUT")
	}
	if _, ok := e.Property("provenance"); !ok {
		l.add(e, noProvenance)
	}
	for _, p := range e.Properties {
		switch p.Name {
		case "provenance":
		case "transformations":
			l.transformations(e, p.Value)
		case "source":
			l.add(e, "these entries are channels that guix pull installed, and no packages")
		default:
			l.add(e, fmt.Sprintf("manifest.scm cannot carry the property %s, which the profile has of", scheme.Sym(p.Name).Brief()))
		}
	}
}

// moving are transformations whose result depends on the day, and local ones
// on files of the machine.
var (
	moving = map[string]bool{"with-latest": true, "with-branch": true, "with-git-url": true}
	local  = map[string]bool{"with-source": true, "with-patch": true}
)

func (l *lossList) transformations(e *Entry, options scheme.Value) {
	if options.Kind == scheme.False {
		return
	}
	if !options.IsList() {
		l.add(e, "the transformations of these packages are no list")
		return
	}
	for _, o := range options.Items {
		if o.Kind != scheme.List || len(o.Items) != 1 || o.Items[0].Kind != scheme.Symbol || o.Tail == nil {
			l.add(e, "the transformations of these packages are not of the form (OPTION . VALUE)")
			return
		}
		option := scheme.Str("--" + o.Items[0].Text + "=" + o.Tail.Text).Brief()
		switch name := o.Items[0].Text; {
		case moving[name]:
			l.add(e, "what the transformation "+option+" gives depends on when it is applied; it was applied to")
		case local[name] && !strings.Contains(o.Tail.Text, "://"):
			l.add(e, "the transformation "+option+" needs a file that the image does not hold; it was applied to")
		}
	}
}
