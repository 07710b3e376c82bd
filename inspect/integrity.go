package inspect

import (
	"audit/inspect/check"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// conclude draws from all layers what none of them shows alone: the store
// items with their references, and the findings of the integrity check.
func (p *pass) conclude(img *Image) {
	img.link(p.hashes)
	named := digestInName(img.Config.Member)
	if named.Hex != "" && named != img.Config.Digest && (img.Transport == DockerArchive || img.Transport == DockerDaemon) {
		img.Problems = append(img.Problems, check.Find(check.Problem, -1, img.Config.Member,
			"integrity/config-digest-mismatch", "computed", img.Config.Digest))
	}
	for _, l := range img.Layers {
		img.Problems = append(img.Problems, l.problems(img)...)
	}
	img.Problems = append(img.Problems, img.danglingLinks()...)
}

// problems compares what is claimed of a layer with what was computed.
func (l *Layer) problems(img *Image) []check.Finding {
	var found check.List
	if l.elsewhere != "" {
		found.Undecided(l.Index, l.Member, "integrity/layer-elsewhere", "address", l.elsewhere)
		return found.All()
	}
	claims := img.claims()
	switch {
	case !claims:
	case l.ClaimedDiffID.Hex == "":
		found.Problem(l.Index, l.Member, "integrity/diffid-missing")
	case l.ClaimedDiffID.Algorithm != "sha256":
		found.Undecided(l.Index, l.Member, "integrity/diffid-algorithm", "claimed", l.ClaimedDiffID, "computed", l.DiffID)
	case l.ClaimedDiffID != l.DiffID:
		found.Problem(l.Index, l.Member, "integrity/diffid-mismatch", "claimed", l.ClaimedDiffID, "computed", textOf(l.DiffID))
	}
	if actual := l.digestBy(l.ClaimedDigest.Algorithm); l.ClaimedDigest.Hex != "" && l.ClaimedDigest != actual {
		found.Problem(l.Index, l.Member, "integrity/digest-mismatch", "claimed", l.ClaimedDigest, "computed", actual)
	}
	if l.Broken != nil {
		found.Problem(l.Index, l.Member, "integrity/broken-layer", "error", l.Broken)
	}
	switch {
	case l.unended && claims && l.ClaimedDiffID == l.DiffID:
		found.Note(l.Index, l.Member, "integrity/unended-whole-layer", "diffid", l.DiffID)
	case l.unended && img.claimless:
		found.Note(l.Index, l.Member, "integrity/unended-whole-layer")
	case l.unended:
		found.Problem(l.Index, l.Member, "integrity/unended-layer")
	}
	for _, note := range l.notes {
		found.Append(check.Finding{Message: note, Level: check.Problem, Layer: l.Index, Path: l.Member})
	}
	l.entryFindings(&found)
	return found.All()
}

// textOf returns a digest as text, "" where there is none.
func textOf(h v1.Hash) string {
	if h.Hex == "" {
		return ""
	}
	return h.String()
}

// digestBy returns the digest of the blob by an algorithm, SHA-256 when it was
// hashed by no other.
func (l *Layer) digestBy(algorithm string) v1.Hash {
	if l.other.Algorithm == algorithm && algorithm != "" {
		return l.other
	}
	return l.Digest
}

// Integrity is the check of that name: are the bytes what the image's own
// descriptors say?
func (img *Image) Integrity() check.Check {
	c := check.Check{ID: check.Integrity, Status: check.Worst(img.Problems), Findings: img.Problems}
	if img.claims() {
		c.Because("integrity/layers-verified", "verified", verified(img.Layers), "layers", len(img.Layers))
		c.Bytes = verifiedBytes(img.Layers)
	} else {
		c.Because("integrity/no-claims")
		if c.Status == check.Pass {
			c.Status = check.Unknown
		}
	}
	for _, level := range []check.Level{check.Undecided, check.Problem} {
		n := 0
		for _, f := range img.Problems {
			if f.Level == level {
				n++
			}
		}
		switch {
		case n == 0:
		case level == check.Problem:
			c.Because("integrity/problems", "count", n)
		default:
			c.Because("integrity/undecided", "count", n)
		}
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

func verifiedBytes(layers []*Layer) (n int64) {
	for _, l := range layers {
		if l.ClaimedDiffID == l.DiffID && l.Broken == nil {
			n += l.UncompressedSize
		}
	}
	return n
}
