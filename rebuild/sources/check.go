package sources

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"audit/inspect/check"
)

// shown is how many names a finding has.
const shown = 5

// weak are the algorithms for whose hashes other contents can be made.
var weak = []string{"md5", "sha1"}

// Check concludes: it is [check.Pass] when everything leads back to sources with a
// hash, to seeds and to inputs named after their content; [check.Fail] when something
// takes part whose content nothing fixes.
func (w *Walk) Check() check.Check {
	var found check.List
	for _, p := range w.unfixed {
		found.Problem(-1, p, "sources/no-hash")
	}
	for _, p := range slices.Sorted(maps.Keys(w.impure)) {
		found.Problem(-1, p, "sources/impure", "setting", w.impure[p])
	}
	for _, p := range w.Plain {
		if p.State == Differs {
			found.Problem(-1, p.Path, "sources/name-not-content")
		}
	}
	w.undecided(&found)
	w.notes(&found)
	var held check.Check
	w.held(&held, &found)
	c := check.Check{ID: check.Sources, Findings: found.All(), Status: found.Status()}
	seeds := w.Seeds()
	switch problems := found.Count(check.Problem); {
	case problems > 0:
		c.Because("sources/not-fixed", "count", problems)
	case c.Status == check.Unknown:
		c.Because("sources/undecided")
	default:
		c.Bytes = w.bytes
	}
	c.Because("sources/led-back", "derivations", w.Derivations, "sources", len(w.Sources)-seeds, "seeds", seeds)
	c.Reasons = append(c.Reasons, held.Reasons...)
	if len(w.Plain) > 0 {
		c.Because("sources/plain", "count", len(w.Plain))
	}
	return c
}

// Seeds counts the sources that are seeds.
func (w *Walk) Seeds() (n int) {
	for _, s := range w.Sources {
		if s.Seed != "" {
			n++
		}
	}
	return n
}

// undecided lists what cannot be decided here.
func (w *Walk) undecided(found *check.List) {
	if absent := w.absent(); len(absent) > 0 {
		found.Undecided(-1, "", "sources/names-not-verified", list(absent, "names")...)
	}
	if len(w.foreign) > 0 {
		found.Undecided(-1, "", "sources/items-of-no-derivation", list(w.foreign, "items")...)
	}
	for _, program := range slices.Sorted(maps.Keys(w.hosts)) {
		found.Undecided(-1, "", "sources/program-of-the-machine", "program", program, "count", w.hosts[program])
	}
}

func (w *Walk) absent() (absent []string) {
	for _, p := range w.Plain {
		if p.State == Absent {
			absent = append(absent, p.Path)
		}
	}
	return absent
}

// notes lists what is worth knowing of the sources.
func (w *Walk) notes(found *check.List) {
	hosts := make(map[string][]string)
	var without []string
	for _, s := range w.Sources {
		if s.Method.Movable() {
			found.Note(-1, s.Path, "sources/movable", "revision", s.Revision, "address", first(s.Addresses))
		}
		if slices.Contains(weak, s.Algorithm) {
			found.Note(-1, s.Path, "sources/weak-hash", "algorithm", s.Algorithm)
		}
		for _, a := range s.Addresses {
			if strings.HasPrefix(a, "file:") || strings.HasPrefix(a, "/") {
				found.Note(-1, s.Path, "sources/local-address", "address", a)
			}
		}
		switch of := hostsOf(s.Addresses); {
		case len(s.Addresses) == 0:
			without = append(without, s.Name)
		case len(of) == 1:
			hosts[of[0]] = append(hosts[of[0]], s.Name)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		found.Note(-1, "", "sources/one-host", append(list(hosts[host], "names"), "host", host)...)
	}
	if len(without) > 0 {
		found.Note(-1, "", "sources/no-address", list(without, "names")...)
	}
}

// list are the arguments of a finding about several things, of which it names some.
func list(all []string, as string) []any {
	args := []any{"count", len(all), as, all[:min(len(all), shown)]}
	if len(all) > shown {
		args = append(args, "beyond", len(all)-shown)
	}
	return args
}

// hostsOf returns the hosts of addresses, each once. A name that stands for several
// mirrors is counted as two.
func hostsOf(addresses []string) (hosts []string) {
	for _, a := range addresses {
		u, err := url.Parse(a)
		switch {
		case err != nil || u.Host == "":
			continue
		case u.Scheme == "mirror":
			hosts = append(hosts, "mirror:"+u.Host, "mirrors:"+u.Host)
		default:
			hosts = append(hosts, u.Hostname())
		}
	}
	return distinct(hosts)
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}
