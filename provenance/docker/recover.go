package docker

import (
	"crypto/sha256"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

// System recovers the recipes of images that were built from a Dockerfile. The
// image must have been opened with [Keep]. It is to be asked last: images of
// other tools that carry a history or a package database are taken too, with no
// recipe and the system [provenance.UnknownSystem].
type System struct{}

// Recover returns what the image says about how it was built, or
// [provenance.ErrNotMine] when it says nothing at all.
func (System) Recover(img, base *inspect.Image) (*provenance.Evidence, error) {
	v := newView(img)
	r := &recovery{view: v, recipe: provenance.Recipe{System: provenance.Docker, Status: provenance.None}}
	switch tool := generator(img); {
	case r.fromDockerfile():
	case tool != "" || len(v.history) > 0 || len(v.installed.Databases) > 0:
		r.recipe.System, r.recipe.Packer = provenance.UnknownSystem, tool
	default:
		return nil, provenance.ErrNotMine
	}
	if base != nil {
		said, is := v.base(base)
		r.baseSays(said, is)
	}
	r.describe()
	ev := &provenance.Evidence{Recipe: r.recipe, Recover: r.check(), Installed: v.installed}
	ev.Closure = v.closure(&ev.Recipe)
	return ev, nil
}

// fromDockerfile says whether the image bears a trace of a Dockerfile.
func (r *recovery) fromDockerfile() bool {
	if flattened(r.img) || len(provenances(r.img)) > 0 {
		return true
	}
	return slices.ContainsFunc(r.history, func(i Instruction) bool { return i.Keyword != "" })
}

// A recovery is a recipe on its way.
type recovery struct {
	*view
	recipe provenance.Recipe
	wrong  []check.Finding // what contradicts the image
	notes  []check.Finding
}

// describe fills in the recipe.
func (r *recovery) describe() {
	r.addConfig()
	build := r.attested()
	if r.recipe.System == provenance.UnknownSystem {
		r.incomplete("no build system that is known here left its traces in the image")
		return
	}
	if r.recipe.Packer == "" {
		r.recipe.Packer = packer(r.img, r.history, build)
	}
	if len(r.history) > 0 {
		r.recipe.Status = provenance.Partial
	}
	if r.unclear != "" && !flattened(r.img) {
		r.note("history", -1, "%s", r.unclear)
	}
	switch {
	case flattened(r.img):
		r.incomplete("docker export leaves the history and the config of an image behind")
	case build == nil:
		if len(provenances(r.img)) == 0 {
			r.incomplete(NoProvenance)
		}
		r.addHistory()
	default:
		r.describeBuild(build)
	}
	r.layers()
	r.arguments()
	r.labels()
	r.unrepeatable(build)
}

// NoProvenance says what an image lacks that has a history alone.
const NoProvenance = "no SLSA provenance attestation lies beside the image, so its source, its base image and its build context are not told"

// addConfig names the config as evidence where it has a history.
func (r *recovery) addConfig() {
	if len(r.history) == 0 {
		return
	}
	digest := sha256.Sum256(r.img.Config.Raw)
	r.recipe.Sources = append(r.recipe.Sources, provenance.Source{Layer: -1, Path: r.img.Config.Member, Digest: digest})
}

func (r *recovery) incomplete(problem string) { r.recipe.Problems = append(r.recipe.Problems, problem) }
