package report

// recipeSentences are the sentences of the check recipe, and of what a recipe
// lacks, by code.
func recipeSentences() map[string]string {
	return map[string]string{
		"recipe/evidence":            "says how the image was made; {digest}",
		"recipe/lock":                "names {packages:count package} with their versions, by the image's own unsigned database",
		"recipe/lock-left-out":       "this lock, which audit provenance writes, lacks {packages:count package} whose name, version or address is none of its format[: {names:list}]",
		"recipe/lock-local":          "this lock, which audit provenance writes, lacks {packages:count package} from a folder, a file or a repository that others cannot fetch: {names:list}[ and {beyond} more]",
		"recipe/lock-source-unknown": "this lock, which audit provenance writes, has {packages:count package} from a repository that is not said to be CRAN: {names:list}[ and {beyond} more]",
		"recipe/none":                "no recipe",
		"recipe/partial-packages":    "partial: the versions of {packages:count package}",
		"recipe/share": "the packages in its locks[, and the base image with {base:size},] account for {percent:number} % of the files that a container sees, {bytes:size} of {total:size}" +
			"[; files and links that no package in them has: {own}[, {own-bytes:size}]]",
		"recipe/no-system": "no build system that is known here left its traces in the image",
	}
}

// baseSentences are those of the evidence of the image that one was built on. Each says
// how strong the word is.
func baseSentences() map[string]string {
	return map[string]string{
		"recipe/base-label":         "the image's own label claims the base[ {base}][ {digest}]; nothing shows that it is",
		"recipe/base-again":         "debuerreotype makes that base again from the snapshot of that time: {command}",
		"recipe/base-debuerreotype": "the history says that it was made of Debian {suite} as of {epoch}[ by {tool}][, with {files:list}, which its makers write]; anybody can copy that",
		"recipe/base-epoch":         "no entry of the layer is younger than {epoch}[, the date of {entries:count entry}], which agrees with what the history says",
		"recipe/base-epoch-differs": "it is younger than {epoch}, which the history says that nothing in the layer is; so many are: {entries:number}",
		"recipe/base-maker-files":   "{maker} write {files:list}; anybody can copy that",
		"recipe/base-maker-file":    "{maker} leaves such a file in its images; anybody can copy that",
		"recipe/base-maker-label":   "the label {label} is one of {maker}[: {value}]; anybody can copy that",
		"recipe/base-maker-line":    "the history has a line as {maker} writes it, {line:quote}; anybody can copy that",
		"recipe/base-os-release":    "it calls itself {distribution}",
		"recipe/base-boundary-cmd":  "a base image may end before line {line} of the history, {next:quote}: a CMD stands before it, which a Dockerfile has last",
		"recipe/base-boundary-form": "a base image may end before line {line} of the history, {next:quote}: {was} wrote the lines before it, and {is} this one",
		"recipe/base-boundary-time": "a base image may end before line {line} of the history, {next:quote}: it is younger than the one before by days: {days:number}",
	}
}
