package docker

import (
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
)

// A closureCheck gathers what the check closure finds. It answers: does a
// package own each entry, or can the instruction that made its layer have
// written it?
type closureCheck struct {
	*view
	provenance.Closure
	words *vouch.Entries // of signed packages; nil where none were verified
	asked int            // how often an instruction that sets rights was looked for

	entries     int
	owned       int // by a package
	recorded    int // of them with the digest that the image's own database records
	base        int // of the base image
	vouched     int // from signed packages, or signed, where the database knows nothing of it
	ruled       int // by a rule of packages that says nothing of its content
	written     int // by an instruction alone
	unexplained int // by nothing, or not its bytes or the rights that it gives
	bytes       int64
}

// maxListed bounds the findings alike that are listed one by one.
const maxListed = 200

func (v *view) closure(words *vouch.Entries) check.Check {
	c := &closureCheck{view: v, words: words}
	c.Max = maxListed
	c.Append(v.installed.Problems...)
	c.records()
	for _, l := range v.img.Layers {
		c.layer(l)
	}
	return c.conclude()
}

// assign gives each layer what its instructions can have written.
func (v *view) assign() {
	v.made, v.by = make(map[int][]reach), make(map[int]string)
	found := reaches(v.history, image.NewSymlinks(v.img.Root().Files()))
	for n, i := range v.history {
		if i.Layer < 0 {
			continue
		}
		switch made := v.made[i.Layer]; {
		case len(made) == 0:
			v.by[i.Layer] = check.Brief(i.String())
			fallthrough
		case len(made) < maxTogether:
			v.made[i.Layer] = append(made, found[n])
		default:
			v.made[i.Layer] = append(made[:0], reach{anything: true})
		}
	}
}

// maxTogether bounds how many instructions of one layer are distinguished: each entry
// is asked for with each of them.
const maxTogether = 100

func (c *closureCheck) layer(l *inspect.Layer) {
	if l.Broken != nil {
		c.Append(provenance.UnreadLayer(l))
	}
	for n := range l.Entries {
		c.entry(l.Index, n)
	}
}

func (c *closureCheck) entry(layer, index int) {
	e := c.img.Layers[layer].Entries[index]
	c.entries++
	if e.Type != '5' && layer >= c.baseLayers && c.excludes(layer, e) {
		if pkg, ok := c.installed.Redirects(e); ok {
			c.Problem(layer, e.Path, "closure/package-folder-replaced", "package", check.Brief(pkg), "instruction", c.by[layer])
		}
	}
	switch {
	case layer < c.baseLayers:
		c.base++
		c.explained(e)
	case c.isOwned(layer, index, e):
		// where it is raised, its package has installed it without the rights that it gives now
		if c.installed.Raised(layer, index) && c.Unowned(c.img, layer, e, c.rights(layer, index, e, true)...) {
			c.unexplained++
			return
		}
		c.owned++
		c.explained(e)
	case c.isMade(layer, index, e), isPlainRoot(e):
		c.explained(e)
	case c.isWritten(layer, e):
		if c.Unowned(c.img, layer, e, c.rights(layer, index, e, true)...) || c.installed.Compare(layer, index).Standing == ospackages.Changed {
			c.unexplained++
			return
		}
		c.written++
	default:
		c.unexplained++
		c.Unexplained(c.img, layer, e, c.rights(layer, index, e, false)...)
	}
}

// isPlainRoot says whether an entry is the folder that every file system begins with, in
// which root alone may write.
func isPlainRoot(e *inspect.Entry) bool {
	a := e.Attr()
	return e.Path == "." && e.Type == '5' && e.Mode&^0o755 == 0 && a.UID == 0 && a.GID == 0 && len(a.Xattrs) == 0
}

// isMade says whether signed packages, or a rule by which it comes from them, explain an
// entry. The rights that it gives they do not where the rule is about its content alone.
func (c *closureCheck) isMade(layer, index int, e *inspect.Entry) bool {
	if c.words == nil {
		return false
	}
	w, ok := c.words.Of(e)
	switch {
	case !ok:
		return false
	case !w.HasRights() && c.Unowned(c.img, layer, e, c.rights(layer, index, e, c.isWritten(layer, e))...):
		c.unexplained++
	case w.Kind == vouch.Instruction:
		c.ruled++
	default:
		c.vouched++
	}
	return true
}

// explains says whether the base image or an instruction explains an entry, and which.
func (v *view) explains(layer int, e *inspect.Entry) (by string, ok bool) {
	if layer < v.baseLayers {
		return "base image", true
	}
	return v.by[layer], v.isWritten(layer, e)
}

// isWritten says whether an instruction that made a layer can have written an entry.
func (v *view) isWritten(layer int, e *inspect.Entry) bool {
	return slices.ContainsFunc(v.made[layer], func(r reach) bool { return r.has(hidden(e.Path), e.Type == '5') })
}

