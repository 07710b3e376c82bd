package guix

import (
	"path"
	"slices"

	"audit/inspect/paths"
	"audit/provenance/guix/profile"
)

// A union is the tree of a profile as Guix builds it from store items: a folder for
// each that several of them have, and a symlink for anything else (Guix 1.5, modules
// (guix build union), union-build, and (guix build profiles), build-profile).
type union struct {
	v    *view
	root string // the profile, an absolute path
	// Paths below root, without leading slash: folders, and where symlinks lead, of
	// several candidates the one that Guix takes first.
	folders map[string]bool
	links   map[string][]string
	steps   *int // that are left: links in the inputs can make a tree without end
}

// stepsOfUnions is how many entries all unions together may look at, for each entry of
// the image.
const stepsOfUnions = 16

// newUnion builds the tree of a profile from its inputs, in their order. It is false
// when it takes more than the steps that are left.
func (v *view) newUnion(root string, inputs []string, steps *int) (*union, bool) {
	u := &union{v: v, root: root, folders: make(map[string]bool), links: make(map[string][]string), steps: steps}
	u.merge("", inputs)
	// build-profile puts its own manifest in the place of any that an input has.
	delete(u.links, "manifest")
	u.openEtc()
	return u, *steps > 0
}

// merge makes a folder of what is in several.
func (u *union) merge(dst string, inputs []string) {
	u.folders[dst] = true
	sources := make(map[string][]string)
	var names []string
	for _, in := range inputs {
		for _, name := range u.v.children(u.v.real(in)) {
			if *u.steps--; *u.steps <= 0 {
				return
			}
			if sources[name] == nil {
				names = append(names, name)
			}
			sources[name] = append(sources[name], in+"/"+name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		u.entry(path.Join(dst, name), sources[name])
	}
}

// entry makes a folder where all sources are folders, else a link to the first of
// them, folders before files.
func (u *union) entry(dst string, sources []string) {
	if len(sources) == 1 {
		u.links[dst] = sources
		return
	}
	var folders, files []string
	for _, s := range sources {
		if f, ok := u.v.files.At(u.v.real(s)); ok && f.Type == '5' {
			folders = append(folders, s)
		} else {
			files = append(files, s)
		}
	}
	if len(files) == 0 {
		u.merge(dst, folders)
		return
	}
	u.links[dst] = append(folders, files...)
}

// openEtc makes a folder of etc, which is to have the file profile.
func (u *union) openEtc() {
	if targets := u.links["etc"]; targets != nil {
		delete(u.links, "etc")
		for _, name := range u.v.children(u.v.real(targets[0])) {
			u.links["etc/"+name] = []string{targets[0] + "/" + name}
		}
	}
	u.folders["etc"] = true
	delete(u.links, "etc/profile")
}

// leads says whether a symlink of the profile leads where it should: by an absolute
// path or, in a relocatable profile, by a relative one.
func (u *union) leads(at, linkname, target string) bool {
	return linkname == target || linkname == RelativeName(path.Dir(u.root+"/"+at), target)
}

// manifestInputs are the store items that the entries of a manifest and what they
// propagate bring into its profile, in the order of Guix (module (guix profiles),
// manifest-transitive-entries), each once.
func manifestInputs(p *profile.Profile) []string {
	var inputs []string
	seen := make(map[string]bool)
	for _, e := range p.All() {
		if !seen[e.Path] {
			seen[e.Path] = true
			inputs = append(inputs, e.Path)
		}
	}
	return inputs
}

// children lists the names in a folder of the root file system, sorted.
func (v *view) children(folder string) []string {
	if v.names == nil {
		v.names = make(map[string][]string)
		for f := range v.files.All() {
			if f.Path != "." {
				dir := path.Dir(f.Path)
				v.names[dir] = append(v.names[dir], path.Base(f.Path))
			}
		}
	}
	return v.names[folder]
}

// real follows the symlink that an absolute path may be, and returns the path of what
// it leads to without leading slash. More links than Linux follows lead nowhere.
func (v *view) real(p string) string {
	for range 40 {
		f, ok := v.files.At(paths.Clean(p))
		if !ok {
			next, found := v.follow(paths.Clean(p))
			if !found {
				return paths.Clean(p)
			}
			p = "/" + next
			continue
		}
		if f.Type != '2' {
			return f.Path
		}
		p = absolute(f)
	}
	return ""
}
