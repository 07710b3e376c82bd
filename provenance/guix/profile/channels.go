package profile

import (
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/scheme"
)

// Channels are what one channels.scm can say of where packages come from, and
// what it cannot.
type Channels struct {
	List     []provenance.Channel // each of another name
	Problems []check.Message      // what the list does not say

	byName map[string]int      // index in List
	others map[string][]string // by name: commits that another one kept out
}

// Channels chooses the channels of a profile as Guix does when it exports them
// (Guix 1.5, module (guix scripts package), export-channels): all origins in
// order, those with a commit that came before left out, and of each name the
// first.
func (p *Profile) Channels() Channels {
	var list Channels
	origins, problems := allOrigins(p)
	list.Problems = problems
	commits := make(map[string]bool)
	for _, o := range origins {
		if !commits[o.channel.Commit] {
			commits[o.channel.Commit] = true
			list.add(o.channel)
		}
	}
	for _, o := range origins {
		if code, args := list.loses(o.channel); code != "" {
			list.Problems = append(list.Problems, check.Say(code, append(args, "packages", o.packages)...))
		}
	}
	if _, there := list.byName["guix"]; !there && len(list.List) > 0 {
		list.Problems = append(list.Problems, check.Say("recipe/no-channel-guix"))
	}
	return list
}

// add lists a channel, unless one of its name came before.
func (l *Channels) add(c provenance.Channel) {
	if l.byName == nil {
		l.byName, l.others = make(map[string]int), make(map[string][]string)
	}
	if _, there := l.byName[c.Name]; there {
		l.others[c.Name] = append(l.others[c.Name], c.Commit)
		return
	}
	l.byName[c.Name] = len(l.List)
	l.List = append(l.List, c)
}

// loses says what channels.scm does not say of a channel, "" when it says all.
func (l *Channels) loses(c provenance.Channel) (code string, args []any) {
	name := scheme.Sym(c.Name).Brief()
	i, there := l.byName[c.Name]
	if !there {
		return "recipe/channel-left-out", []any{"channel", name, "commit", c.Commit}
	}
	switch w := l.List[i]; {
	case w.Commit != c.Commit && w.URL != c.URL:
		return "recipe/channel-commits", []any{"channel", name, "commit", w.Commit, "other", c.Commit, "address", scheme.Str(c.URL).Brief()}
	case w.Commit != c.Commit:
		return "recipe/channel-commits", []any{"channel", name, "commit", w.Commit, "other", c.Commit}
	case keyOf(w) != keyOf(c):
		return "recipe/channel-addresses", []any{"channel", name, "address", scheme.Str(c.URL).Brief(), "branch", scheme.Str(c.Branch).Brief()}
	}
	return "", nil
}

// An origin is a channel that packages of a profile come from.
type origin struct {
	channel  provenance.Channel
	packages []string // their names, quoted, in the order of the profile
}

// allOrigins gathers the origins of all entries, equal ones together, in the
// order in which they first appear.
func allOrigins(p *Profile) (origins []*origin, problems []check.Message) {
	known := make(map[channelKey]*origin)
	for _, e := range p.Entries {
		channels, wrong := e.origins(p.Where)
		problems = append(problems, wrong...)
		for _, c := range channels {
			o := known[keyOf(c)]
			if o == nil {
				o = &origin{channel: c}
				known[keyOf(c)] = o
				origins = append(origins, o)
			}
			o.packages = append(o.packages, scheme.Str(e.Name).Brief())
		}
	}
	return origins, problems
}

// A channelKey is a channel as a value that can be compared.
type channelKey struct {
	name, url, branch, commit string
	introduction              provenance.Introduction
}

func keyOf(c provenance.Channel) channelKey {
	k := channelKey{name: c.Name, url: c.URL, branch: c.Branch, commit: c.Commit}
	if c.Introduction != nil {
		k.introduction = *c.Introduction
	}
	return k
}
