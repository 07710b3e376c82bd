package repack

import (
	"strconv"
	"strings"

	"audit/provenance"
)

// An era is a span of Guix versions that packed alike (guix/docker.scm and
// guix/build/pack.scm at the tags v1.0.0 to v1.5.0).
type era struct {
	name        string
	first, last int // minor versions of Guix 1 that packed so

	sorted     bool // tar got --sort=name
	linked     bool // tar did not get --hard-dereference
	extraFirst bool // what stands outside the store comes before the items
	bareLinks  bool // symlinks outside the store come without the folders above them
	tmp        bool // there is a /tmp
	storeDirs  bool // /gnu and /gnu/store have entries of their own
	env        bool // the config holds search paths
	history    bool // the config holds a history
	layers     layering
}

// A layering is how an era makes images of more than one layer.
type layering int

const (
	single   layering = iota // it does not
	plain                    // with tar as it comes: the owners of the builder, readdir's order
	normaled                 // with options that leave nothing to chance
)

// eras lists the eras; those after 1.5 are taken to pack as 1.5 does until
// they are seen to do otherwise. The last one overlaps two versions and comes
// last so that a release is preferred to a commit between releases.
func eras() []era {
	return []era{
		{name: "Guix 1.0", first: 0, last: 0, sorted: true, linked: true, bareLinks: true},
		{name: "Guix 1.1 and 1.2", first: 1, last: 2, sorted: true, linked: true, tmp: true, env: true},
		{name: "Guix 1.3", first: 3, last: 3, sorted: true, tmp: true, env: true},
		{name: "Guix 1.4", first: 4, last: 4, tmp: true, env: true, layers: plain},
		{name: "Guix 1.5", first: 5, last: 99, tmp: true, env: true, history: true, extraFirst: true, storeDirs: true, layers: normaled},
		{name: "Guix of spring 2025, before 1.5", first: 4, last: 5, tmp: true, env: true, history: true, layers: normaled},
	}
}

// candidates returns the eras that a recipe allows: those of the versions
// that it names, all when it names none.
func candidates(pack provenance.Pack) []era {
	first, last, ok := versions(pack.Era)
	if !ok {
		return eras()
	}
	var fit []era
	for _, e := range eras() {
		if e.first <= last && first <= e.last {
			fit = append(fit, e)
		}
	}
	return fit
}

// versions returns the lowest and the highest minor version of Guix 1 that a
// text such as "1.5" or "1.1-1.2" names.
func versions(text string) (first, last int, ok bool) {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
		rest, found := strings.CutPrefix(word, "1.")
		digits, _, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(digits)
		if !found || err != nil || n > 99 {
			continue
		}
		if !ok {
			first, last, ok = n, n, true
		}
		first, last = min(first, n), max(last, n)
	}
	return first, last, ok
}

// A style is how one tar command of the packer writes.
type style struct {
	sorted  bool // --sort=name: entries of a folder in the order of strcmp
	linked  bool // no --hard-dereference: a file met before becomes a hard link
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
	return style{sorted: e.sorted, linked: e.linked, edited: true, owner: owner{uname: "root", gname: "root"}}
}

// items is the style of the layers of items. Without options tar writes the
// owners that it finds: then they are the image's own.
func (e era) items(found owner) style {
	if e.layers == plain {
		return style{linked: true, perItem: true, owner: found}
	}
	return style{sorted: true, linked: true, perItem: true, shared: true}
}
