package rebuilders

import (
	"maps"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance/vouch"
)

// A conclusion puts together what all servers said.
type conclusion struct {
	archives []vouch.Archive
	by       [][]Key // that signed each package, one of each operator
	keys     []Key
	list     check.List

	rebuilt []string // packages that enough operators have built again
	few     []string // that some have, and not enough
	hearsay []string // of which a server says so and does not sign it
	failed  []string // of which a server says that they come out otherwise
}

// add takes the answer of a server, and reports what went wrong with it.
func (c *conclusion) add(a answer) {
	errors, bads := make(map[string][]string), make(map[string][]string)
	for i, o := range a.about {
		name := check.Brief(c.archives[i].By)
		for _, k := range o.keys {
			if !slices.ContainsFunc(c.by[i], k.isVoiceOf) {
				c.by[i] = append(c.by[i], k)
			}
		}
		switch {
		case o.differs && len(o.keys) == 0:
			c.list.Undecided(-1, "", "signatures/rebuilder-differs", "server", a.server, "package", name)
		case o.err != nil:
			errors[check.Brief(o.err.Error())] = append(errors[check.Brief(o.err.Error())], name)
		case o.bad != nil && len(o.keys) == 0:
			bads[check.Brief(o.bad.Error())] = append(bads[check.Brief(o.bad.Error())], name)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(errors)) {
		names, beyond := some(errors[text])
		c.list.Undecided(-1, "", "signatures/rebuilder-unreachable",
			"server", a.server, "error", text, "count", len(names)+beyond, "names", names, "beyond", beyond)
	}
	for _, text := range slices.Sorted(maps.Keys(bads)) {
		names, beyond := some(bads[text])
		c.list.Undecided(-1, "", "signatures/rebuilder-not-verified",
			"server", a.server, "error", text, "count", len(names)+beyond, "names", names, "beyond", beyond)
	}
	c.noteUnsigned(a)
}

// noteUnsigned notes what a server says without a signature that counts.
func (c *conclusion) noteUnsigned(a answer) {
	for i, o := range a.about {
		name := check.Brief(c.archives[i].By)
		switch {
		case len(o.keys) > 0 || o.err != nil:
		case o.status == good && !slices.Contains(c.hearsay, name):
			c.hearsay = append(c.hearsay, name)
		case o.status == bad && !slices.Contains(c.failed, name):
			c.failed = append(c.failed, name)
		}
	}
}

// apply makes words stronger. Where several packages are called alike, all of them must
// have been built again: which one a file is from is not known.
func (c *conclusion) apply(t *vouch.Table, atLeast int) {
	rebuilt := make(map[string][]string) // IDs of keys, by what has the files
	isShort := make(map[string]bool)     // some package that is called so was not
	for i, a := range c.archives {
		name := check.Brief(a.By)
		n := len(c.by[i])
		isShort[a.By] = isShort[a.By] || n < atLeast
		switch {
		case n >= atLeast:
			c.rebuilt = append(c.rebuilt, name)
			for _, k := range c.by[i] {
				rebuilt[a.By] = append(rebuilt[a.By], strings.ToUpper(k.ID))
			}
		case n > 0:
			c.few = append(c.few, name)
		}
	}
	for f, w := range t.Rows() {
		if more := rebuilt[w.By]; w.Kind == vouch.Signed && more != nil && !isShort[w.By] {
			w.Kind, w.Keys = vouch.Rebuilt, sortedUnion(w.Keys, more)
			t.Vouch(f.Path, w)
		}
	}
}

func sortedUnion(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// say makes the findings about all packages.
func (c *conclusion) say() {
	operators := make([]string, 0, len(c.keys))
	for _, all := range c.by {
		for _, k := range all {
			operators = append(operators, k.Operator)
		}
	}
	slices.Sort(operators)
	operators = slices.Compact(operators)
	if len(c.rebuilt) > 0 {
		c.list.Note(-1, "", "signatures/rebuilt", "rebuilt", len(c.rebuilt), "packages", len(c.archives), "operators", operators)
	}
	if names, beyond := some(c.few); len(names) > 0 {
		c.list.Note(-1, "", "signatures/rebuilt-by-too-few", "count", len(c.few), "operators", operators, "names", names, "beyond", beyond)
	}
	if names, beyond := some(without(c.hearsay, c.rebuilt)); len(names) > 0 {
		c.list.Note(-1, "", "signatures/rebuilder-hearsay", "count", len(names)+beyond, "names", names, "beyond", beyond)
	}
	if names, beyond := some(c.failed); len(names) > 0 {
		c.list.Note(-1, "", "signatures/rebuilder-failed", "count", len(names)+beyond, "names", names, "beyond", beyond)
	}
	if n := len(c.archives) - len(c.rebuilt); n > 0 {
		c.list.Note(-1, "", "signatures/not-rebuilt", "count", n, "packages", len(c.archives))
	}
}

func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// used are the keys that signed something.
func (c *conclusion) used() (all []vouch.Key) {
	for _, k := range c.keys {
		if slices.ContainsFunc(c.by, func(by []Key) bool {
			return slices.ContainsFunc(by, func(have Key) bool { return have.ID == k.ID })
		}) {
			all = append(all, vouch.Key{Fingerprint: strings.ToUpper(k.ID), Name: k.Operator, Trusted: true})
		}
	}
	return all
}

// maxNames bounds the names in a finding.
const maxNames = 10

// some returns the first names, and how many there are beyond.
func some(names []string) (first []string, beyond int) {
	first = names[:min(len(names), maxNames)]
	return first, len(names) - len(first)
}
