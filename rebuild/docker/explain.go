package docker

import (
	"fmt"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/docker"
)

// Explain adds to each finding of the check named rebuild, which is about a
// layer, the instruction that made the layer: in the rebuild for what only that
// has, else in the image. And it says when the rebuild was made by another
// engine than the image.
func Explain(out check.Check, img, rebuilt *inspect.Image) check.Check {
	made, again := docker.MadeBy(img), docker.MadeBy(rebuilt)
	out.Findings = slices.Clone(out.Findings)
	for n := range out.Findings {
		f := &out.Findings[n]
		switch {
		case f.Rule != "difference-extra" && made[f.Layer] != "":
			f.Words += "; the layer was made by " + made[f.Layer]
		case f.Rule == "difference-extra" && again[f.Layer] != "":
			f.Words += "; the layer of the rebuild was made by " + again[f.Layer]
		}
	}
	was, now := docker.BuiltBy(img), docker.BuiltBy(rebuilt)
	if was != now && was != "" && now != "" {
		out.Findings = slices.Insert(out.Findings, 0, check.Finding{Rule: "another-engine", Level: check.Note, Layer: -1,
			Words: fmt.Sprintf("the image was built by %s and the rebuild by %s: each writes a config and a history of its own, and has its own way with times and owners", was, now)})
	}
	return out
}
