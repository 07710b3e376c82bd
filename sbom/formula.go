package sbom

import (
	"fmt"
	"strings"

	"audit/inspect/check"
	"audit/provenance"
)

// A Formula is how the image says that it was made.
type Formula struct {
	System   provenance.SystemName
	Packer   string // with its era; may be empty
	Status   provenance.Status
	Channels []provenance.Channel
	Files    []provenance.File // the recipe as the system's own tools take it
	Sources  []provenance.Source
	Missing  []check.Message // what the recipe cannot express
}

// newFormula returns nil for a recipe that says nothing.
func newFormula(r *provenance.Recipe) *Formula {
	if r.Status == provenance.None || r.Status == "" || r.System == provenance.UnknownSystem || r.System == "" {
		return nil
	}
	return &Formula{
		System: r.System, Packer: r.Packer, Status: r.Status,
		Channels: r.Channels, Files: r.Files, Sources: r.Sources, Missing: r.Missing,
	}
}

// text says in one line how the image says that it was made.
func (f *Formula) text() string {
	if f == nil {
		return ""
	}
	parts := []string{fmt.Sprintf(sentenceRecipe, f.Status, f.System)}
	if f.Packer != "" {
		parts = append(parts, fmt.Sprintf(sentencePacker, f.Packer))
	}
	for _, c := range f.Channels {
		parts = append(parts, fmt.Sprintf(sentenceChannel, c.Name, c.URL, c.Commit))
	}
	return clean(strings.Join(parts, "; "))
}
