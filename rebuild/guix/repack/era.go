package repack

import (
	"fmt"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/guix"
	"audit/provenance/guix/profile"
)

// An era is a span of Guix versions that packed alike (guix/docker.scm and
// guix/build/pack.scm at the tags v1.0.0 to v1.5.0).
type era struct {
	name        string
	first, last int // minor versions of Guix 1 that packed so
	comments    int // lines of comment that a profile's manifest of version 3 must begin with; 0 for any

	sorted     bool // tar got --sort=name
	linked     bool // tar did not get --hard-dereference
	extraFirst bool // what stands outside the store comes before the items
	bareLinks  bool // symlinks outside the store come without the folders above them
	tmp        bool // there is a /tmp
	storeDirs  bool // /gnu and /gnu/store have entries of their own
	dotted     bool // names begin with "./"
	fromRoot   bool // tar got one folder that has everything
	named      bool // tar got the store, folders and symlinks by name
	populated  bool // what stands outside the store is a root folder, whose own entries tar does not sort but by --sort
	env        bool // the config has search paths
	history    bool // the config has a history
	layers     layering
}

// A layering is how an era makes images of more than one layer.
type layering int

const (
	single layering = iota // it does not
	plain                  // with tar as it comes: the owners of the builder, readdir's order
	pinned                 // with options that leave nothing to chance
)

// eras lists the eras; those after 1.5 are taken to pack as 1.5 does until
// they are seen to do otherwise. What was packed by commits between releases comes
// last, so that a release is preferred.
func eras() []era {
	return []era{
		{name: "Guix 1.0", first: 0, last: 0, sorted: true, linked: true, bareLinks: true},
		{name: "Guix 1.1 and 1.2", first: 1, last: 2, sorted: true, linked: true, tmp: true, env: true},
		{name: "Guix 1.3", first: 3, last: 3, sorted: true, tmp: true, env: true},
		{name: "Guix 1.4", first: 4, last: 4, tmp: true, env: true, layers: plain},
		{name: "Guix 1.5", first: 5, last: latest, tmp: true, env: true, history: true, extraFirst: true, storeDirs: true, layers: pinned},
		{name: "Guix between 1.0 and 1.1", first: 0, last: 1, sorted: true, linked: true, bareLinks: true, env: true},
		{name: "Guix between 1.3 and 1.4", first: 3, last: 3, comments: 4, tmp: true, env: true},
		{name: "Guix of spring 2025, before 1.5", first: 4, last: 5, tmp: true, env: true, history: true, layers: pinned},
	}
}

// erasOf lists the eras of the packer of one form.
func erasOf(format string) []era {
	switch format {
	case tarball:
		return []era{
			{name: "guix pack -f tarball since Guix 1.4", first: 4, last: latest, sorted: true, dotted: true, fromRoot: true},
			{name: "guix pack -f tarball between Guix 1.3 and 1.4", first: 3, last: 3, comments: 4, sorted: true, dotted: true, fromRoot: true},
			{name: "guix pack -f tarball up to Guix 1.3", first: 0, last: 3, sorted: true, linked: true, dotted: true, named: true},
			{name: "guix pack -f tarball of Guix 1.3, without hard links", first: 3, last: 3, sorted: true, dotted: true, named: true},
		}
	case system:
		list := eras()
		for i := range list {
			list[i].name = "guix system image of " + list[i].name
			list[i].extraFirst, list[i].populated, list[i].bareLinks, list[i].tmp, list[i].storeDirs = true, true, false, false, false
		}
		return list
	}
	return eras()
}

// The forms that can be packed again, as a recipe names them.
const (
	docker  = "docker"
	tarball = "tarball"
	system  = "system-docker"
)

// latest stands for all versions to come.
const latest = 99

// A span is a run of minor versions of Guix 1.
type span struct{ first, last int }

// both returns what is in s and in t; false says that this is nothing.
func (s span) both(t span) (span, bool) {
	u := span{max(s.first, t.first), min(s.last, t.last)}
	return u, u.first <= u.last
}

