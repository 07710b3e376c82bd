package guix

import (
	"errors"
	"fmt"
	"strings"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/guix/scheme"
)

// systemRecipe fills in the recipe of an image of a whole system, which guix
// system image made. What such an image can tell are the channels; its
// configuration is a program and is named, never copied.
func (v *view) systemRecipe(recipe *provenance.Recipe, root string) error {
	recipe.Pack = provenance.Pack{
		Format:     formatSystem,
		Root:       root,
		SystemType: systemTypes[v.config.Architecture],
		Database:   v.hasDatabase(),
		Unknown:    []string{"the options of guix system image"},
	}
	recipe.Packer = packer(recipe.Pack)
	recipe.Status = provenance.Partial
	list, err := v.systemChannels(recipe, root)
	if err != nil {
		return err
	}
	recipe.Channels = list.written
	recipe.Problems = append(recipe.Problems, list.problems...)
	if len(list.written) == 0 {
		recipe.Status = provenance.None
		recipe.Problems = append(recipe.Problems, "the system does not say which channels it was made from (it was made without --save-provenance)")
	} else {
		recipe.Files = append(recipe.Files, provenance.File{Name: "channels.scm", Text: channelsFile(list)})
	}
	problem := "the image does not hold the system's configuration"
	if f, ok := v.systemFile(root, "configuration.scm"); ok {
		recipe.Sources = append(recipe.Sources, provenance.Source{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
		problem = fmt.Sprintf("the configuration of the system, /%s in the image, is a program: it is not copied from there", f.Path)
	}
	recipe.Problems = append(recipe.Problems, problem)
	return nil
}

// systemFile finds a file of the system item, which is a symlink to a store
// item of its own.
func (v *view) systemFile(root, name string) (inspect.File, bool) {
	p := strings.TrimPrefix(root, "/") + "/" + name
	f, ok := v.file(p)
	if ok && f.Type == '2' {
		f, ok = v.file(strings.TrimPrefix(absolute(f), "/"))
	}
	return f, ok && f.Type == '0' && Keep(f.Path)
}

// systemChannels reads channels.scm of the system, or its file provenance,
// which has no introductions.
func (v *view) systemChannels(recipe *provenance.Recipe, root string) (channelList, error) {
	list := channelList{byName: make(map[string]int), others: make(map[string][]string)}
	for _, name := range []string{"channels.scm", "provenance"} {
		f, ok := v.systemFile(root, name)
		if !ok {
			continue
		}
		text, _, ok := v.body(f.Path)
		if !ok {
			return list, fmt.Errorf("reading %s: the image was opened without keeping it", f.Path)
		}
		recipe.Sources = append(recipe.Sources, provenance.Source{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
		if len(list.written) == 0 {
			list.read(f.Path, text)
		}
	}
	return list, nil
}

// read adds the channels that a file of a system lists.
func (l *channelList) read(where string, text []byte) {
	data, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil {
		l.problems = append(l.problems, fmt.Sprintf("%s:%v", where, err))
		return
	}
	for _, v := range channelForms(data) {
		c, err := readChannelForm(v)
		if err != nil {
			l.problems = append(l.problems, place(where, v.Pos)+err.Error())
			continue
		}
		if _, twice := l.byName[c.Name]; twice {
			l.problems = append(l.problems, place(where, v.Pos)+"the channel "+scheme.Sym(c.Name).String()+" comes twice")
			continue
		}
		l.add(c)
	}
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
