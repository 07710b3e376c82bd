package guix

import (
	"maps"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/profile"
	"audit/provenance/store"
)

// profiles looks whether each profile of the image is the union of the store items
// that its manifest lists and of what the hooks of Guix made of them. Where and how a
// profile is built no farm knows, so nothing else explains what is in it.
func (c *closureCheck) profiles() map[string]provenance.Standing {
	derived := make(map[string]provenance.Standing)
	steps := stepsOfUnions*len(c.files) + 1000
	for i := range c.img.Items {
		item := &c.img.Items[i]
		if c.reached[item.Path] && inspect.StoreName(item.Path) == "profile" {
			c.profile(item, derived, &steps)
		}
	}
	if c.script != "" {
		derived[c.script] = provenance.Remade
	}
	return derived
}

// profile checks one profile, and what hooks made for it.
func (c *closureCheck) profile(item *inspect.StoreItem, derived map[string]provenance.Standing, steps *int) {
	derived[item.Path] = provenance.Unproven
	p := c.manifestOf(item.Path)
	if p == nil {
		c.Undecided(item.Layer, item.Path, "closure/profile-without-manifest")
		return
	}
	c.entryNames(p)
	inputs, rules := manifestInputs(p), hookRules()
	isInput := make(map[string]bool, len(inputs))
	for _, in := range inputs {
		isInput[in] = true
	}
	var hooks []string
	for _, ref := range item.References {
		if rule, isHook := rules[hookName(ref)]; isHook && !isInput[ref] && c.items[ref] != nil {
			hooks = append(hooks, ref)
			if _, seen := derived[ref]; !seen {
				derived[ref] = c.hook(ref, rule, inputs, steps)
			}
		}
	}
	u, ended := c.newUnion(item.Path, append(hooks, inputs...), steps)
	if !ended {
		c.Undecided(item.Layer, item.Path, "closure/profile-without-end")
		return
	}
	before := c.Count(check.Problem) + c.Count(check.Undecided)
	c.compareUnion(u, item.Layer)
	c.environmentOf(p, item.Path)
	if c.Count(check.Problem)+c.Count(check.Undecided) == before {
		derived[item.Path] = provenance.Remade
	}
}

// manifestOf reads the manifest of a profile, nil where it cannot be read.
func (c *closureCheck) manifestOf(item string) *profile.Profile {
	where := item[1:] + "/manifest"
	text, _, ok := c.body(where)
	if !ok {
		return nil
	}
	p, err := profile.Parse(where, text)
	if err != nil {
		return nil
	}
	return p
}

// compareUnion compares a profile in the image with the union that it should be.
func (c *closureCheck) compareUnion(u *union, layer int) {
	seen := make(map[string]bool)
	for _, f := range c.below(u.root) {
		at := strings.TrimPrefix(strings.TrimPrefix(f.Path, u.root[1:]), "/")
		seen[at] = true
		targets, isLink := u.links[at]
		leads := func(target string) bool { return u.leads(at, f.Linkname, target) }
		switch {
		case u.folders[at] && f.Type == '5':
		case (at == "manifest" || at == "etc/profile") && f.Type == '0' && f.Mode&0o111 == 0:
		case isLink && f.Type == '2' && leads(targets[0]):
		case isLink && f.Type == '2' && slices.ContainsFunc(targets, leads):
			c.Undecided(f.Layer, f.Path, "closure/profile-collision", "target", f.Linkname, "want", targets[0])
		case isLink:
			c.Problem(f.Layer, f.Path, "closure/profile-link-differs", append(store.Details(f.Entry), "kind", provenance.KindOf(f.Entry), "want", targets[0])...)
		default:
			c.Problem(f.Layer, f.Path, "closure/profile-entry-unexplained", append(store.Details(f.Entry), "kind", provenance.KindOf(f.Entry))...)
		}
	}
	for _, at := range slices.Sorted(maps.Keys(u.links)) {
		if !seen[at] {
			c.Problem(layer, path.Join(u.root[1:], at), "closure/profile-entry-missing", "want", u.links[at][0])
		}
	}
}

// below lists what is at and below an absolute path.
func (v *view) below(root string) []inspect.File {
	var all []inspect.File
	start, _ := slices.BinarySearchFunc(v.files, root[1:], func(f inspect.File, p string) int { return inspect.ComparePaths(f.Path, p) })
	for _, f := range v.files[start:] {
		if f.Path != root[1:] && !strings.HasPrefix(f.Path, root[1:]+"/") {
			break
		}
		all = append(all, f)
	}
	return all
}

// environmentOf checks the file etc/profile of a profile, which shells run: it sets
// nothing but the search paths of the manifest's packages, to folders of the profile.
func (c *closureCheck) environmentOf(p *profile.Profile, root string) {
	text, f, ok := c.body(root[1:] + "/etc/profile")
	if !ok {
		if f.Entry != nil {
			c.Undecided(f.Layer, f.Path, "closure/environment-unread")
		}
		return
	}
	known := map[string]bool{"PATH": true}
	for _, e := range p.All() {
		for _, s := range e.SearchPaths {
			known[s.Variable] = true
		}
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		name, isSetting := searchPathSetting(line, root)
		switch {
		case line == "" || line[0] == '#':
		case !isSetting:
			c.Problem(f.Layer, f.Path, "closure/environment-line", "text", line)
		case !known[name]:
			c.Problem(f.Layer, f.Path, "closure/environment-variable", "variable", name)
		}
	}
}

// searchPathSetting says whether a line of etc/profile sets a search path, and
// which (Guix 1.5, module (guix search-paths), environment-variable-definition):
//
//	export NAME="${GUIX_PROFILE:-ROOT}/DIR:${GUIX_PROFILE:-ROOT}/DIR${NAME:+:}$NAME"
func searchPathSetting(line, root string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(line, `export `)
	name, value, found := strings.Cut(rest, `="`)
	value, closed := strings.CutSuffix(value, `"`)
	if !ok || !found || !closed || !isVariable(name) {
		return "", false
	}
	value = strings.TrimSuffix(value, "${"+name+":+:}$"+name)
	value = strings.ReplaceAll(value, "${GUIX_PROFILE:-"+root+"}", root)
	return name, isSearchPath(value, root)
}

// entryNames compares the names of a manifest's entries with those of their store
// items: NAME-VERSION, with the output's name behind it unless that is out. A graft
// gives another version, and an entry by hand any name at all.
func (c *closureCheck) entryNames(p *profile.Profile) {
	f, _ := c.files.At(p.Where)
	for _, e := range p.All() {
		if e.Name == "" || !strings.HasPrefix(e.Path, storeDir) || c.items[e.Path] == nil {
			continue // up to format 2 what is propagated has no name
		}
		name := inspect.StoreName(e.Path)
		if e.Output != "out" {
			name = strings.TrimSuffix(name, "-"+e.Output)
		}
		switch {
		case name == e.Name+"-"+e.Version, name == e.Name+"-"+e.Version+"R", name == e.Name && e.Version == "":
		case strings.HasPrefix(name, e.Name+"-") && startsWithDigit(name[len(e.Name)+1:]):
			c.Note(f.Layer, p.Where, "closure/entry-version-differs", "line", int(e.Pos.Line), "package", e.Specification(), "item", e.Path)
		default:
			c.Undecided(f.Layer, p.Where, "closure/entry-name-differs", "line", int(e.Pos.Line), "package", e.Specification(), "item", e.Path)
		}
	}
}

func startsWithDigit(s string) bool { return s != "" && '0' <= s[0] && s[0] <= '9' }
