package nix

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/storedb"
)

// Name is the name of this build system.
const Name provenance.SystemName = "nix"

// System recovers what is known of images that Nix made. The image must have
// been opened with [Keep].
type System struct{}

// Recover returns what the image says about how Nix made it, or
// [provenance.ErrNotMine] when it bears no trace of that: a store item, a list of
// them, or the packer's own word. How a tar is written is none. Store items alone
// are none where the history is that of another build system: an image may start
// from one of Nix.
func (System) Recover(img, _ *inspect.Image) (*provenance.Evidence, error) {
	v := newView(img)
	p := v.packer()
	traced := v.hasItems() || len(v.listedItems()) > 0 || v.lastAuthor() == nix2containerAuthor
	if !traced || p == unknownPacker && v.foreign() {
		return nil, provenance.ErrNotMine
	}
	rows, unread := v.rows()
	ev := &provenance.Evidence{Recipe: v.recipe(p, rows)}
	ev.Recover = v.recipeCheck(&ev.Recipe)
	ev.Closure = v.closure(p, rows, unread)
	return ev, nil
}

// recipe puts together what the image reveals.
func (v *view) recipe(p packer, rows []storedb.Item) provenance.Recipe {
	pack := v.pack(p)
	r := provenance.Recipe{System: Name, Status: provenance.Partial, Root: pack.root, Details: pack, Unknown: pack.unknown}
	r.Packer = v.packerText(p, pack.Era)
	r.Packages = v.packages()
	if v.hasLists() {
		digest := sha256.Sum256(v.img.Config.Raw)
		r.Sources = append(r.Sources, provenance.Source{Layer: -1, Path: v.img.Config.Member, Digest: digest})
	}
	if f, ok := v.files.At(DatabasePath); ok && f.Type == '0' {
		r.Sources = append(r.Sources, provenance.Source{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
	}
	r.Missing = v.missing(p, rows)
	return r
}

// packerText names the packer and its time.
func (v *view) packerText(p packer, era string) string {
	switch {
	case p == unknownPacker && v.hasLists():
		return "an unknown packer in the manner of dockerTools.buildLayeredImage, with its history"
	case p == unknownPacker && len(v.writers) == 1 && v.writers[0] == gnuRoot && v.onlyDates():
		return "an unknown packer in the manner of dockerTools.buildImage"
	case p == unknownPacker:
		return "an unknown packer"
	case era == "":
		return p.String()
	}
	return fmt.Sprintf("%s (%s)", p, era)
}

// missing says what of the recipe the image does not reveal, and where a part of
// it could be had.
func (v *view) missing(p packer, rows []storedb.Item) []check.Message {
	var missing []check.Message
	if p == unknownPacker {
		missing = append(missing, check.Say("recipe/unknown-packer"))
	}
	if len(v.revisions()) == 0 {
		missing = append(missing, check.Say("recipe/revision-missing"))
	} else {
		missing = append(missing, check.Say("recipe/revision-unproven"))
	}
	missing = append(missing, check.Say("recipe/expression-missing"))
	known := 0
	for _, row := range rows {
		if isStorePath(row.Deriver) {
			known++
		}
	}
	if known > 0 {
		missing = append(missing, check.Say("recipe/derivations-missing", "items", known))
	}
	return missing
}

// packages lists the store items that the image is for: those that the config
// and the files outside the store name.
func (v *view) packages() []provenance.Package {
	named := make(map[string]bool)
	for _, r := range v.img.Loose {
		if strings.HasPrefix(r.To, storeDir) && v.leads(r) {
			named[r.To] = true
		}
	}
	var list []provenance.Package
	for i := range v.img.Items {
		item := v.img.Items[i].Path
		if !named[item] {
			continue
		}
		name, version := splitName(inspect.StoreName(item))
		list = append(list, provenance.Package{Name: name, Version: version, Path: item})
	}
	return list
}

// splitName splits the name of a store item: the version follows the first dash
// that no letter comes after (Nix 2.8, libexpr/names.cc, DrvName).
func splitName(name string) (pkg, version string) {
	for i := 0; i+1 < len(name); i++ {
		if name[i] == '-' && StartsVersion(name[i+1]) {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

// StartsVersion says whether a character after a dash starts a version: it is no
// letter.
func StartsVersion(c byte) bool { return c|0x20 < 'a' || 'z' < c|0x20 }

// rows reads the store's database; nil without one. The error says why it could
// not be read.
func (v *view) rows() ([]storedb.Item, error) {
	f, ok := v.files.At(DatabasePath)
	if !ok {
		return nil, nil
	}
	return storedb.Of(v.img, f)
}

// recipeCheck is the check named recipe: does the image carry, or reveal, how
// it was built? What is missing from a recipe contradicts nothing.
func (v *view) recipeCheck(r *provenance.Recipe) check.Check {
	found := check.List{Notes: check.Alike} // each is about evidence of its own
	for _, m := range r.Missing {
		found.Append(check.Finding{Message: m, Level: check.Undecided, Layer: -1})
	}
	for _, s := range r.Sources {
		found.Note(s.Layer, s.Path, "recipe/evidence", "digest", s.Digest.String())
	}
	for _, name := range []string{"org.opencontainers.image.source", "org.opencontainers.image.revision"} {
		if value, ok := v.img.Config.File.Config.Labels[name]; ok { // anyone can write a label
			found.Note(-1, v.img.Config.Member, "recipe/asserted-origin", "label", name, "value", check.Clip(value))
		}
	}
	for _, h := range v.revisions() {
		found.Note(h.layer, h.path, "recipe/asserted-revision", "revision", h.revision)
	}
	if r.Root != "" {
		found.Note(len(v.img.Layers)-1, r.Root, "recipe/customisation-layer")
	}
	c := check.Check{ID: check.Recipe, Status: check.Unknown, Findings: found.All()}
	if pack, _ := PackOf(*r); pack.Nixpkgs != "" {
		c.Because("recipe/partial-with-revision", "items", len(v.img.Items), "packer", r.Packer, "revision", pack.Nixpkgs)
		return c
	}
	c.Because("recipe/partial-store-items", "items", len(v.img.Items), "packer", r.Packer)
	return c
}
