package nix

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/storedb"
)

// System recovers what is known of images that Nix made. The image must have
// been opened with [Keep].
type System struct{}

// Recover returns what the image says about how Nix made it, or
// [provenance.ErrNotMine] when it bears no trace of that. Store items alone are
// none where the history tells of another build system: an image may start from
// one of Nix.
func (System) Recover(img, _ *inspect.Image) (*provenance.Evidence, error) {
	v := newView(img)
	p := v.packer()
	if p == unknownPacker && (v.foreign() || !v.hasItems() && len(v.listedItems()) == 0) {
		return nil, provenance.ErrNotMine
	}
	rows, unread := v.rows()
	ev := &provenance.Evidence{Recipe: v.recipe(p, rows)}
	ev.Recover = v.recipeCheck(&ev.Recipe)
	ev.Closure = v.closure(p, rows, unread)
	return ev, nil
}

// recipe puts together what the image tells.
func (v *view) recipe(p packer, rows []storedb.Item) provenance.Recipe {
	r := provenance.Recipe{System: provenance.Nix, Status: provenance.Partial, Pack: v.pack(p)}
	r.Packer = v.packerText(p, r.Pack.Era)
	r.Packages = v.packages()
	if v.hasLists() {
		digest := sha256.Sum256(v.img.Config.Raw)
		r.Sources = append(r.Sources, provenance.Source{Layer: -1, Path: v.img.Config.Member, Digest: digest})
	}
	if f, ok := v.file(databasePath); ok && f.Type == '0' {
		r.Sources = append(r.Sources, provenance.Source{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
	}
	if p == unknownPacker {
		r.Problems = append(r.Problems, "the way in which the image is packed is that of no packer known here")
	}
	r.Problems = append(r.Problems, v.missing(rows)...)
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

// missing says what of the recipe the image does not tell, and where a part of
// it could be had.
func (v *view) missing(rows []storedb.Item) []string {
	problems := []string{
		"the revision of nixpkgs, or of whatever defines the packages, is not in the image",
		"the expression and the attribute that make the image are not in it; give them with --nix-expr and --nix-attr, --nix-flake, or --nix-drv",
	}
	known := 0
	for _, row := range rows {
		if isStorePath(row.Deriver) {
			known++
		}
	}
	if known > 0 {
		problems = append(problems, fmt.Sprintf("the store's database names the derivations of %s, and does not hold them", provenance.Count(known, "store item")))
	}
	return problems
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
		name, version := splitName(storeName(item))
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
	f, ok := v.file(databasePath)
	if !ok || f.Type != '0' {
		return nil, nil
	}
	data, ok := v.img.Body(f.Layer, f.Path)
	if !ok {
		return nil, errors.New("the image was opened without keeping it")
	}
	return storedb.Read(data)
}

// recipeCheck is the check named recipe: does the image carry, or reveal, how
// it was built? What is missing from a recipe contradicts nothing.
func (v *view) recipeCheck(r *provenance.Recipe) check.Check {
	c := check.Check{ID: check.Recipe, Status: check.Unknown}
	add := func(rule string, level check.Level, layer int, path, message string) {
		c.Findings = append(c.Findings, check.Finding{Rule: rule, Level: level, Layer: layer, Path: path, Words: message})
	}
	for _, problem := range r.Problems {
		add("recipe-incomplete", check.Problem, -1, "", problem)
	}
	for _, s := range r.Sources {
		add("recipe-evidence", check.Note, s.Layer, s.Path, "says what the image is made of; "+s.Digest.String())
	}
	for _, l := range v.asserted() {
		add("asserted-origin", check.Note, -1, v.img.Config.Member, l)
	}
	if root := r.Pack.Root; root != "" {
		add("customisation-layer", check.Note, len(v.img.Layers)-1, root, "the last layer was made from this store item, which is not in the image: evaluating the right expression gives this path")
	}
	c.Summary = fmt.Sprintf("partial: %s, packed by %s; the expression and the revision of nixpkgs are not in the image",
		provenance.Count(len(v.img.Items), "store item"), r.Packer)
	return c
}

// asserted lists what labels say of the origin. Anyone can write a label.
func (v *view) asserted() []string {
	var list []string
	for _, name := range []string{"org.opencontainers.image.source", "org.opencontainers.image.revision"} {
		if value, ok := v.config.Config.Labels[name]; ok {
			list = append(list, fmt.Sprintf("the label %s asserts %s; nothing ties it to the bytes", name, quote(value)))
		}
	}
	return list
}

// quote prints untrusted text for a sentence.
func quote(text string) string {
	const most = 200
	if len(text) > most {
		return strconv.QuoteToGraphic(text[:most]) + "…"
	}
	return strconv.QuoteToGraphic(text)
}
