package guix

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/paths"
	"audit/inspect/store"
	"audit/provenance/guix/profile"
)

// A sign is something of the image that names the store item it was made of.
type sign struct {
	what  check.Message // a code "sign/…"
	roots []string      // store paths, sorted, each once
}

// root finds the store item that the image was made of: the pack's own profile,
// not one that lies somewhere in its closure. The first sign that names exactly
// one decides; signs that name others contradict it. "" when no sign names any.
func (v *view) root() (root string, contradictions []check.Message) {
	signs := v.signs()
	for _, s := range signs {
		if root == "" && len(s.roots) == 1 {
			root = s.roots[0]
		}
	}
	for _, s := range signs {
		if others := without(s.roots, root); root != "" && len(others) > 0 {
			contradictions = append(contradictions, check.Say("recipe/other-root", "sign", s.what, "others", others, "root", root))
		}
	}
	return root, contradictions
}

// signs gathers the signs, the firmest first. An image that has a config and
// does not say there that Guix made it may be any that has Guix installed: the
// profiles that lie about in it say nothing of how it was made, unless the
// layers with store items are like those of a pack. The same goes for the files
// of a distribution.
func (v *view) signs() []sign {
	signs := []sign{
		{check.Say("sign/layer-name"), v.namedByLayer()},
		{check.Say("sign/environment-variable"), v.namedByEnvironment()},
		{check.Say("sign/entry-point"), v.namedByEntryPoint()},
	}
	others := len(v.img.Config.Raw) > 0 && !IsPacked(v.img) || v.isDistribution()
	if others && !v.hasPackLayers() {
		return signs
	}
	return append(signs,
		sign{check.Say("sign/database"), v.namedByDatabase()},
		sign{check.Say("sign/script"), v.namedByScript()},
		sign{check.Say("sign/symlink"), v.namedByLinks()},
		sign{check.Say("sign/no-item"), v.unreferenced()})
}

// hasPackLayers says whether all layers with store items may be those of a pack,
// and so were put beside others as they are.
func (v *view) hasPackLayers() bool {
	for _, l := range v.img.Layers {
		if v.holdsItems(l) && !v.packLayer(l) {
			return false
		}
	}
	return true
}

// isDistribution says whether the files are those of a distribution, which the
// store of Guix is but a part of. A system of Guix that has booted keeps such
// files in its store.
func (v *view) isDistribution() bool {
	for _, p := range []string{"etc/os-release", "usr/lib/os-release", "etc/debian_version", "etc/alpine-release", "etc/redhat-release"} {
		if f, ok := v.files.At(p); ok && f.Type != '5' && !v.leadsIntoStore(p) {
			return len(v.img.Config.Raw) == 0
		}
	}
	return false
}

// leadsIntoStore says whether the symlinks on the way to a path lead into the
// store. More of them than Linux follows lead nowhere.
func (v *view) leadsIntoStore(p string) bool {
	for range 40 {
		if strings.HasPrefix("/"+p, storeDir) {
			return true
		}
		next, ok := v.follow(p)
		if !ok {
			return false
		}
		p = next
	}
	return false
}

// follow puts its target in the place of the first symlink on the way to a path.
func (v *view) follow(p string) (next string, ok bool) {
	parts := strings.Split(p, "/")
	for i := range parts {
		if f, ok := v.files.At(path.Join(parts[:i+1]...)); ok && f.Type == '2' {
			return strings.TrimPrefix(path.Join(absolute(f), path.Join(parts[i+1:]...)), "/"), true
		}
	}
	return "", false
}

func without(roots []string, root string) []string {
	return slices.DeleteFunc(slices.Clone(roots), func(r string) bool { return r == root })
}

// isRoot says whether images are made of a store item of that name: of a
// profile by guix pack, of a system by guix system image.
func isRoot(item string) bool {
	if !strings.HasPrefix(item, storeDir) {
		return false
	}
	name := store.NameOf(item)
	return name == "profile" || name == "system"
}

// namedByLayer finds the item whose path's SHA-256 is the folder of the layer:
// in images of one layer Guix names it so.
func (v *view) namedByLayer() []string {
	var roots []string
	for i := range v.img.Items {
		p := v.img.Items[i].Path
		if !isRoot(p) {
			continue
		}
		sum := sha256.Sum256([]byte(p))
		id := hex.EncodeToString(sum[:])
		if slices.ContainsFunc(v.img.Layers, func(l *inspect.Layer) bool { return path.Dir(paths.Clean(l.Member)) == id }) {
			roots = append(roots, p)
		}
	}
	return roots
}

func (v *view) namedByEnvironment() []string {
	if v.img.Config.File.Config.Env == nil {
		return nil
	}
	var values []string
	for _, variable := range v.img.Config.File.Config.Env {
		_, value, _ := strings.Cut(variable, "=")
		values = append(values, value)
	}
	return rootsOf(values)
}

