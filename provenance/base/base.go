// Package base recognises the image that an ordinary image was built on.
//
// An image does not have its base image as such: the layers of the base are its lowest
// ones, and its history begins with theirs. The evidence of a base is of different
// strength, and a finding of a code of its own for each:
//
//	layers  its lowest layers are those of an image that is known: the bytes are the same
//	signed  a key that is trusted signed the provenance that names it
//	claim   the image's own label, or an unsigned attestation, names it
//	trace   its maker's tool leaves such a file, label or line of history; anybody can copy it
//	guess   the history looks as if a base image ended there
//
// Nothing but the first shows that a base is what it is said to be. Two bases that are
// named differently are both findings; [Base.Name] is that of the strongest.
package base

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
)

// A Strength says what stands behind the word that a base is one.
type Strength string

// The strengths, the greatest first.
const (
	Layers Strength = "layers"
	Signed Strength = "signed"
	Claim  Strength = "claim"
	Trace  Strength = "trace"
	Guess  Strength = "guess"
)

func (s Strength) rank() int { return slices.Index([]Strength{Layers, Signed, Claim, Trace, Guess}, s) }

// A Base is what is known of the image that another was built on.
type Base struct {
	Name   string // reference in the form that engines take, without a digest; "" when it is not known
	Digest string // "sha256:HEX"; "" when it is not known
	By     Strength
	// Layers are the lowest ones that are the base's, by their bytes; 0 when that is not
	// known.
	Layers int
	// Instructions are the first lines of the history that are the base's, as far as
	// Cut says; 0 when that is not known.
	Instructions int
	Cut          Strength
	Findings     []check.Finding // of the check named recipe: notes, codes recipe/base-…
}

// Pinned returns the base as a name with its digest, without it where that is not known;
// "" where there is no name.
func (b Base) Pinned() string {
	if b.Name == "" || b.Digest == "" {
		return b.Name
	}
	return b.Name + "@" + b.Digest
}

// Read looks for traces of a base in an image, which must have been opened with
// [ospackages.Keep].
func Read(img *inspect.Image, in *ospackages.Installed) Base {
	r := &reader{img: img, in: in}
	r.label()
	r.debuerreotype()
	r.makers()
	r.release()
	r.boundary()
	r.base.Findings = r.found.All()
	return r.base
}

// Set puts the name of a base in place of a weaker one. It must be a reference that a
// registry can have; a digest in it is taken off.
func (b *Base) Set(reference, digest string, by Strength) bool {
	reference, ok := Reference(reference)
	if b.By != "" && by.rank() >= b.By.rank() || !ok {
		return false
	}
	if !sha256.MatchString(digest) {
		digest = ""
	}
	b.Name, b.Digest, b.By = reference, digest, by
	return true
}

// At says where the history of the base ends, where nothing stronger has said so.
func (b *Base) At(instructions int, by Strength) {
	if b.Cut == "" || by.rank() < b.Cut.rank() {
		b.Instructions, b.Cut = instructions, by
	}
}

var sha256 = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// Reference checks a reference to an image, and takes the transport and a digest off it;
// false for what is none. "scratch" is none: it has no layers, and takes the place of no
// line of a history.
func Reference(text string) (string, bool) {
	text = strings.TrimPrefix(text, "docker://")
	text, _, _ = strings.Cut(text, "@")
	if _, err := name.ParseReference(text, name.WeakValidation); err != nil || len(text) > 255 || text == "scratch" {
		return "", false
	}
	return text, true
}

// Describe gives an image that was not read the digests that a base is compared by: of
// its manifest, "" where it has none, and of its layers.
func Describe(img *inspect.Image, manifest string, diffIDs []string) (err error) {
	if manifest != "" {
		if img.Manifest.Digest, err = v1.NewHash(manifest); err != nil {
			return err
		}
	}
	for n, text := range diffIDs {
		id, err := v1.NewHash(text)
		if err != nil {
			return err
		}
		img.Layers = append(img.Layers, &inspect.Layer{Index: n, DiffID: id})
	}
	return nil
}

// A reader gathers the evidence of a base.
type reader struct {
	img   *inspect.Image
	in    *ospackages.Installed
	base  Base
	found check.List
}

func (r *reader) note(layer int, path, code string, args ...any) {
	r.found.Append(check.Find(check.Note, layer, path, code, args...))
}

func (r *reader) labels() map[string]string { return r.img.Config.File.Config.Labels }

// label takes what the image itself names as its base (OCI image-spec v1.1,
// annotations.md).
func (r *reader) label() {
	const prefix = "org.opencontainers.image.base."
	reference, digest := r.labels()[prefix+"name"], r.labels()[prefix+"digest"]
	if reference == "" && digest == "" {
		return
	}
	r.note(-1, "", "recipe/base-label", "base", check.Brief(reference), "digest", check.Brief(digest))
	r.base.Set(reference, digest, Claim)
}

// release takes what the distribution calls itself: the weakest trace, and the only one
// that nearly every image has.
func (r *reader) release() {
	rel := r.in.Release
	if rel.ID == "" && rel.Name == "" {
		return
	}
	r.note(rel.Layer, rel.Path, "recipe/base-os-release", "distribution", check.Brief(cmp.Or(rel.Name, rel.ID+" "+rel.Version)))
}
