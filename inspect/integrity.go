package inspect

import (
	"audit/inspect/check"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// conclude draws from all layers what none of them shows alone: the store
// items with their references, and the findings of the integrity check.
func (p *pass) conclude(img *Image) {
	img.link(p.hashes)
	named := digestInName(img.Config.Member)
	if named.Hex != "" && named != img.Config.Digest && (img.Transport == DockerArchive || img.Transport == DockerDaemon) {
		img.Problems = append(img.Problems, check.Finding{Rule: "config-digest-mismatch", Level: check.Problem, Layer: -1, Path: img.Config.Member,
			Words: fmt.Sprintf("the name claims another digest than that of its bytes, %s", img.Config.Digest)})
	}
	for _, l := range img.Layers {
		img.Problems = append(img.Problems, l.problems(img)...)
	}
	img.Problems = append(img.Problems, img.deadLinks()...)
}

// claims says whether the form of the image makes claims about its layers: a
// bare file system makes none, and neither does the legacy form of Docker.
func (img *Image) claims() bool { return img.Config.Raw != nil && !img.claimless }

// problems compares what is claimed of a layer with what was computed.
func (l *Layer) problems(img *Image) []check.Finding {
	claims, found := img.claims(), []check.Finding(nil)
	add := func(level check.Level, rule, path, format string, args ...any) {
		found = append(found, check.Finding{Rule: rule, Level: level, Layer: l.Index, Path: path, Words: fmt.Sprintf(format, args...)})
	}
	if l.elsewhere != "" {
		add(check.Problem, ruleElsewhere, l.Member, "the layer is not part of the image and is not fetched; its descriptor says that it lies at %s", l.elsewhere)
		return found
	}
	switch {
	case !claims:
	case l.ClaimedDiffID.Hex == "":
		add(check.Problem, "diffid-missing", l.Member, "the config has no diffID for this layer")
	case l.ClaimedDiffID.Algorithm != "sha256":
		add(check.Problem, ruleOtherDiffID, l.Member, "the config says diffID %s, and audit computes SHA-256 only: %s", l.ClaimedDiffID, l.DiffID)
	case l.ClaimedDiffID != l.DiffID:
		add(check.Problem, "diffid-mismatch", l.Member, "the config says diffID %s, the bytes have %s", l.ClaimedDiffID, shown(l.DiffID.String()))
	}
	if actual := l.digestBy(l.ClaimedDigest.Algorithm); l.ClaimedDigest.Hex != "" && l.ClaimedDigest != actual {
		add(check.Problem, "digest-mismatch", l.Member, "claimed is digest %s, the bytes have %s", l.ClaimedDigest, actual)
	}
	if l.Broken != nil {
		add(check.Problem, "broken-layer", l.Member, "the layer can be read only in part: %v", l.Broken)
	}
	switch {
	case l.unended && claims && l.ClaimedDiffID == l.DiffID:
		add(check.Note, "unended-layer", l.Member, "the tar ends without its two end-of-archive blocks, as umoci writes them; the diffID says that nothing is missing")
	case l.unended && img.claimless:
		add(check.Note, "unended-layer", l.Member, "the tar ends without its two end-of-archive blocks, as umoci writes them")
	case l.unended:
		add(check.Problem, "unended-layer", l.Member, "the tar ends without its two end-of-archive blocks: it may be truncated")
	}
	for _, note := range l.notes {
		add(check.Problem, "packing", l.Member, "%s", note)
	}
	found = append(found, l.oddEntries()...)
	return found
}

// Findings by these rules say that something could not be checked, not that it
// is wrong.
const (
	ruleElsewhere   = "layer-elsewhere"
	ruleOtherDiffID = "diffid-algorithm"
)

// digestBy returns the digest of the blob by an algorithm, SHA-256 when it was
// hashed by no other.
func (l *Layer) digestBy(algorithm string) v1.Hash {
	if l.other.Algorithm == algorithm && algorithm != "" {
		return l.other
	}
	return l.Digest
}

func shown(digest string) string {
	if digest == ":" {
		return "none, since they cannot be uncompressed"
	}
	return digest
}

// link finds out which store items name which: only now all are known.
func (img *Image) link(b *budget) {
	img.Items = mergeItems(img.Layers)
	known := newDirectory(img.Items, b)
	owners := make(map[string]*StoreItem, len(img.Items))
	for i := range img.Items {
		owners[img.Items[i].Path] = &img.Items[i]
	}
	for _, l := range img.Layers {
		for _, g := range l.items {
			owner := owners[g.Path]
			owner.References = merge(owner.References, g.seen.among(known))
			img.Dangling = append(img.Dangling, g.seen.missing(known, l.Index)...)
		}
		for _, seen := range l.loose {
			img.addLoose(seen, known, l.Index)
		}
		l.items, l.loose = nil, nil
	}
	img.scanConfig(known, b)
	sortReferences(img.Dangling)
	sortReferences(img.Loose)
	if b.left.Load() < 0 {
		img.incomplete()
	}
}

// A directory finds the store items of the image by the fingerprint of their
// hash; several may have the same.
type directory map[uint64][]string

func newDirectory(items []StoreItem, b *budget) directory {
	d := make(directory, len(items))
	for _, it := range items {
		key := b.key([]byte(storeHash(it.Path)))
		d[key] = append(d[key], it.Path)
	}
	return d
}

// incomplete says of every store item that its references are not known. What
// was found before the budget ran out depends on which layer was read first.
func (img *Image) incomplete() {
	const why = "too many strings look like store hashes: its references are not known"
	for i := range img.Items {
		img.Items[i].Problem, img.Items[i].References = why, nil
	}
	img.Dangling, img.Loose = nil, nil
}

func (img *Image) scanConfig(known directory, b *budget) {
	seen := &sightings{budget: b}
	scan := scanner{seen: seen}
	scan.write(img.Config.Raw)
	scan.close()
	img.addLoose(seen, known, -1)
}

func (img *Image) addLoose(seen *sightings, known directory, layer int) {
	for _, to := range seen.among(known) {
		img.Loose = append(img.Loose, Reference{From: seen.from, Layer: layer, To: to})
	}
	img.Dangling = append(img.Dangling, seen.missing(known, layer)...)
}

// among returns the store paths whose hashes were sighted, sorted.
func (s *sightings) among(known directory) []string {
	var found []string
	for key := range s.hashes {
		found = append(found, known[key]...)
	}
	slices.Sort(found)
	return found
}

// missing returns the store paths that were sighted and are not in the image.
func (s *sightings) missing(known directory, layer int) []Reference {
	var found []Reference
	for path, from := range s.paths {
		if known[s.budget.key([]byte(storeHash(path)))] == nil {
			found = append(found, Reference{From: from, Layer: layer, To: path})
		}
	}
	return found
}

func sortReferences(refs []Reference) {
	slices.SortFunc(refs, func(a, b Reference) int {
		if c := strings.Compare(a.To, b.To); c != 0 {
			return c
		}
		if c := strings.Compare(a.From, b.From); c != 0 {
			return c
		}
		return a.Layer - b.Layer
	})
}

func merge(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// mergeItems lists the store items of all layers, each once. One that several
// layers hold has a NAR hash only when they agree on it: a layer that adds to
// a store item makes it another one.
func mergeItems(layers []*Layer) []StoreItem {
	var items []StoreItem
	at := make(map[string]int)
	for _, l := range layers {
		for _, g := range l.items {
			g.StoreItem.Layer = l.Index
			i, ok := at[g.Path]
			if !ok {
				at[g.Path] = len(items)
				items = append(items, g.StoreItem)
				continue
			}
			if items[i].NarHash != g.NarHash {
				items[i].Problem = fmt.Sprintf("layers %d and %d both have entries of it, and not the same ones", items[i].Layer, l.Index)
				items[i].NarHash, items[i].NarSize = StoreItem{}.NarHash, 0
			}
		}
	}
	slices.SortFunc(items, func(a, b StoreItem) int { return strings.Compare(a.Path, b.Path) })
	return items
}

// storeHash returns the 32 characters of a store path that are its hash.
func storeHash(path string) string {
	_, base := splitPath(path)
	return base[:hashChars]
}

// Integrity is the check of that name: are the bytes what the image's own
// descriptors say?
func (img *Image) Integrity() check.Check {
	c := check.Check{ID: check.Integrity, Status: check.Pass, Findings: img.Problems}
	bad, open := 0, 0
	for _, f := range img.Problems {
		switch {
		case f.Level != check.Problem:
		case f.Rule == ruleElsewhere || f.Rule == ruleOtherDiffID:
			open++
		default:
			bad++
		}
	}
	for _, l := range img.Layers {
		if l.ClaimedDiffID == l.DiffID && l.Broken == nil {
			c.Bytes += l.UncompressedSize
		}
	}
	c.Summary = fmt.Sprintf("%d of %d layers have the diffID that the config says", verified(img.Layers), len(img.Layers))
	if !img.claims() {
		c.Status, c.Bytes = check.Unknown, 0
		c.Summary = "the image claims no digests of its layers that could be checked"
	}
	if open > 0 {
		c.Status = check.Unknown
		c.Summary += fmt.Sprintf("; %d could not be checked", open)
	}
	if bad > 0 {
		c.Status = check.Fail
		c.Summary += fmt.Sprintf("; %d problems", bad)
	}
	return c
}

func verified(layers []*Layer) int {
	n := 0
	for _, l := range layers {
		if l.ClaimedDiffID == l.DiffID && l.Broken == nil {
			n++
		}
	}
	return n
}
