package report

// recipeSentences are the sentences of the check recipe, by code.
func recipeSentences() map[string]string {
	return map[string]string{
		"recipe/evidence": "says how the image was made; {digest}",
		"recipe/none":     "no recipe",
	}
}
