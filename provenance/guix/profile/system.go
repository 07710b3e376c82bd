package profile

import (
	"errors"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/scheme"
)

// ReadSystem reads the channels that a file of a system item lists: its
// channels.scm or its provenance. The file's name is where; what is not as Guix
// writes it is a problem.
func ReadSystem(where string, text []byte) (l Channels) {
	data, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil {
		l.Problems = append(l.Problems, check.Say("recipe/file-unreadable", "file", where, "error", err))
		return l
	}
	for _, v := range channelForms(data) {
		c, err := readChannelForm(v)
		if err != nil {
			l.Problems = append(l.Problems, sayAt(where, v.Pos, "recipe/bad-channel", "error", err))
			continue
		}
		if _, twice := l.byName[c.Name]; twice {
			l.Problems = append(l.Problems, sayAt(where, v.Pos, "recipe/channel-twice", "channel", scheme.Sym(c.Name).Brief()))
			continue
		}
		l.add(c)
	}
	return l
}

// channelForms returns the channels of (list CHANNEL …), the one form of a
// channels.scm, or of (provenance (version 0) (channels CHANNEL …) …).
func channelForms(data []scheme.Value) []scheme.Value {
	if len(data) != 1 || !data[0].IsList() || len(data[0].Items) == 0 {
		return data
	}
	form := data[0]
	if form.Items[0].IsSymbol("list") {
		return form.Items[1:]
	}
	if isForm(form, "provenance", 4) && len(form.Items[2].Items) > 0 && isForm(form.Items[2], "channels", len(form.Items[2].Items)) {
		return form.Items[2].Items[1:]
	}
	return data
}

// readChannelForm reads (channel (name N) (url U) (branch B) (commit C) …) as
// Guix prints it (Guix 1.5, module (gnu services), channel->code and
// channel->sexp). It is read as data: nothing in it is evaluated.
func readChannelForm(v scheme.Value) (provenance.Channel, error) {
	if !v.IsList() || len(v.Items) < 5 || !v.Items[0].IsSymbol("channel") || !isForm(v.Items[1], "name", 2) {
		return provenance.Channel{}, errors.New("(channel (name …) (url …) (branch …) (commit …) …) belongs here, in that order")
	}
	name := v.Items[1].Items[1]
	if isForm(name, "quote", 2) {
		name = name.Items[1]
	}
	repository := []scheme.Value{scheme.Sym("repository"), scheme.ListOf(scheme.Sym("version"), scheme.Value{Kind: scheme.Number, Text: "0"})}
	repository = append(repository, v.Items[2:5]...)
	repository = append(repository, scheme.ListOf(scheme.Sym("name"), name))
	for _, option := range v.Items[5:] {
		repository = append(repository, introductionData(option))
	}
	return readChannel(scheme.ListOf(repository...), "")
}

// introductionData turns (introduction (make-channel-introduction C
// (openpgp-fingerprint F))) into the form that it has in a profile manifest.
// Anything else stays as it is.
func introductionData(v scheme.Value) scheme.Value {
	if !isForm(v, "introduction", 2) || !isForm(v.Items[1], "make-channel-introduction", 3) || !isForm(v.Items[1].Items[2], "openpgp-fingerprint", 2) {
		return v
	}
	commit, signer := v.Items[1].Items[1], v.Items[1].Items[2].Items[1]
	return scheme.ListOf(v.Items[0], scheme.ListOf(scheme.Sym("channel-introduction"),
		scheme.ListOf(scheme.Sym("version"), scheme.Value{Kind: scheme.Number, Text: "0"}),
		scheme.ListOf(scheme.Sym("commit"), commit),
		scheme.ListOf(scheme.Sym("signer"), signer)))
}
