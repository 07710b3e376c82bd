package report

// recipeSentences are the sentences of the check recipe, and of what a recipe
// lacks, by code.
func recipeSentences() map[string]string {
	return map[string]string{
		"recipe/evidence":            "says what the image is made of; {digest}",
		"recipe/asserted-origin":     "the label {label} asserts {value:quote}; nothing ties it to the bytes",
		"recipe/unknown-system-type": "the system[: the architecture is said to be {architecture:quote}]",
	}
}
