package docker

import (
	"fmt"
	"slices"

	"audit/inspect"
	"audit/provenance/docker"
)

// Explain adds to each finding of the check named rebuild, which is about a
// layer, the instruction that made the layer: in the rebuild for what only that
// has, else in the image. And it says when the rebuild was made by another
// engine than the image.
func Explain(check inspect.Check, img, rebuilt *inspect.Image) inspect.Check {
	made, again := docker.MadeBy(img), docker.MadeBy(rebuilt)
	check.Findings = slices.Clone(check.Findings)
	for n := range check.Findings {
		f := &check.Findings[n]
		switch {
		case f.Rule != "difference-extra" && made[f.Layer] != "":
			f.Message += "; the layer was made by " + made[f.Layer]
		case f.Rule == "difference-extra" && again[f.Layer] != "":
			f.Message += "; the layer of the rebuild was made by " + again[f.Layer]
		}
	}
	was, now := docker.BuiltBy(img), docker.BuiltBy(rebuilt)
	if was != now && was != "" && now != "" {
		check.Findings = slices.Insert(check.Findings, 0, inspect.Finding{Rule: "another-engine", Level: inspect.Note, Layer: -1,
			Message: fmt.Sprintf("the image was built by %s and the rebuild by %s: each writes a config and a history of its own, and has its own way with times and owners", was, now)})
	}
	return check
}
