package image

import "audit/inspect/check"

// Integrity is the check of that name: are the bytes what the image's own
// descriptors say?
func (img *Image) Integrity() check.Check {
	c := check.Check{ID: check.Integrity, Status: check.Worst(img.Problems), Findings: img.Problems}
	if img.Claims() {
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
