package docker

import (
	"crypto/sha256"
	"slices"
	"strings"
	"unicode/utf8"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance"
	"audit/provenance/base"
	"audit/provenance/docker/slsa"
	"audit/provenance/statement"
)

// provenances returns the attestations beside an image that are SLSA provenance: those
// that say so themselves, and those of its index that cannot be read and are labelled so.
func provenances(img *inspect.Image) []image.Attestation {
	const prefix = "https://slsa.dev/provenance/"
	var found []image.Attestation
	for _, a := range img.Attestations {
		d, err := statement.Read(a.Raw)
		labelled := a.Place == image.InIndex && strings.HasPrefix(a.Annotations["in-toto.io/predicate-type"], prefix)
		if err == nil && strings.HasPrefix(d.Statement.PredicateType, prefix) || err != nil && labelled {
			found = append(found, a)
		}
	}
	return found
}

// Attestations are what the provenance beside an image comes to.
type Attestations struct {
	// Build is what counts: the first statement of BuildKit that is about this
	// very image, else the first of another builder; nil when there is none.
	// BuildKit names no subject where the image has no name: the index alone says
	// then which image the statement is about.
	Build    *slsa.Build
	Location provenance.Location // of Build
	Signed   []string            // names of the keys whose signatures of Build are verified
	Wrong    []check.Finding     // statements that contradict the image
	Unread   []check.Finding     // statements that cannot be read
}

// Attested reads the provenance beside an image.
func Attested(img *inspect.Image) Attestations {
	var found Attestations
	for _, a := range provenances(img) {
		path := "blobs/" + a.Digest.Algorithm + "/" + a.Digest.Hex
		b, err := slsa.Parse(a.Raw)
		switch {
		case err != nil:
			found.Unread = append(found.Unread, check.Find(check.Undecided, -1, path, "recipe/attestation-unread",
				"error", check.Brief(err.Error())))
		case a.Place != image.InIndex && !slices.Contains(b.Subjects, img.Manifest.Digest.Hex): // anybody can put one there
		case len(b.Subjects) > 0 && !slices.Contains(b.Subjects, img.Manifest.Digest.Hex) || img.Manifest.Digest.Hex == "":
			found.Wrong = append(found.Wrong, check.Find(check.Problem, -1, path, "recipe/subject-mismatch",
				"subjects", subjects(b), "manifest", img.Manifest.Digest))
		case found.Build == nil || b.BuildKit() && !found.Build.BuildKit():
			found.Build = b
			found.Location = provenance.Location{Layer: -1, Path: path, Digest: sha256.Sum256(a.Raw)}
			if found.Signed = nil; len(b.Subjects) > 0 {
				found.Signed = a.SignedBy
			}
		}
	}
	return found
}

func subjects(b *slsa.Build) []string {
	var found []string
	for _, s := range b.Subjects {
		found = append(found, "sha256:"+check.Brief(s))
	}
	return found[:min(len(found), 3)]
}

// attested notes what is wrong with the attestations and returns the build that
// counts, nil when there is none.
func (r *recovery) attested() *slsa.Build {
	found := Attested(r.img)
	r.found.Append(found.Wrong...)
	r.found.Append(found.Unread...)
	r.wrong = found.Wrong
	for _, f := range slices.Concat(found.Wrong, found.Unread) {
		r.recipe.Missing = append(r.recipe.Missing, f.Message)
	}
	if found.Build != nil {
		r.recipe.Locations = append(r.recipe.Locations, found.Location)
	}
	r.signedBy = found.Signed
	return found.Build
}

// describeBuild takes from a statement what it says. It is asserted, by nobody or by
// who signed it, so that no recipe is complete by it alone.
func (r *recovery) describeBuild(b *slsa.Build) {
	mode := "max"
	if b.MinMode() {
		mode = "min"
	}
	if len(b.Subjects) == 0 {
		r.note(-1, "recipe/no-subject")
	}
	r.note(-1, "recipe/attestation", "predicate", check.Brief(b.Predicate), "mode", mode, "builder", check.Brief(b.Builder), "signers", r.signedBy)
	if b.Context.URI != "" {
		r.note(-1, "recipe/build-context", "address", check.Brief(b.Context.URI), "commit", commitOf(b))
	}
	if c, ok := channel(b); ok {
		r.recipe.Channels = append(r.recipe.Channels, c)
	}
	for _, m := range b.Materials {
		r.note(-1, "recipe/material", "address", check.Brief(m.URI), "digest", digest(m))
	}
	if b.VCSSource != "" || b.VCSRevision != "" {
		r.note(-1, "recipe/asserted-source", "source", check.Brief(b.VCSSource), "revision", check.Brief(b.VCSRevision))
	}
	r.lacks(b.Obstacles()...)
	if text, ok := Text(b); ok {
		r.recipe.Files = append(r.recipe.Files, provenance.File{Name: "Dockerfile", Text: text})
	} else {
		r.attestedBase(b)
		r.addHistory()
	}
	if len(r.signedBy) > 0 {
		r.lacks(check.Say("recipe/signed-attestation", "signers", r.signedBy))
	} else {
		r.lacks(check.Say("recipe/unsigned-attestation"))
	}
}

// attestedBase takes the base from a statement without a Dockerfile that names one image:
// of several it is not known which.
func (r *recovery) attestedBase(b *slsa.Build) {
	var images []slsa.Material
	for _, m := range b.Materials {
		if m.Kind() == slsa.Image && !strings.HasPrefix(m.Reference(), "docker.io/docker/dockerfile:") {
			images = append(images, m)
		}
	}
	if len(images) != 1 {
		return
	}
	by := base.Claim
	if len(r.signedBy) > 0 {
		by = base.Signed
	}
	r.base.Set(images[0].Reference(), images[0].SHA256(), by)
}

// commitOf is the commit of the build context, "" for none.
func commitOf(b *slsa.Build) string {
	pinned, _ := b.PinnedContext()
	_, commit, _ := strings.Cut(pinned, "#")
	return check.Brief(commit)
}

// digest is the digest or commit of a material, "" when none is recorded.
func digest(m slsa.Material) string {
	if m.Kind() == slsa.Git {
		return m.Commit()
	}
	return m.SHA256()
}

// channel is the repository that an image was built from.
func channel(b *slsa.Build) (provenance.Channel, bool) {
	if b.Context.Kind() != slsa.Git {
		return provenance.Channel{}, false
	}
	address, ref, _ := b.Context.Git()
	pinned, ok := b.PinnedContext()
	if !ok {
		return provenance.Channel{}, false
	}
	_, fragment, _ := strings.Cut(pinned, "#")
	commit, _, _ := strings.Cut(fragment, ":")
	if ref == commit {
		ref = ""
	}
	return provenance.Channel{Name: "source", URL: address, Branch: ref, Commit: commit}, true
}

// Text returns the Dockerfile that a statement contains, false when there is none
// that is a text.
func Text(b *slsa.Build) ([]byte, bool) {
	for _, f := range b.Files {
		if f.Name != b.Dockerfile && !(b.Dockerfile == "" && f.Name == "Dockerfile") && len(b.Files) > 1 {
			continue
		}
		if len(f.Data) > 0 && utf8.Valid(f.Data) && !strings.Contains(string(f.Data), "\x00") {
			return f.Data, true
		}
	}
	return nil, false
}