// namedByEntryPoint looks at the program, and of a system at its argument too.
func (v *view) namedByEntryPoint() []string {
	return rootsOf(v.img.Config.File.Config.Entrypoint[:min(2, len(v.img.Config.File.Config.Entrypoint))])
}

// The links that --localstatedir makes to the profile. The first is called as
// --profile-name says, of which there are two values, and leads to the second.
const (
	profileFolder = "var/guix/profiles/per-user/root"
	usualName     = "guix-profile"
	guixsOwnName  = "current-guix"
	generation    = "-1-link"
	systemLink    = "var/guix/profiles/system-1-link"
)

func (v *view) namedByDatabase() []string {
	var targets []string
	for _, link := range []string{path.Join(profileFolder, usualName+generation), path.Join(profileFolder, guixsOwnName+generation), systemLink} {
		if f, ok := v.files.At(link); ok && f.Type == '2' {
			targets = append(targets, f.Linkname)
		}
	}
	return rootsOf(targets)
}

// namedByScript finds what the script in a squashfs refers to.
func (v *view) namedByScript() []string {
	link, ok := v.files.At(environmentLink)
	if !ok || link.Type != '2' {
		return nil
	}
	script := v.items[v.img.Stores.ItemOf(strings.TrimPrefix(absolute(link), "/"))]
	if script == nil {
		return nil
	}
	return rootsOf(script.References)
}

func (v *view) namedByLinks() []string {
	var targets []string
	for f := range v.files.All() {
		if f.Type == '2' && !strings.HasPrefix(f.Path, storeDir[1:]) && !strings.HasPrefix(f.Path, "var/guix/") {
			targets = append(targets, absolute(f))
		}
	}
	return rootsOf(targets)
}

// absolute returns where a symlink leads.
func absolute(f inspect.File) string {
	if strings.HasPrefix(f.Linkname, "/") {
		return f.Linkname
	}
	return path.Join("/"+path.Dir(f.Path), f.Linkname)
}

// rootsOf returns the profiles and systems that texts begin with.
func rootsOf(texts []string) []string {
	var roots []string
	for _, text := range texts {
		if item := profile.Store().ItemOf(strings.TrimPrefix(text, "/")); isRoot(item) && strings.HasPrefix(text, "/") {
			roots = append(roots, item)
		}
	}
	slices.Sort(roots)
	return slices.Compact(roots)
}

// unreferenced lists the profiles and systems of the image that no other store
// item refers to.
func (v *view) unreferenced() []string {
	inner := make(map[string]bool)
	for i := range v.img.Items {
		for _, to := range v.img.Items[i].References {
			if to != v.img.Items[i].Path {
				inner[to] = true
			}
		}
	}
	var roots []string
	for i := range v.img.Items {
		if p := v.img.Items[i].Path; isRoot(p) && !inner[p] {
			roots = append(roots, p)
		}
	}
	return roots
}

// packerLinks lists the links outside the store that lead into the profile as
// guix pack -S makes them, sorted. A squashfs has one of its own.
func (v *view) packerLinks(root, format string) []Symlink {
	var links []Symlink
	for f := range v.files.All() {
		link, ok := packerLink(f.Entry, root, format)
		if ok && !v.img.Stores.InItem(f.Entry.Path) && (format != formatSquashfs || link != binLink) {
			links = append(links, link)
		}
	}
	return links
}

// packerLink says whether e, which is outside of stores, is a link that guix pack -S makes, and which. A
// link's name cannot hold an equals sign there, and its target stays inside the
// profile.
func packerLink(e *inspect.Entry, root, format string) (Symlink, bool) {
	if e.Type != '2' || strings.Contains(e.Path, "=") || strings.HasPrefix(e.Path, ".singularity.d/") {
		return Symlink{}, false
	}
	into, ok := into(e, root, isRelative(e, format))
	if !ok || strings.Contains(into, "=") || strings.HasPrefix(into, "/") || strings.HasPrefix(path.Clean(into)+"/", "../") {
		return Symlink{}, false
	}
	return Symlink{Source: "/" + e.Path, Target: into}, true
}

// isRelative says whether the links of a format are; where the format shows
// nothing, the link itself does.
func isRelative(e *inspect.Entry, format string) bool {
	switch format {
	case formatTarball, formatSquashfs:
		return true
	case formatLayers, formatUnknown:
		return !strings.HasPrefix(e.Linkname, "/")
	}
	return false
}

// into returns where into the profile a link leads, as its maker has named it.
func into(e *inspect.Entry, root string, relative bool) (string, bool) {
	if !relative {
		return strings.CutPrefix(e.Linkname, root+"/")
	}
	profile := RelativeName(path.Dir("/"+e.Path), root)
	if e.Linkname == profile {
		return "", true
	}
	target, ok := strings.CutPrefix(e.Linkname, profile+"/")
	return target, ok && RelativeName(path.Dir("/"+e.Path), root+"/"+target) == e.Linkname
}
