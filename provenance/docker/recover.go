package docker

import (
	"crypto/sha256"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/docker/slsa"
)

// Name is that of the build system.
const Name provenance.SystemName = "docker"

// System recovers the recipes of images that were built from a Dockerfile. The
// image must have been opened with [Keep]. It is to be asked last: images of
// other tools that carry a history or a package database are taken too, with no
// recipe and the system [provenance.UnknownSystem].
type System struct{}

// Recover returns what the image says about how it was built, or
// [provenance.ErrNotMine] when it says nothing at all.
func (System) Recover(img, base *inspect.Image) (*provenance.Evidence, error) {
	v := newView(img, base)
	r := &recovery{view: v, found: check.List{Notes: check.Alike}, recipe: provenance.Recipe{System: Name, Status: provenance.None}}
	switch tool := generator(img); {
	case r.fromDockerfile():
	case tool != "" || len(v.history) > 0 || len(v.installed.Databases) > 0 || len(v.installed.Problems) > 0:
		r.recipe.System, r.recipe.Packer = provenance.UnknownSystem, tool
	default:
		return nil, provenance.ErrNotMine
	}
	if base != nil {
		r.lookAtBase()
	}
	r.describe()
	ev := &provenance.Evidence{Recipe: r.recipe, Recover: r.check(), Installed: v.installed, Base: &v.base, Explains: v.explains}
	ev.Closure, ev.Close = v.closure(nil), v.closure
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
	found  check.List
	wrong  []check.Finding // of found: statements that contradict the image
	// lacking is what the recipe lacks for other reasons than a statement, which is
	// found with its place.
	lacking []check.Message
	// signedBy are those whose keys signed the provenance that counts.
	signedBy []string
}

func (r *recovery) note(layer int, code string, args ...any) { r.found.Note(layer, "", code, args...) }

// lacks adds what the recipe lacks.
func (r *recovery) lacks(missing ...check.Message) {
	r.recipe.Missing = append(r.recipe.Missing, missing...)
	r.lacking = append(r.lacking, missing...)
}

// lookAtBase notes what a look at the base image shows.
func (r *recovery) lookAtBase() {
	if r.baseLayers > 0 {
		r.found.Append(check.Finding{Message: r.baseFound, Level: check.Note, Layer: -1})
		return
	}
	r.lacks(r.baseFound)
}

// describe fills in the recipe.
func (r *recovery) describe() {
	r.addConfig()
	build := r.attested()
	if r.recipe.System == provenance.UnknownSystem {
		r.lacks(check.Say("recipe/no-system"))
		return
	}
	if r.recipe.Packer == "" {
		r.recipe.Packer = packer(r.img, r.history, build)
	}
	if len(r.history) > 0 {
		r.recipe.Status = provenance.Partial
	}
	if !r.unclear.IsZero() && !flattened(r.img) {
		r.found.Append(check.Finding{Message: r.unclear, Level: check.Note, Layer: -1})
	}
	r.source(build)
	r.layers()
	r.arguments()
	r.labels()
	r.unrepeatable(build)
}

// source takes from the image what it was built from.
func (r *recovery) source(build *slsa.Build) {
	switch {
	case flattened(r.img):
		r.lacks(check.Say("recipe/flattened"))
	case build == nil:
		if len(provenances(r.img)) == 0 {
			r.lacks(check.Say("recipe/no-attestation"))
		}
		r.addHistory()
	default:
		r.describeBuild(build)
	}
}

// addConfig names the config as evidence where it has a history.
func (r *recovery) addConfig() {
	if len(r.history) == 0 {
		return
	}
	digest := sha256.Sum256(r.img.Config.Raw)
	r.recipe.Locations = append(r.recipe.Locations,
		provenance.Location{Layer: -1, Path: r.img.Config.Member, Digest: digest})
}
