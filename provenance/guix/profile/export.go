package profile

import (
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
		b.WriteString(";; This is not all that the profile says: the report lists what is missing.\n")
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
