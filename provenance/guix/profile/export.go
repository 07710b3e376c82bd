package profile

import (
	"fmt"
	"slices"
	"strings"

	"audit/provenance"
	"audit/provenance/guix/scheme"
)

// coding is the first line of every file that is written. Guile looks for the
// word coding in the first 500 bytes of a file before it reads any of it, and
// obeys the first one that it finds, even inside a string: this one is ours.
const coding = ";; -*- coding: utf-8 -*-\n"

// File writes channels.scm for guix time-machine -C. Everything in it but the
// comments is printed from parsed values.
func (l Channels) File() []byte {
	var b strings.Builder
	b.WriteString(coding)
	b.WriteString(";; The channels that the packages of this image come from, read from the profile\n" +
		";; in the image, for 'guix time-machine -C channels.scm'.\n")
	if len(l.Problems) > 0 {
		b.WriteString(";; This is not all that the profile says: the report tells what is missing.\n")
	}
	b.WriteString("\n(list\n")
	for i, c := range l.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		writeOthers(&b, l.others[c.Name])
		b.WriteString("  " + scheme.Pretty(channelCode(c), 2))
	}
	b.WriteString(")\n")
	return []byte(b.String())
}

// writeOthers names the commits that the file cannot use; they were checked to
// be hexadecimal digits and nothing else.
func writeOthers(b *strings.Builder, commits []string) {
	if len(commits) == 0 {
		return
	}
	b.WriteString("  ;; Some packages come from other commits of the channel that follows:\n")
	for _, commit := range commits {
		b.WriteString("  ;;   " + commit + "\n")
	}
}

// channelCode returns the form that makes a channel (Guix 1.5, module (guix
// channels), channel->code).
func channelCode(c provenance.Channel) scheme.Value {
	branch := scheme.Value{Kind: scheme.False}
	if c.Branch != "" {
		branch = scheme.Str(c.Branch)
	}
	code := []scheme.Value{
		scheme.Sym("channel"),
		scheme.ListOf(scheme.Sym("name"), scheme.Quote(scheme.Sym(c.Name))),
		scheme.ListOf(scheme.Sym("url"), scheme.Str(c.URL)),
		scheme.ListOf(scheme.Sym("branch"), branch),
		scheme.ListOf(scheme.Sym("commit"), scheme.Str(c.Commit)),
	}
	if c.Introduction != nil {
		code = append(code, scheme.ListOf(scheme.Sym("introduction"), scheme.ListOf(
			scheme.Sym("make-channel-introduction"),
			scheme.Str(c.Introduction.Commit),
			scheme.ListOf(scheme.Sym("openpgp-fingerprint"), scheme.Str(formatFingerprint(c.Introduction.Fingerprint))))))
	}
	return scheme.ListOf(code...)
}

// formatFingerprint writes 40 hexadecimal digits as OpenPGP programs do: in
// upper case and in groups of four, with a wider gap in the middle.
func formatFingerprint(text string) string {
	digits := strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	if len(digits) != 40 {
		return digits
	}
	var b strings.Builder
	for i := 0; i < len(digits); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		if i == len(digits)/2 {
			b.WriteByte(' ')
		}
		b.WriteString(digits[i : i+4])
	}
	return b.String()
}

// ManifestFile writes manifest.scm for guix pack -m.
func (p *Profile) ManifestFile() []byte {
	var b strings.Builder
	b.WriteString(coding)
	b.WriteString(";; The packages of this image with their exact versions, read from the profile in\n" +
		";; the image, for 'guix pack -m manifest.scm'. Which package a version stands for is\n" +
		";; up to the channels: use it together with channels.scm.\n")
	for _, form := range manifestCode(p.Entries) {
		fmt.Fprintf(&b, "\n%s\n", scheme.Pretty(form, 0))
	}
	return []byte(b.String())
}

// manifestCode returns the forms of a manifest with every version pinned (Guix
// 1.5, module (guix profiles), manifest->code).
func manifestCode(entries []*Entry) []scheme.Value {
	transforms, names := listTransforms(entries)
	list := []scheme.Value{scheme.Sym("list")}
	if len(transforms) == 0 {
		for _, e := range entries {
			list = append(list, scheme.Str(e.Specification()))
		}
		return []scheme.Value{scheme.ListOf(scheme.Sym("specifications->manifest"), scheme.ListOf(list...))}
	}
	forms := []scheme.Value{scheme.ListOf(scheme.Sym("use-modules"), scheme.ListOf(scheme.Sym("guix"), scheme.Sym("transformations")))}
	for _, options := range slices.Backward(transforms) {
		forms = append(forms, scheme.ListOf(scheme.Sym("define"), names[options.String()],
			scheme.ListOf(scheme.Sym("options->transformation"), scheme.Quote(options))))
	}
	for _, e := range entries {
		list = append(list, packageCode(e, names))
	}
	return append(forms, scheme.ListOf(scheme.Sym("packages->manifest"), scheme.ListOf(list...)))
}

// Specification names an entry as the command line does: NAME@VERSION:OUTPUT.
func (e *Entry) Specification() string {
	spec := qualifiedName(e)
	if e.Output != "out" {
		spec += ":" + e.Output
	}
	return spec
}

func qualifiedName(e *Entry) string {
	if e.Version == "" {
		return e.Name
	}
	return e.Name + "@" + e.Version
}

// packageCode returns the form of an entry where some of a profile's entries
// are transformed.
func packageCode(e *Entry, names map[string]scheme.Value) scheme.Value {
	code := scheme.ListOf(scheme.Sym("specification->package"), scheme.Str(qualifiedName(e)))
	if options, ok := e.transformations(); ok {
		code = scheme.ListOf(names[options.String()], code)
	}
	if e.Output != "out" {
		code = scheme.ListOf(scheme.Sym("list"), code, scheme.Str(e.Output))
	}
	return code
}

// transformations returns the package transformations that were asked for.
func (e *Entry) transformations() (scheme.Value, bool) {
	v, ok := e.Property("transformations")
	return v, ok && v.Kind != scheme.False
}

// listTransforms returns the transformations of all entries, each once, and
// the name of the procedure for each, by its printed form.
func listTransforms(entries []*Entry) (transforms []scheme.Value, names map[string]scheme.Value) {
	names = make(map[string]scheme.Value)
	for _, e := range entries {
		options, ok := e.transformations()
		if !ok {
			continue
		}
		if _, known := names[options.String()]; !known {
			transforms = append(transforms, options)
			names[options.String()] = scheme.Sym(fmt.Sprintf("transform%d", len(transforms)))
		}
	}
	return transforms, names
}
