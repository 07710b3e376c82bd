package sbom

import (
	"fmt"
	"strings"

	"audit/provenance"
)

// formula is a recipe, nil where it says nothing.
func formula(r *provenance.Recipe) *provenance.Recipe {
	if r.Status == provenance.None || r.Status == "" || r.System == provenance.UnknownSystem || r.System == "" {
		return nil
	}
	return r
}

// formulaText is in one line how the image says that it was made.
func formulaText(f *provenance.Recipe) string {
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
