package rebuild

import (
	"fmt"
	"slices"

	"audit/inspect/check"
)

// WithHistory adds to each finding of the check named rebuild that is about a
// layer the instruction that made the layer: in the rebuild for what only that
// has, else in the image. And it says when another engine made the rebuild.
func WithHistory(c check.Check, was, now History) check.Check {
	c.Findings = slices.Clone(c.Findings)
	for n := range c.Findings {
		f := &c.Findings[n]
		switch {
		case f.Rule != "difference-extra" && was.Layers[f.Layer] != "":
			f.Words += "; the layer was made by " + was.Layers[f.Layer]
		case f.Rule == "difference-extra" && now.Layers[f.Layer] != "":
			f.Words += "; the layer of the rebuild was made by " + now.Layers[f.Layer]
		}
	}
	if was.Engine != now.Engine && was.Engine != "" && now.Engine != "" {
		c.Findings = slices.Insert(c.Findings, 0, check.Finding{Rule: "another-engine", Level: check.Note, Layer: -1,
			Words: fmt.Sprintf("the image was built by %s and the rebuild by %s: each writes a config and a history of its own, and has its own way with times and owners", was.Engine, now.Engine)})
	}
	return c
}
