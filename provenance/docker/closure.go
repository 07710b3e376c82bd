package docker

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/ospackages"
)

// A closureCheck gathers what the check closure finds. It answers: does a
// package own each entry, or can the instruction that made its layer have
// written it?
type closureCheck struct {
	*view
	links  *inspect.Symlinks
	top    map[string]int // layer of each file that a container sees
	made   map[int][]reach
	strong bool // instructions are those of a complete recipe

	entries  int
	owned    int // by a package
	base     int // of the base image
	written  int // by an instruction alone
	bytes    int64
	findings []check.Finding // why the out is undecided, a problem each
	notes    []check.Finding
	more     int // unexplained entries that are not listed
}

// maxListed bounds the entries that are listed one by one.
const maxListed = 200

func (v *view) closure(recipe *provenance.Recipe) check.Check {
	c := &closureCheck{view: v, links: inspect.NewSymlinks(v.files), top: make(map[string]int, len(v.files)), strong: recipe.Status == provenance.Complete}
	for _, f := range v.files {
		c.top[f.Path] = f.Layer
	}
	c.assign()
	for _, p := range v.installed.Problems {
		p.Level = check.Problem
		c.findings = append(c.findings, p)
	}
	for _, l := range v.img.Layers {
		c.layer(l)
	}
	return c.conclude()
}

// assign gives each layer what its instructions can have written.
func (c *closureCheck) assign() {
	c.made = make(map[int][]reach)
	found := reaches(c.history, c.links)
	for n, i := range c.history {
		if i.Layer >= 0 {
			c.made[i.Layer] = append(c.made[i.Layer], found[n])
		}
	}
}

func (c *closureCheck) doubt(rule string, layer int, path, format string, args ...any) {
	c.findings = append(c.findings, check.Finding{Rule: rule, Level: check.Problem, Layer: layer, Path: path, Words: fmt.Sprintf(format, args...)})
}

func (c *closureCheck) layer(l *inspect.Layer) {
	if l.Broken != nil {
		c.doubt("layer-unread", l.Index, l.Member, "the layer can be read only in part: %v", l.Broken)
	}
	for n := range l.Entries {
		c.entry(l.Index, n)
	}
}

func (c *closureCheck) entry(layer, index int) {
	e := &c.img.Layers[layer].Entries[index]
	c.entries++
	at := hidden(e.Path)
	switch {
	case layer < c.baseLayers:
		c.base++
		c.vouch(e)
	case c.isOwned(layer, index, e):
		c.owned++
		c.vouch(e)
	case slices.ContainsFunc(c.made[layer], func(r reach) bool { return r.has(at, e.Type == '5') }):
		c.written++
		if c.strong {
			c.vouch(e)
		}
	case len(c.findings) >= maxListed:
		c.more++
	default:
		c.doubt("unexplained-file", layer, e.Path, "no package owns it, and %s", c.maker(layer))
	}
}

func (c *closureCheck) vouch(e *inspect.Entry) { c.bytes += e.FrameSize + e.Size }

// hidden returns the path that a whiteout is about; any other path is itself.
func hidden(p string) string {
	dir, base := path.Split(p)
	if base == ".wh..wh..opq" {
		return path.Clean(dir)
	}
	if name, ok := strings.CutPrefix(base, ".wh."); ok {
		return dir + name
	}
	return p
}

// isOwned says whether a package owns the entry, or the package manager itself
// keeps it. Where the database has a
// digest of the file that a container sees, the bytes must be those; a package
// does not explain what it did not install.
func (c *closureCheck) isOwned(layer, index int, e *inspect.Entry) bool {
	p, _ := c.installed.Owner(e.Path)
	if p == nil {
		return c.installed.State(e.Path)
	}
	switch found := c.installed.Compare(layer, index); found.Standing {
	case ospackages.Changed, ospackages.Diverted:
		if len(c.notes) < maxListed {
			c.notes = append(c.notes, check.Finding{Rule: "package-file-changed", Level: check.Note, Layer: layer, Path: e.Path,
				Words: fmt.Sprintf("its bytes are not those that package %s %s installed (%s is noted)", brief(found.Package), brief(found.Version), found.Recorded)})
		}
		return false
	case ospackages.Config, ospackages.Made:
		return false
	}
	return true
}

// maker says what is known of how a layer was made.
func (c *closureCheck) maker(layer int) string {
	for _, i := range c.history {
		if i.Layer != layer {
			continue
		}
		if i.String() == "" {
			return "the history does not say how its layer was made"
		}
		return fmt.Sprintf("the instruction that made its layer does not write there: %s", brief(i.String()))
	}
	return "which instruction made its layer is not known"
}

// conclude makes the check of what was gathered. What the history alone explains
// is undecided: it says what an instruction could write.
func (c *closureCheck) conclude() check.Check {
	out := check.Check{ID: check.Closure, Status: check.Unknown, Bytes: c.bytes}
	if c.more > 0 {
		c.doubt("unexplained-files", -1, "", "%d more entries are explained by nothing", c.more)
	}
	out.Findings = append(c.findings, c.notes...)
	slices.SortStableFunc(out.Findings, func(a, b check.Finding) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), inspect.ComparePaths(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule))
	})
	unexplained := c.entries - c.owned - c.base - c.written
	summary := fmt.Sprintf("%d of %s explained: %s", c.entries-unexplained, provenance.Count(c.entries, "entry"), c.parts())
	switch {
	case c.entries == 0:
		out.Summary = "the image has no entries"
	case len(c.findings) > 0:
		out.Summary = fmt.Sprintf("undecided, %s explained by nothing; %s", provenance.Count(unexplained, "entry"), summary)
	case c.written > 0 && !c.strong:
		out.Summary = "undecided: " + summary
	default:
		out.Status, out.Summary, out.Bytes = check.Pass, summary, c.img.LayerBytes()
	}
	if c.written > 0 && !c.strong {
		out.Findings = append(out.Findings, check.Finding{Rule: "explained-by-instruction", Level: check.Note, Layer: -1,
			Words: fmt.Sprintf("%s explained by the instruction of their layer alone: the history says that it could write them, and nothing says that these bytes came of it", provenance.Count(c.written, "entry"))})
	}
	return out
}

// parts says by what the entries are explained.
func (c *closureCheck) parts() string {
	var parts []string
	if c.base > 0 {
		parts = append(parts, fmt.Sprintf("%d of the base image", c.base))
	}
	for _, m := range []ospackages.Manager{ospackages.Dpkg, ospackages.Apk, ospackages.Rpm} {
		if n := c.packages(m); n > 0 {
			parts = append(parts, fmt.Sprintf("%s by %s", provenance.Count(n, "package"), m))
		}
	}
	if len(parts) > 0 && c.owned > 0 {
		parts = append(parts, fmt.Sprintf("%d owned by packages", c.owned))
	}
	by := "by the instruction of their layer, which is weaker than by a recipe"
	if c.strong {
		by = "by the instructions of the recipe"
	}
	return strings.Join(append(parts, fmt.Sprintf("%d %s", c.written, by)), ", ")
}

func (c *closureCheck) packages(m ospackages.Manager) (n int) {
	for _, p := range c.installed.Packages {
		if p.Manager == m {
			n++
		}
	}
	return n
}
