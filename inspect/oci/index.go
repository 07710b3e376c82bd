package oci

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/check"
	"audit/inspect/choice"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
)

// maxIndexDepth bounds how deep indexes may lie in each other, and
// maxCandidates how many images they may list.
const (
	MaxIndexDepth = 4
	maxCandidates = 10_000
)

// A Candidate is a descriptor found in an index, with the names that it, or an
// index above it, bears.
type Candidate struct {
	v1.Descriptor
	names []string
	full  []string      // the names as [choice.Full] has them
	Index v1.Hash       // of the outermost index above it that has a digest; else zero
	top   v1.Hash       // of the entry of the outermost index that leads to it
	above []v1.Platform // of the indexes above it
	in    []v1.Hash     // those indexes
	open  int           // how many of those have no platform

	artifact  bool    // its manifest, which was looked into, is that of no image
	statement bool    // and may be that of statements or signatures
	subject   v1.Hash // what that is about; zero where it does not say
	absent    bool    // an index that is not there: what it leads to is not known
}

// name returns the first of the names, "" when there is none.
func (c Candidate) name() string {
	if len(c.names) == 0 {
		return ""
	}
	return c.names[0]
}

// IsNamed says whether the candidate bears a name, in full.
func (c Candidate) IsNamed(name string) bool {
	return c.bears(name, choice.Full(name))
}

// bears says whether the candidate has a name, given in full too.
func (c Candidate) bears(name, full string) bool {
	return slices.Contains(c.names, name) || full != "" && slices.Contains(c.full, full)
}

// below adds what the entry of an index says that leads to the candidate.
func (c Candidate) below(d v1.Descriptor) Candidate {
	c.top = d.Digest
	if len(c.names) == 0 {
		c.names = refNames(d)
		for _, name := range c.names {
			c.full = append(c.full, choice.Full(name))
		}
	}
	if !IsIndex(d.MediaType) {
		return c
	}
	c.in = append(slices.Clip(c.in), d.Digest)
	if d.Platform == nil {
		c.open++
	} else {
		c.above = append(slices.Clip(c.above), *d.Platform)
	}
	return c
}

// An indexWalk lists what an index leads to.
type indexWalk struct {
	*Reader
	below map[v1.Hash][]Candidate // of the indexes read; nil while one is being read
	count int
}

// Flatten returns all descriptors that the index in raw leads to and that are
// no indexes themselves, in their order.
func (r *Reader) Flatten(raw []byte, where string) ([]Candidate, error) {
	w := &indexWalk{Reader: r, below: make(map[v1.Hash][]Candidate)}
	return w.walk(raw, where, 0)
}

