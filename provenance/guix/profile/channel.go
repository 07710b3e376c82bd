package profile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/scheme"
)

// origins returns the channels that the entry says it comes from, as Guix
// understands them (Guix 1.5, module (guix describe), manifest-entry-provenance):
// first the channel guix, then the one that defines the package. What is not as
// it should be goes to the problems, each with its place in the file where, and
// never into a channel.
func (e *Entry) origins(where string) (channels []provenance.Channel, problems []check.Message) {
	value, ok := e.Property("provenance")
	if !ok {
		return nil, nil
	}
	note := func(v scheme.Value, err error) {
		problems = append(problems, sayAt(where, v.Pos, "recipe/bad-provenance", "package", scheme.Str(e.Name).Brief(), "error", err))
	}
	if !value.IsList() || len(value.Items) == 0 {
		note(value, errors.New("a list of repositories belongs here"))
		return nil, problems
	}
	extras := 0
	for i, v := range value.Items {
		fallback := "guix"
		if i > 0 {
			fallback = fmt.Sprintf("channel%d", extras+1)
		}
		channel, err := readChannel(v, fallback)
		if err != nil {
			note(v, err)
		} else {
			channels = append(channels, channel)
		}
		switch isMisshapen := errors.Is(err, errNoRepository); {
		case isMisshapen && i == 0:
			return nil, problems
		case !isMisshapen && i > 0:
			extras++
		}
	}
	return channels, problems
}

// errNoRepository is what Guix passes over in silence: a form that does not
// begin as a repository does.
var errNoRepository = errors.New("(repository (version 0) (url …) (branch …) (commit …) …) belongs here, in that order")

// isRepository says whether v begins with the fields that Guix demands, in the
// order that it demands.
func isRepository(v scheme.Value) bool {
	if !v.IsList() || len(v.Items) < 5 || !v.Items[0].IsSymbol("repository") {
		return false
	}
	for i, name := range []string{"version", "url", "branch", "commit"} {
		if !isForm(v.Items[i+1], name, 2) {
			return false
		}
	}
	return isZero(v.Items[1].Items[1])
}

func isZero(v scheme.Value) bool { return v.Kind == scheme.Number && v.Text == "0" }

// readChannel makes a channel of a repository form. Without a name it gets the
// fallback, as Guix does it.
func readChannel(v scheme.Value, fallback string) (provenance.Channel, error) {
	if !isRepository(v) {
		return provenance.Channel{}, errNoRepository
	}
	c := provenance.Channel{Name: fallback}
	url, branch, commit := v.Items[2].Items[1], v.Items[3].Items[1], v.Items[4].Items[1]
	switch {
	case !isText(url) || url.Text == "":
		return c, fmt.Errorf("the address %s is no string without control characters", url.Brief())
	case branch.Kind != scheme.False && (!isText(branch) || branch.Text == ""):
		return c, fmt.Errorf("the branch %s is no string without control characters", branch.Brief())
	case commit.Kind != scheme.String || !isCommit(commit.Text):
		return c, fmt.Errorf("the commit %s has not 40 hexadecimal digits", commit.Brief())
	}
	c.URL, c.Branch, c.Commit = url.Text, branch.Text, commit.Text
	for _, field := range v.Items[5:] {
		if err := readOption(&c, field); err != nil {
			return c, err
		}
	}
	return c, nil
}

// readOption reads a field that a repository may have or not.
func readOption(c *provenance.Channel, field scheme.Value) error {
	if isForm(field, "name", 2) && field.Items[1].Kind == scheme.Symbol && field.Items[1].Text != "" {
		c.Name = field.Items[1].Text
		return nil
	}
	if isForm(field, "introduction", 2) {
		intro, err := readIntroduction(field.Items[1])
		c.Introduction = intro
		return err
	}
	return fmt.Errorf("the field %s of a repository is not known here", field.Brief())
}

// readIntroduction reads (channel-introduction (version 0) (commit C) (signer F)).
func readIntroduction(v scheme.Value) (*provenance.Introduction, error) {
	if !isForm(v, "channel-introduction", 4) || !isForm(v.Items[1], "version", 2) ||
		!isForm(v.Items[2], "commit", 2) || !isForm(v.Items[3], "signer", 2) || !isZero(v.Items[1].Items[1]) {
		return nil, errors.New("(channel-introduction (version 0) (commit …) (signer …)) belongs here")
	}
	commit, signer := v.Items[2].Items[1], v.Items[3].Items[1]
	if commit.Kind != scheme.String || !isCommit(commit.Text) {
		return nil, fmt.Errorf("the introduction's commit %s has not 40 hexadecimal digits", commit.Brief())
	}
	if signer.Kind != scheme.String || !isFingerprint(signer.Text) {
		return nil, fmt.Errorf("the signer %s is no OpenPGP fingerprint of 40 hexadecimal digits", signer.Brief())
	}
	return &provenance.Introduction{Commit: commit.Text, Fingerprint: signer.Text}, nil
}

// sha1 is the form of a git commit and of an OpenPGP fingerprint.
var sha1 = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)

func isCommit(text string) bool { return sha1.MatchString(text) }

func isFingerprint(text string) bool { return sha1.MatchString(strings.ReplaceAll(text, " ", "")) }

// isText says whether v is a string of printable characters.
func isText(v scheme.Value) bool {
	return v.Kind == scheme.String && strings.IndexFunc(v.Text, func(c rune) bool { return !unicode.IsPrint(c) }) < 0
}

// Packages lists the entries of a profile. Of an entry's channels the last is the one
// that defines the package. Of a package that was transformed Guix records none but its
// own channel, whichever it comes from: then none is known.
func (p *Profile) Packages() []provenance.Package {
	list := make([]provenance.Package, len(p.Entries))
	for i, e := range p.Entries {
		list[i] = provenance.Package{Name: e.Name, Version: e.Version, Output: e.Output, Path: e.Path}
		_, transformed := e.Property("transformations")
		if channels, _ := e.origins(p.Where); len(channels) > 1 || len(channels) == 1 && !transformed {
			list[i].Origin = &channels[len(channels)-1]
			list[i].Channel = list[i].Origin.Name
		}
	}
	return list
}
