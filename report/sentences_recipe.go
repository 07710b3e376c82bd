package report

// recipeSentences are the sentences of the check recipe, and of what a recipe
// lacks, by code.
func recipeSentences() map[string]string {
	return map[string]string{
		"recipe/evidence":  "says how the image was made; {digest}",
		"recipe/none":      "no recipe",
		"recipe/no-system": "no build system that is known here left its traces in the image",
	}
}
