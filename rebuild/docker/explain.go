package docker

import (
	"slices"

	"audit/inspect"
	"audit/provenance/docker"
)

// Explain adds to each finding of a check, which is about a layer of the image,
// the instruction that made the layer.
func Explain(check inspect.Check, img *inspect.Image) inspect.Check {
	made := docker.MadeBy(img)
	check.Findings = slices.Clone(check.Findings)
	for n := range check.Findings {
		f := &check.Findings[n]
		if by := made[f.Layer]; by != "" {
			f.Message += "; the layer was made by " + by
		}
	}
	return check
}