func (c *closureCheck) explained(e *inspect.Entry) { c.bytes += e.FrameSize + e.Size }

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
// keeps it. Where a database has a record of its digest, the bytes must be those; a
// package does not explain what it did not install, nor what was written by a COPY
// to another place.
func (c *closureCheck) isOwned(layer, index int, e *inspect.Entry) bool {
	found := c.installed.Compare(layer, index)
	if found.Standing != ospackages.Changed {
		if p, _ := c.installed.Owner(e.Path); p == nil && !c.installed.State(e.Path) {
			return false
		}
	}
	switch found.Standing {
	case ospackages.Changed:
		c.changed(layer, e, found)
		return false
	case ospackages.Config, ospackages.Made, ospackages.Diverted:
		return false // by a script or by hand: an instruction may explain it
	case ospackages.Unread:
		c.Undecided(layer, e.Path, "closure/digest-not-taken", "package", check.Brief(found.Package), "digest", found.Recorded)
	case ospackages.OwnRecord:
		c.recorded++
	}
	return !c.excludes(layer, e)
}

// changed adds a file that has other bytes than its package's record. A RUN can
// have changed it, honestly, and a COPY that names it has; a COPY or ADD to
// another place cannot: then the image contradicts its own packages.
func (c *closureCheck) changed(layer int, e *inspect.Entry, found ospackages.Comparison) {
	level := check.Undecided
	if c.excludes(layer, e) {
		level = check.Problem
	}
	c.Append(check.Find(level, layer, e.Path, "closure/package-file-changed", "package", check.Brief(found.Package),
		"version", check.Brief(found.Version), "digest", found.Recorded, "instruction", c.by[layer]))
}

// excludes says whether it is known which instructions made a layer, and that
// none of them writes an entry, or not where links lead it to.
func (c *closureCheck) excludes(layer int, e *inspect.Entry) bool {
	isFolder := e.Type == '5'
	return c.omits(layer, e.Path, isFolder) || c.omits(layer, c.installed.Place(e), isFolder)
}

// omits says whether it is known which instructions made a layer, and that none of
// them writes at a path.
func (v *view) omits(layer int, p string, isFolder bool) bool {
	return len(v.made[layer]) > 0 && !slices.ContainsFunc(v.made[layer], func(r reach) bool {
		return r.unknown || r.has(hidden(p), isFolder)
	})
}

// records adds what layers did to the databases that lower layers have: what no
// instruction of theirs can have written, and records that differ though the package
// has the same version. A RUN may remove records, and slim images do.
func (c *closureCheck) records() {
	for _, change := range c.installed.Changes {
		c.Problem(change.Layer, change.Entry.Path, "closure/package-record-changed", "instruction", c.by[change.Layer])
	}
	for _, r := range c.installed.Replacements {
		if r.Layer < c.baseLayers || r.Removed && c.runs(r.Layer) {
			continue
		}
		c.Undecided(r.Layer, r.Path, "closure/package-record-replaced", "package", check.Brief(r.Package),
			"version", check.Brief(r.Version), "digest", r.Recorded, "instruction", c.by[r.Layer])
	}
}

// runs says whether an instruction that made a layer can have written anything, or
// none is known.
func (c *closureCheck) runs(layer int) bool {
	return len(c.made[layer]) == 0 || slices.ContainsFunc(c.made[layer], func(r reach) bool { return r.anything })
}

// conclude makes the check of what was gathered. What the history alone explains
// is undecided: it says what an instruction could write.
func (c *closureCheck) conclude() check.Check {
	if c.written > 0 {
		c.Undecided(-1, "", "closure/explained-by-instruction", "entries", c.written)
	}
	if c.ruled > 0 {
		c.Undecided(-1, "", "closure/explained-by-rule", "entries", c.ruled)
	}
	out := c.Check(check.Say("closure/explained-by-packages", "explained", c.entries-c.unexplained,
		"entries", c.entries, "base", c.base, "owned", c.owned, "own-record", c.recorded, "made", c.vouched, "ruled", c.ruled, "written", c.written,
		"dpkg", c.packages(ospackages.Dpkg), "apk", c.packages(ospackages.Apk), "rpm", c.packages(ospackages.Rpm)), c.bytes)
	switch {
	case c.entries == 0:
		out.Status, out.Reasons = check.Unknown, []check.Message{check.Say("closure/no-entries")}
	case out.Status == check.Pass:
		out.Bytes = c.img.LayerBytes()
	}
	return out
}

// packages counts the packages of a manager.
func (c *closureCheck) packages(m ospackages.Manager) (n int) {
	for _, p := range c.installed.Packages {
		if p.Manager == m {
			n++
		}
	}
	return n
}