func (w *indexWalk) walk(raw []byte, where string, depth int) ([]Candidate, error) {
	if depth > MaxIndexDepth {
		return nil, &limit.FormatError{Where: where, Err: fmt.Errorf("indexes lie more than %d deep in each other", MaxIndexDepth)}
	}
	var index struct {
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := pass.Decode(where, raw, &index); err != nil {
		return nil, err
	}
	w.checkKeys(raw, "image index", where, index)
	var all []Candidate
	for _, d := range index.Manifests {
		below := []Candidate{{Descriptor: d}}
		if IsIndex(d.MediaType) {
			var err error
			if below, err = w.nested(d, depth); limit.IsAbsent(err) {
				w.Find(check.Note, d.Digest.String(), "integrity/index-absent", "platform", platformName(d))
				below, err = []Candidate{{Descriptor: d, absent: true}}, nil
			}
			if err != nil {
				return nil, err
			}
		}
		if w.count += len(below); w.count > maxCandidates {
			return nil, &limit.Error{Name: "images", Limit: maxCandidates, Where: where}
		}
		for _, b := range below {
			all = append(all, b.below(d))
		}
	}
	return all, nil
}

// platformName returns the platform that a descriptor says, "" when it says none.
func platformName(d v1.Descriptor) string {
	if d.Platform == nil {
		return ""
	}
	return d.Platform.String()
}

// nested returns what an index inside an index leads to.
func (w *indexWalk) nested(d v1.Descriptor, depth int) ([]Candidate, error) {
	where := "image index " + d.Digest.String()
	known, seen := w.below[d.Digest]
	if seen && known == nil {
		return nil, &limit.FormatError{Where: where, Err: errors.New("it includes itself")}
	}
	if seen {
		return known, nil
	}
	w.below[d.Digest] = nil
	raw, err := w.Verified(d, "image index")
	if err != nil {
		return nil, fmt.Errorf("reading an image index: %w", err)
	}
	below, err := w.walk(raw, where, depth+1)
	if err != nil {
		return nil, err
	}
	for i := range below {
		below[i].Index = d.Digest
	}
	w.below[d.Digest] = append([]Candidate{}, below...)
	return w.below[d.Digest], nil
}

// named keeps the candidates that want names, by tag or digest.
func (r *Reader) named(all []Candidate) ([]Candidate, error) {
	var kept []Candidate
	for _, c := range all {
		if r.isWanted(c) {
			kept = append(kept, c)
		}
	}
	if len(kept) > 0 {
		return kept, nil
	}
	var names []string
	for _, c := range all {
		names = append(names, c.names...)
	}
	return nil, &choice.Error{Want: r.want, Have: names}
}

func (r *Reader) isWanted(c Candidate) bool {
	return r.digest.Hex != "" && (c.Digest == r.digest || c.Index == r.digest) || r.isNamed(c)
}

func (r *Reader) isNamed(c Candidate) bool {
	return c.bears(r.want, r.full) || slices.ContainsFunc(c.names, func(name string) bool {
		rest, ok := strings.CutSuffix(name, r.want)
		return ok && strings.HasSuffix(rest, ":")
	})
}

// checkNames reports an entry of the outermost index that bears the name of the
// chosen image too: skopeo takes the first of them, by one kind of name, containerd
// the last, by the other.
func (r *Reader) checkNames(all []Candidate, chosen Candidate) {
	byWant := r.want != "" && r.isNamed(chosen)
	for _, c := range all {
		same := byWant && r.isNamed(c)
		if r.want == "" {
			same = slices.ContainsFunc(c.names, func(name string) bool { return slices.Contains(chosen.names, name) })
		}
		if same && c.top != chosen.top {
			r.Problem(chosen.Digest.String(), "integrity/ambiguous-name", "other", c.Digest)
			return
		}
	}
}

// CheckTags reports an entry of the outermost index that bears a name of the image,
// and does not lead to the candidate that was chosen.
func (r *Reader) CheckTags(all []Candidate, chosen Candidate) {
	for _, c := range all {
		if c.top != chosen.top && slices.ContainsFunc(r.Img.Tags, c.IsNamed) {
			r.Problem("index.json", "integrity/index-mismatch")
			return
		}
	}
}

// byPlatform is how an image of an index is asked for.
const (
	byPlatform = "--platform, or by name or digest after the path"
	byName     = "its name or digest after the path"
)

// choose takes the image that engines take of an index: of the platform that is
// asked for, else that of this machine. Where engines take no other, it is the only
// image that is left.
func (r *Reader) choose(all []Candidate) (Candidate, error) {
	want, choice := r.platform, &choice.Error{How: byPlatform}
	if want == nil {
		want = &v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	} else {
		choice.Want = want.String()
	}
	if r.platform == nil {
		all = r.present(all)
	}
	matching := matching(all, *want)
	if len(matching) > 0 && (r.want != "" || !differInName(matching)) {
		return r.engineChoice(matching, *want), nil
	}
	images := distinctImages(all)
	if len(all) == 0 {
		return Candidate{}, &limit.FormatError{Where: "the image index", Err: errors.New("it lists no image")}
	}
	if open := withoutPlatform(all); len(open) > 0 && len(distinctImages(open)) <= 1 && len(matching) == 0 {
		return open[0], nil
	}
	if len(images) == 1 && r.platform == nil {
		return images[0], nil
	}
	switch fit := fitting(images, *want); {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		images, choice.Several, choice.How = fit, true, byName
	}
	for _, c := range images {
		choice.Have = append(choice.Have, described(c))
		if c.Platform != nil {
			choice.Platforms = append(choice.Platforms, c.Platform.String())
		}
	}
	return Candidate{}, choice
}

// present drops the candidates that are not in a file or folder, unless it has
// none: of an image of several platforms engines save those that they have.
func (r *Reader) present(all []Candidate) []Candidate {
	if r.Img.Transport == image.Registry {
		return all
	}
	var found []Candidate
	for _, c := range all {
		_, err := r.document(c.Descriptor)
		if !limit.IsAbsent(err) && !c.absent {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return all
	}
	return found
}

// matching returns the candidates that containerd takes to be of a platform, those
// below an index without a platform last. It does not look at os.version, at
// artifactType or at the labels of attestations (containerd 1.7 images.Manifest with
// platforms.Only).
func matching(all []Candidate, want v1.Platform) []Candidate {
	var found []Candidate
	for _, c := range all {
		if c.Platform != nil && isOf(*c.Platform, want) && !slices.ContainsFunc(c.above, func(p v1.Platform) bool { return !isOf(p, want) }) {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b Candidate) int { return cmp.Compare(a.open, b.open) })
	return found
}

func isOf(p, want v1.Platform) bool {
	p, want = normal(p), normal(want)
	return p.OS == want.OS && p.Architecture == want.Architecture && variant(p) == variant(want)
}

// normal returns a platform by the names that Go has for it (containerd 1.7
// platforms/database.go, normalizeOS and normalizeArch, of 64-bit architectures).
func normal(p v1.Platform) v1.Platform {
	p.OS, p.Architecture = strings.ToLower(p.OS), strings.ToLower(p.Architecture)
	switch p.Architecture {
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "aarch64":
		p.Architecture = "arm64"
	}
	return p
}

// variant returns the variant of a platform; of 64-bit ARM, v8 goes without saying.
func variant(p v1.Platform) string {
	if p.Architecture == "arm64" && p.Variant == "v8" {
		return ""
	}
	return p.Variant
}

// withoutPlatform returns the candidates whose descriptors name no platform; those
// that were seen to be no images only when there is nothing else.
func withoutPlatform(all []Candidate) []Candidate {
	var found, artifacts []Candidate
	for _, c := range all {
		switch {
		case c.Platform != nil:
		case c.artifact:
			artifacts = append(artifacts, c)
		default:
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return artifacts
	}
	return found
}

// differInName says that candidates are different images of different names, so
// that a name has to be asked for.
func differInName(all []Candidate) bool {
	for _, c := range all[1:] {
		if c.Digest != all[0].Digest && c.name() != all[0].name() {
			return true
		}
	}
	return false
}

// engineChoice takes the first of the candidates of a platform, as containerd
// does, and reports where skopeo and podman take another: they know a platform by
// its exact name only (containers/image 5 internal/manifest chooseInstance).
func (r *Reader) engineChoice(all []Candidate, want v1.Platform) Candidate {
	exact := slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool {
		return c.Platform.OS != want.OS || c.Platform.Architecture != want.Architecture
	})
	if len(exact) == 0 {
		return all[0]
	}
	other := slices.MinFunc(exact, func(a, b Candidate) int {
		return cmp.Or(-cmp.Compare(a.Platform.Variant, b.Platform.Variant), cmp.Compare(isPlain(a), isPlain(b)))
	})
	if other.Digest != all[0].Digest {
		r.Problem(all[0].Digest.String(), "integrity/ambiguous-index", "other", other.Digest)
	}
	return all[0]
}

// isPlain is 0 for an image that its index says to be compressed with zstd.
func isPlain(c Candidate) int {
	if c.Annotations["io.github.containers.compression.zstd"] == "true" {
		return 0
	}
	return 1
}

// list returns entries of an index as an image has them.
func list(all []Candidate, chosen Candidate) []image.IndexEntry {
	var entries []image.IndexEntry
	for _, c := range all {
		entries = append(entries, image.IndexEntry{
			Digest: c.Digest, Name: c.name(), Kind: c.kind(), ArtifactType: c.ArtifactType,
			Platform: platformName(c.Descriptor), Chosen: c.Digest == chosen.Digest,
		})
	}
	return entries
}

// kind is what the descriptor says that the candidate is.
func (c Candidate) kind() image.EntryKind {
	switch {
	case IsAttestation(c.Descriptor):
		return image.AttestationEntry
	case c.artifact, isArtifact(types.MediaType(c.ArtifactType)):
		return image.ArtifactEntry
	}
	return image.ImageEntry
}

// markArtifacts looks into the manifests of which no platform is known where there is
// more than one: signatures, attestations and indexes of files lie in a layout beside
// the image, and not all descriptors say so.
func (r *Reader) markArtifacts(all []Candidate) {
	if r.Img.Transport == image.Registry || len(all) < 2 {
		return
	}
	for i, c := range all {
		if (c.Platform == nil || c.Platform.OS == "unknown") && !c.absent {
			r.markArtifact(&all[i])
		}
	}
}

// markArtifact marks a candidate whose manifest has a config, or layers without
// exception, of other types than images have. One that cannot be read may be an image.
func (r *Reader) markArtifact(c *Candidate) {
	raw, err := r.document(c.Descriptor)
	var m artifactManifest
	if err != nil || pass.Decode("", raw, &m) != nil || m.Config.Digest.Hex == "" {
		return
	}
	ofImages := slices.ContainsFunc(m.Layers, func(l v1.Descriptor) bool { return isOfImage(l.MediaType) })
	c.artifact = isArtifact(m.ArtifactType) || isArtifact(m.Config.MediaType) || len(m.Layers) > 0 && !ofImages
	if c.statement = isStatement(m); m.Subject != nil {
		c.subject = m.Subject.Digest
	}
}

// isOfImage says whether a media type is one of layers, of those too that are not read
// here.
func isOfImage(m types.MediaType) bool {
	return isFileSystem(m) || strings.HasPrefix(string(m), "application/vnd.oci.image.layer.") || strings.HasPrefix(string(m), "application/vnd.docker.image.")
}

// distinctImages drops what is no image, and all but the first of those that
// are listed more than once.
func distinctImages(all []Candidate) []Candidate {
	var images []Candidate
	seen := make(map[v1.Hash]bool)
	for _, c := range all {
		if c.kind() != image.ImageEntry || seen[c.Digest] {
			continue
		}
		seen[c.Digest] = true
		images = append(images, c)
	}
	return images
}

// fitting returns the images of a platform: those that are exactly of it, else
// all that it leaves open.
func fitting(images []Candidate, want v1.Platform) []Candidate {
	var exact, fit []Candidate
	for _, c := range images {
		if c.Platform == nil || !c.Platform.Satisfies(want) {
			continue
		}
		fit = append(fit, c)
		if c.Platform.Variant == want.Variant && c.Platform.OSVersion == want.OSVersion {
			exact = append(exact, c)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return fit
}

func described(c Candidate) string {
	var words []string
	if name := c.name(); name != "" {
		words = append(words, name)
	}
	if c.Platform != nil {
		words = append(words, c.Platform.String())
	}
	return strings.Join(append(words, c.Digest.String()), " ")
}

// platform returns the platform that is asked for, nil when none is.
func platform(p *pass.Pass) (*v1.Platform, error) {
	if p.Opt.Platform == "" {
		return nil, nil
	}
	platform, err := v1.ParsePlatform(p.Opt.Platform)
	if err != nil {
		return nil, &choice.Error{Want: p.Opt.Platform, Have: []string{"OS/ARCH[/VARIANT], such as linux/arm64"}}
	}
	return platform, nil
}

// CheckPlatform turns away an image of another platform than was asked for,
// where no index was there to choose from.
func CheckPlatform(p *pass.Pass, img *image.Image) error {
	want, err := platform(p)
	if err != nil || want == nil || img.Config.Raw == nil {
		return err
	}
	have := img.Config.File.Platform()
	if have == nil || have.Satisfies(*want) || sameButVariant(*have, *want) {
		return nil
	}
	return &choice.Error{Want: want.String(), Have: []string{have.String()}}
}

// sameButVariant says whether a config that names no variant may be of the
// platform: the variant is often in the index alone.
func sameButVariant(have, want v1.Platform) bool {
	return have.Variant == "" && have.OS == want.OS && have.Architecture == want.Architecture
}
