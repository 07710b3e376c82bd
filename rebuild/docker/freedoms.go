package docker

import (
	"slices"
	"strings"

	"audit/inspect"
	"audit/provenance/docker"
	"audit/rebuild/compare"
)

// Freedoms are what engines leave to chance, where one of them made both images.
func (System) Freedoms(a, b *inspect.Image) []compare.Freedom {
	if !madeByEngine(a) || !madeByEngine(b) {
		return nil
	}
	return []compare.Freedom{
		{Code: "known/docker-created", Field: func(f *compare.FieldDifference) bool { return f.Cause == compare.Timestamp }},
		{Code: "known/docker-container", Field: func(f *compare.FieldDifference) bool {
			return f.Field == "container" || strings.HasSuffix(f.Field, "config.Hostname")
		}},
		{Code: "known/docker-file-times", Explains: func(d *compare.Difference) bool { return d.Cause == compare.Timestamp }},
	}
}

// madeByEngine says whether the history is that of an engine that is run here.
func madeByEngine(img *inspect.Image) bool {
	all, _ := docker.History(img)
	return slices.ContainsFunc(all, func(i docker.Instruction) bool { return slices.Contains(Engines(), string(i.Builder)) })
}
