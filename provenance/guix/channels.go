package guix

import (
	"fmt"
	"strings"

	"audit/provenance"
	"audit/provenance/guix/scheme"
)

// A channelList is what one channels.scm can say of where the packages of a
// profile come from, and what it cannot.
type channelList struct {
	written  []provenance.Channel
	byName   map[string]int      // index in written
	others   map[string][]string // by name: commits that another one kept out
	problems []string
}

// listChannels chooses channels as Guix does when it exports them (Guix 1.5,
// module (guix scripts package), export-channels): all origins in order, those
// with a commit that came before left out, and of each name the first.
func listChannels(p *Profile) channelList {
	list := channelList{byName: make(map[string]int), others: make(map[string][]string)}
	origins, problems := allOrigins(p)
	list.problems = problems
	commits := make(map[string]bool)
	for _, o := range origins {
		if !commits[o.channel.Commit] {
			commits[o.channel.Commit] = true
			list.add(o.channel)
		}
	}
	for _, o := range origins {
		if why := list.loses(o.channel); why != "" {
			list.problems = append(list.problems, why+": "+strings.Join(o.packages, ", "))
		}
	}
	if _, there := list.byName["guix"]; !there && len(list.written) > 0 {
		list.problems = append(list.problems, "no channel has the name guix: guix time-machine will refuse channels.scm")
	}
	return list
}

func (l *channelList) add(c provenance.Channel) {
	if _, there := l.byName[c.Name]; there {
		l.others[c.Name] = append(l.others[c.Name], c.Commit)
		return
	}
	l.byName[c.Name] = len(l.written)
	l.written = append(l.written, c)
}

// loses says what channels.scm does not say of a channel, "" when it says all.
func (l *channelList) loses(c provenance.Channel) string {
	name := scheme.Sym(c.Name)
	i, there := l.byName[c.Name]
	if !there {
		return fmt.Sprintf("channels.scm leaves out the channel %s, since another one has the same commit %s; it is the origin of", name, c.Commit)
	}
	switch w := l.written[i]; {
	case w.Commit != c.Commit:
		return fmt.Sprintf("channels.scm can name one commit of the channel %s, which is %s, and these packages come from %s", name, w.Commit, c.Commit)
	case keyOf(w) != keyOf(c):
		return fmt.Sprintf("channels.scm can name one address, branch and introduction of the channel %s, and these packages name others (%s, branch %s)",
			name, quote(c.URL), quote(c.Branch))
	}
	return ""
}

// An origin is a channel that packages of a profile come from.
type origin struct {
	channel  provenance.Channel
	packages []string // their names, quoted, in the order of the profile
}

// allOrigins gathers the origins of all entries, equal ones together, in the
// order in which they first appear.
func allOrigins(p *Profile) (origins []*origin, problems []string) {
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
			o.packages = append(o.packages, scheme.Str(e.Name).String())
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
