package report

// packagesSentences are the sentences of what package databases, and the bill of
// materials that is made of them, could not look into, by code.
func packagesSentences() map[string]string {
	return map[string]string{
		"packages/content-not-kept": "its content was not kept when the image was read",
		"packages/database-unread":  "it cannot be read: {error}",
		"packages/dangling-link":    "it is a link to {target:quote}, where no file is",
		"packages/no-file":          "it is no regular file",
		"packages/no-package":       "it describes no package",
		"packages/unmerged-log":     "a log of changes to the database beside it, which was not read",

		"sbom/metadata-too-long":  "{bytes} bytes are more than the metadata of a package has",
		"sbom/metadata-unread":    "it cannot be read as the metadata of a package: {error}",
		"sbom/too-many-packages":  "from here on nothing was looked into: there are more than {limit} packages",
		"sbom/too-many-relations": "from here on it was not looked into what packages depend on: there are more than {limit} relations",
		"sbom/program-too-large":  "whether Go made it was not looked into: programs of up to {each:size} are, and {all:size} of all",
		"sbom/program-not-kept":   "whether Go made it was not looked into: the image was not read again for it",
		"sbom/dangling-hard-link": "it is a hard link to a file that is not there, and has no digest",
	}
}
