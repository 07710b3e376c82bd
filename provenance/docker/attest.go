package docker

import (
	"crypto/sha256"
	"slices"
	"strings"
	"unicode/utf8"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/docker/slsa"
	"audit/provenance/statement"
)

// provenances returns the attestations beside an image that are SLSA provenance: those
// that say so themselves, and those of its index that cannot be read and are labelled so.
func provenances(img *inspect.Image) []inspect.Attestation {
	const prefix = "https://slsa.dev/provenance/"
	var found []inspect.Attestation
	for _, a := range img.Attestations {
		d, err := statement.Read(a.Raw)
		labelled := a.Place == inspect.InIndex && strings.HasPrefix(a.Annotations["in-toto.io/predicate-type"], prefix)
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
	Build  *slsa.Build
	Source provenance.Source // of Build
	Wrong  []check.Finding   // statements that contradict the image
	Unread []check.Finding   // statements that cannot be read
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
				"error", brief(err.Error())))
		case a.Place != inspect.InIndex && !slices.Contains(b.Subjects, img.Manifest.Digest.Hex): // anybody can put one there
		case len(b.Subjects) > 0 && !slices.Contains(b.Subjects, img.Manifest.Digest.Hex) || img.Manifest.Digest.Hex == "":
			found.Wrong = append(found.Wrong, check.Find(check.Problem, -1, path, "recipe/subject-mismatch",
				"subjects", subjects(b), "manifest", img.Manifest.Digest))
		case found.Build == nil || b.BuildKit() && !found.Build.BuildKit():
			found.Build = b
			found.Source = provenance.Source{Layer: -1, Path: path, Digest: sha256.Sum256(a.Raw)}
		}
	}
	return found
}

func subjects(b *slsa.Build) []string {
	var found []string
	for _, s := range b.Subjects {
		found = append(found, "sha256:"+brief(s))
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
		r.recipe.Sources = append(r.recipe.Sources, found.Source)
	}
	return found.Build
}

// describeBuild takes from a statement what it says. It is asserted: nothing
// signs it, so that no recipe is complete by it alone.
func (r *recovery) describeBuild(b *slsa.Build) {
	mode := "max"
	if b.MinMode() {
		mode = "min"
	}
	if len(b.Subjects) == 0 {
		r.note(-1, "recipe/no-subject")
	}
	r.note(-1, "recipe/attestation", "predicate", brief(b.Predicate), "mode", mode, "builder", brief(b.Builder))
	if b.Context.URI != "" {
		r.note(-1, "recipe/build-context", "address", brief(b.Context.URI), "commit", commitOf(b))
	}
	if c, ok := channel(b); ok {
		r.recipe.Channels = append(r.recipe.Channels, c)
	}
	for _, m := range b.Materials {
		r.note(-1, "recipe/material", "address", brief(m.URI), "digest", digest(m))
	}
	if b.VCSSource != "" || b.VCSRevision != "" {
		r.note(-1, "recipe/asserted-source", "source", brief(b.VCSSource), "revision", brief(b.VCSRevision))
	}
	r.lacks(b.Obstacles()...)
	if text, ok := Text(b); ok {
		r.recipe.Files = append(r.recipe.Files, provenance.File{Name: "Dockerfile", Text: text})
	} else {
		r.addHistory()
	}
	r.lacks(check.Say("recipe/unsigned-attestation"))
}

// commitOf is the commit of the build context, "" for none.
func commitOf(b *slsa.Build) string {
	pinned, _ := b.PinnedContext()
	_, commit, _ := strings.Cut(pinned, "#")
	return brief(commit)
}

// digest is the digest or commit of a material, "" when none is recorded.
func digest(m slsa.Source) string {
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
