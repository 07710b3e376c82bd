package report

// recipeSentences are the sentences of the check recipe, and of what a recipe
// lacks, by code.
func recipeSentences() map[string]string {
	return map[string]string{
		"recipe/evidence":         "says how the image was made; {digest}",
		"recipe/lock":             "names {packages:count package} with their versions, by the image's own unsigned database",
		"recipe/lock-left-out":    "lacks {packages:count package} that have no name and version which its format allows: {names:list}",
		"recipe/none":             "no recipe",
		"recipe/partial-packages": "partial: the versions of {packages:count package}",
		"recipe/share": "the packages in its locks account for {percent:number} % of the files that a container sees, {bytes:size} of {total:size}" +
			"[; files and links that no package has: {own}[, {own-bytes:size}]]",
		"recipe/no-system": "no build system that is known here left its traces in the image",
	}
}
