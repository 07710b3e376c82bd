package docker

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/docker/slsa"
)

// provenances returns the attestations beside an image that are SLSA
// provenance.
func provenances(img *inspect.Image) []inspect.Attestation {
	var found []inspect.Attestation
	for _, a := range img.Attestations {
		if strings.HasPrefix(a.PredicateType, "https://slsa.dev/provenance/") {
			found = append(found, a)
		}
	}
	return found
}

// Attestations are what the provenance beside an image comes to.
type Attestations struct {
	// Build is what counts: the first statement of BuildKit that is about this
	// very image, else the first of another builder; nil when there is none.
	Build  *slsa.Build
	Source provenance.Source // of Build
	Wrong  []check.Finding   // statements that contradict the image
	Unread []check.Finding   // statements that cannot be read
}

// Attested reads the provenance beside an image.
func Attested(img *inspect.Image) Attestations {
	var found Attestations
	for _, a := range provenances(img) {
		where := check.Finding{Level: check.Problem, Layer: -1, Path: "blobs/" + a.Digest.Algorithm + "/" + a.Digest.Hex}
		b, err := slsa.Parse(a.Statement)
		switch {
		case err != nil:
			where.Rule, where.Words = "attestation-unread", "the provenance cannot be read: "+brief(err.Error())
			found.Unread = append(found.Unread, where)
		case !slices.Contains(b.Subjects, img.Manifest.Digest.Hex) || img.Manifest.Digest.Hex == "":
			where.Rule = "subject-mismatch"
			where.Words = fmt.Sprintf("the provenance beside the image is about another one: its subject is %s, and the image's manifest is %s", subjects(b), img.Manifest.Digest)
			found.Wrong = append(found.Wrong, where)
		case found.Build == nil || b.BuildKit() && !found.Build.BuildKit():
			found.Build = b
			found.Source = provenance.Source{Layer: -1, Path: where.Path, Digest: sha256.Sum256(a.Statement)}
		}
	}
	return found
}

func subjects(b *slsa.Build) string {
	if len(b.Subjects) == 0 {
		return "nothing"
	}
	return "sha256:" + brief(strings.Join(b.Subjects, ", sha256:"))
}

// attested notes what is wrong with the attestations and returns the build that
// counts, nil when there is none.
func (r *recovery) attested() *slsa.Build {
	found := Attested(r.img)
	r.wrong = append(r.wrong, found.Wrong...)
	for _, f := range slices.Concat(found.Wrong, found.Unread) {
		r.incomplete(f.Words)
	}
	if found.Build != nil {
		r.recipe.Sources = append(r.recipe.Sources, found.Source)
	}
	return found.Build
}

// describeBuild takes from a statement what it says. It is asserted: nothing
// signs it.
func (r *recovery) describeBuild(b *slsa.Build) {
	mode := "max"
	if b.MinMode() {
		mode = "min"
	}
	by := b.Builder
	if by == "" {
		by = "nobody by name"
	}
	r.note("provenance", -1, "asserted, and signed by nothing: a statement of %s, mode=%s, from %s", brief(b.Predicate), mode, brief(by))
	if b.Context.URI != "" {
		r.note("build-context", -1, "asserted: the build context is %s%s", brief(b.Context.URI), at(b))
	}
	if c, ok := channel(b); ok {
		r.recipe.Channels = append(r.recipe.Channels, c)
	}
	for _, m := range b.Materials {
		r.note("material", -1, "asserted: it was built with %s, %s", brief(m.URI), digest(m))
	}
	if b.VCSSource != "" || b.VCSRevision != "" {
		r.note("asserted-source", -1, "whoever built it says, unchecked by BuildKit, that the source is %s at %s", brief(b.VCSSource), brief(b.VCSRevision))
	}
	for _, o := range b.Obstacles() {
		r.incomplete(brief(o.Message))
	}
	if text, ok := Text(b); ok {
		r.recipe.Files = append(r.recipe.Files, provenance.File{Name: "Dockerfile", Text: text})
	} else {
		r.addHistory()
	}
	if len(r.recipe.Problems) == 0 {
		r.recipe.Status = provenance.Complete
	}
}

func at(b *slsa.Build) string {
	pinned, ok := b.PinnedContext()
	_, commit, isGit := strings.Cut(pinned, "#")
	switch {
	case ok && isGit:
		return ", which was " + brief(commit)
	case ok:
		return ""
	}
	return ", at no commit"
}

func digest(m slsa.Source) string {
	switch {
	case m.Kind() == slsa.Git && m.Commit() != "":
		return "commit " + m.Commit()
	case m.SHA256() != "":
		return m.SHA256()
	}
	return "without a digest"
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

// Text returns the Dockerfile that a statement holds, false when there is none
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
