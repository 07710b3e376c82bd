// Package apptainer recovers what images of Apptainer and Singularity say of the
// definition file that they were built from: the data object of a SIF, and what
// both lay down in the folder .singularity.d.
//
// All of it is the image's own, unsigned word. It gives a recipe that is partial,
// and explains no file better than the history of a Dockerfile does.
package apptainer

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
)

// Name is that of the build system.
const Name provenance.SystemName = "apptainer"

const (
	folder         = ".singularity.d"
	definitionPath = folder + "/Singularity"
	labelsPath     = folder + "/labels.json"
	runscriptPath  = folder + "/runscript"
	definitionFile = "Singularity.def"
)

// Keep says whether this package needs the content of the file at a path.
func Keep(path string) bool {
	switch path {
	case definitionPath, labelsPath, runscriptPath:
		return true
	}
	return ospackages.Keep(path) || provenance.IsKey(path)
}

// System recovers the recipes of images that Apptainer or Singularity built. The
// image must have been opened with [Keep].
type System struct{}

// Recover returns what the image says about how it was built, or
// [provenance.ErrNotMine] when it has no definition, or claims the digests of its
// layers: then another tool made it of what Apptainer had built.
func (System) Recover(img, _ *inspect.Image) (*provenance.Evidence, error) {
	if img.Claims() {
		return nil, provenance.ErrNotMine
	}
	r := recovery{img: img, found: check.List{Notes: check.Alike}, recipe: provenance.Recipe{System: Name, Status: provenance.Partial}}
	if !r.definition() {
		return nil, provenance.ErrNotMine
	}
	r.describe()
	ev := &provenance.Evidence{Recipe: r.recipe, Recover: r.check(), Installed: ospackages.Read(img)}
	ev.Close = func(words *vouch.Entries) check.Check { return closure(img, ev.Installed, words) }
	ev.Closure = ev.Close(nil)
	return ev, nil
}

// A recovery is a recipe on its way.
type recovery struct {
	img    *inspect.Image
	stages []Stage
	whole  bool
	recipe provenance.Recipe
	found  check.List
}

// definition finds the definition: the object of a SIF, else the file.
func (r *recovery) definition() bool {
	var object, text []byte
	for _, d := range r.img.Documents {
		if d.Kind == "definition" && object == nil {
			object = d.Raw
			r.found.Note(-1, d.Member, "recipe/evidence", "digest", d.Digest)
		}
	}
	file, f, ok := r.img.Root().Content(definitionPath)
	if ok {
		r.source(f)
	}
	if text = object; text == nil {
		text = file
	}
	d, whole := parse(string(text))
	if len(d.Stages) == 0 {
		return false
	}
	if object != nil && ok && !bytes.Equal(bytes.TrimSpace(object), bytes.TrimSpace(file)) {
		r.found.Undecided(f.Layer, definitionPath, "recipe/definitions-differ")
	}
	r.stages, r.whole = d.Stages, whole
	r.recipe.Files = []provenance.File{{Name: definitionFile, Text: []byte(check.Printable(string(text)))}}
	return true
}

func (r *recovery) source(f inspect.File) {
	r.recipe.Locations = append(r.recipe.Locations, provenance.Location{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
}

func (r *recovery) last() Stage { return r.stages[len(r.stages)-1] }

// describe fills in the recipe.
func (r *recovery) describe() {
	r.recipe.Packer = "apptainer build or singularity build"
	r.recipe.Missing = append(r.recipe.Missing, check.Say("recipe/definition-unsigned"))
	if !r.whole {
		r.recipe.Missing = append(r.recipe.Missing, check.Say("recipe/definition-cut", "sections", maxSections))
	}
	for _, s := range r.stages {
		r.stage(s)
	}
	r.labels()
	r.runscript()
}

func (r *recovery) stage(s Stage) {
	base := check.Brief(s.From)
	switch {
	case s.hasBase() && s.isPinned():
		r.found.Note(-1, "", "recipe/definition-base", "agent", check.Brief(s.Bootstrap), "base", base)
	case s.hasBase():
		r.recipe.Missing = append(r.recipe.Missing, check.Say("recipe/definition-base-unpinned", "agent", check.Brief(s.Bootstrap), "base", base))
	default:
		r.recipe.Missing = append(r.recipe.Missing, check.Say("recipe/definition-agent", "agent", check.Brief(s.Bootstrap)))
	}
	for _, section := range s.Sections {
		r.found.Note(-1, "", "recipe/definition-section", "section", "%"+check.Brief(section.Name+" "+section.Arguments),
			"lines", strings.Count(section.Text, "\n"), "stage", check.Brief(s.Name))
	}
}

// labels compares labels.json with %labels, and takes the tool's version from it.
func (r *recovery) labels() {
	raw, f, ok := r.img.Root().Content(labelsPath)
	if !ok {
		return
	}
	r.source(f)
	var have map[string]any
	if err := json.Unmarshal(raw, &have); err != nil {
		r.found.Undecided(f.Layer, labelsPath, "recipe/labels-unread", "error", check.Brief(err.Error()))
		return
	}
	value := func(key string) string { s, _ := have[key].(string); return s }
	for _, tool := range []string{"singularity", "apptainer"} {
		if version := value("org.label-schema.usage." + tool + ".version"); version != "" {
			r.recipe.Packer = tool + " build (" + check.Brief(version) + ")"
		}
	}
	want := r.last().labels()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got := value(key); got != want[key] && !strings.Contains(want[key], "{{") {
			r.found.Undecided(f.Layer, labelsPath, "recipe/label-differs", "label", check.Brief(key), "value", check.Brief(got), "wanted", check.Brief(want[key]))
		}
	}
	const from = "org.label-schema.usage.singularity.deffile.from"
	if got := value(from); got != "" && r.last().From != "" && got != r.last().From && !strings.Contains(r.last().From, "{{") {
		r.found.Undecided(f.Layer, labelsPath, "recipe/label-differs", "label", from, "value", check.Brief(got), "wanted", check.Brief(r.last().From))
	}
}

// runscript compares the script that a container runs with %runscript.
func (r *recovery) runscript() {
	want, ok := r.last().section("runscript")
	raw, f, there := r.img.Root().Content(runscriptPath)
	if there {
		r.source(f)
	}
	text := strings.TrimSpace(want.Text)
	if ok && there && !strings.Contains(text, "{{") && !strings.Contains(string(raw), text) {
		r.found.Undecided(f.Layer, runscriptPath, "recipe/runscript-differs", "digest", sha256Of(raw))
	}
}

func sha256Of(raw []byte) inspect.Sum { return inspect.Sum(sha256.Sum256(raw)) }

// check is the check named recipe.
func (r *recovery) check() check.Check {
	c := check.Check{ID: check.Recipe, Status: check.Unknown}
	for _, m := range r.recipe.Missing {
		r.found.Append(check.Finding{Message: m, Level: check.Undecided, Layer: -1})
	}
	for _, s := range r.recipe.Locations {
		r.found.Note(s.Layer, s.Path, "recipe/evidence", "digest", s.Digest)
	}
	c.Findings = r.found.All()
	sections := 0
	for _, s := range r.stages {
		sections += len(s.Sections)
	}
	c.Because("recipe/partial-definition", "sections", sections, "stages", len(r.stages), "packer", r.recipe.Packer)
	c.Reasons = append(c.Reasons, r.recipe.Missing...)
	return c
}
