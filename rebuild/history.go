package rebuild

import (
	"maps"
	"slices"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

// WithHistory adds to each finding of the check named rebuild that is about a
// layer the instruction that made the layer, as the argument "made-by", or, for
// what only the rebuild has, "remade-by". And it says when another engine made
// the rebuild.
func WithHistory(c check.Check, was, now History) check.Check {
	c.Findings = slices.Clone(c.Findings)
	for n := range c.Findings {
		f := &c.Findings[n]
		name, by := "made-by", was.Layers[f.Layer]
		if f.Args.String("cause") == string(compare.Extra) {
			name, by = "remade-by", now.Layers[f.Layer]
		}
		if by != "" {
			args := check.Args{name: by}
			maps.Copy(args, f.Args)
			f.Args = args
		}
	}
	if was.Engine != now.Engine && was.Engine != "" && now.Engine != "" {
		c.Findings = slices.Insert(c.Findings, 0, check.Find(check.Note, -1, "", "rebuild/another-engine", "was", was.Engine, "now", now.Engine))
	}
	return c
}