func (s span) String() string {
	if s.last == latest {
		return fmt.Sprintf("1.%d and later", s.first)
	}
	return fmt.Sprintf("1.%d to 1.%d", s.first, s.last)
}

// candidates returns the eras whose rules may have made the image: those of
// the versions that the recipe names, all when it names none. The recipe may
// take the era from the order of entries, which is what is checked here; so the
// profile's manifest decides where the two contradict each other, and doubt says
// that they do.
func candidates(img *inspect.Image, pack guix.Pack) (fit []era, doubt check.Message) {
	shown := manifestSpan(img, pack.Root)
	both, ok := versions(pack.Era).both(shown)
	if !ok {
		both = shown
		doubt = check.Say("repack/era", "manifest", shown, "recipe", pack.Era)
	}
	text, _ := profileFile(img, pack.Root, "manifest")
	for _, e := range erasOf(pack.Format) {
		if _, ok := both.both(span{e.first, e.last}); ok && e.mayComment(text) {
			fit = append(fit, e)
		}
	}
	return fit, doubt
}

// mayComment says whether a profile's manifest may be of the era by the comment
// that it begins with: without --sort=name that is what separates what was packed
// since 2021 from what was packed before, and put into another order since.
func (e era) mayComment(manifest []byte) bool {
	return e.comments == 0 || manifestVersion(manifest) != 3 || profile.LeadingComments(manifest) == e.comments
}

// manifestSpan infers the era from the version of the profile's manifest: 3 up to
// Guix 1.3, 4 since. A later packer can be given an older profile, so version
// 3 means nothing beside a history in the config, which 1.3 did not write.
func manifestSpan(img *inspect.Image, root string) span {
	text, _ := profileFile(img, root, "manifest")
	switch version := manifestVersion(text); {
	case version == 3 && len(img.Config.File.History) == 0:
		return span{0, 3}
	case version == 4:
		return span{4, latest}
	}
	return span{0, latest}
}

// manifestVersion reads "(manifest (version N)" after lines of comment; 0 when
// there is something else.
func manifestVersion(text []byte) int {
	words := strings.Fields(string(text[:min(len(text), 4096)]))
	for i := range len(words) - 2 {
		if words[i] == "(manifest" && words[i+1] == "(version" {
			n, _ := strconv.Atoi(strings.TrimRight(words[i+2], ")"))
			return n
		}
	}
	return 0
}

// versions returns the minor versions of Guix 1 that a text such as "1.5" or
// "1.1 to 1.3" names, all when it names none.
func versions(text string) span {
	s, found := span{0, latest}, false
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
		rest, ok := strings.CutPrefix(word, "1.")
		digits, _, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(digits)
		if !ok || err != nil || n > latest {
			continue
		}
		if !found {
			s, found = span{n, n}, true
		}
		s = span{min(s.first, n), max(s.last, n)}
	}
	return s
}

// A style is how one tar command of the packer writes.
type style struct {
	sorted  bool // --sort=name: entries of a folder in the order of strcmp
	linked  bool // no --hard-dereference: a file met before becomes a hard link
	numeric bool // --numeric-owner: no names of users, not even in the headers of long names
	perItem bool // each item has a tar process of its own: no link leads out of it
	shared  bool // --mode=go+u,go-w
	edited  bool // tar --delete went over the archive afterwards
	owner   owner
}

// An owner is what the header of every entry says of it.
type owner struct {
	uid, gid     int64
	uname, gname string
}

// whole is the style of the one layer of an image, and of the last of many:
// what does not come out of the store.
func (e era) whole() style {
	return style{sorted: e.sorted, linked: e.linked, edited: !e.dotted, owner: owner{uname: "root", gname: "root"}}
}

// items is the style of the layers of items. Without options tar writes the
// owners that it finds: then they are the image's own.
func (e era) items(found owner) style {
	if e.layers == plain {
		return style{linked: true, perItem: true, owner: found}
	}
	return style{sorted: true, linked: true, numeric: true, perItem: true, shared: true}
}
