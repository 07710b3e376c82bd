package report

// packagesSentences are the sentences of what package databases, and the bill of
// materials that is made of them, could not look into, by code.
func packagesSentences() map[string]string {
	return map[string]string{
		"packages/content-not-kept": "its content was not kept when the image was read",
		"packages/database-unread":  "it cannot be read: {error}",
		"packages/dangling-link":    "it is a link to {target:quote}, where no file is",
		"packages/field-twice":      "{package} has the field {field} twice, which dpkg refuses and other tools read in one way or the other: the first was taken",
		"packages/no-file":          "it is no regular file",
		"signatures/no-packages":    "the image has no database of packages, so that nothing can be held against --packages",
		"packages/apk-adb":          "it has the format ADB of apk 3, which is not read here: which packages there are, and which files are theirs, is not known",
		"packages/no-package":       "it describes no package",
		"packages/unmerged-log":     "a log of changes to the database beside it, which was not read",

		"sbom/metadata-too-long":  "{bytes} bytes are more than the metadata of a package has",
		"sbom/too-many-packages":  "from here on nothing was looked into: there are more than {limit} packages",
		"sbom/too-many-relations": "from here on it was not looked into what packages depend on: there are more than {limit} relations",
		"sbom/program-too-large":  "the modules that it is made of were not looked into: programs of Rust, and of Go before 1.18, of up to {each:size} are, and {all:size} of all",
		"sbom/program-not-kept":   "whether Go made it was not looked into when the image was read",
		"sbom/dangling-hard-link": "it is a hard link to a file that is not there, and has no digest",

		"records/unread":              "it cannot be read as the record of a package: {error}",
		"records/outside":             "it lists files outside of the prefix that its package was installed into, which are not taken for its own",
		"records/too-long":            "{bytes} bytes are more than the record of a package has",
		"records/too-many":            "from here on no records were looked into: they have more than {limit:size} in all",
		"records/too-many-paths":      "from here on it was not looked into: its paths, written out, are more than {limit} times as long as itself",
		"records/archive-not-kept":    "its packages were not looked into when the image was read",
		"records/archive-limit":       "the packages in it were looked into in part: more {limit} than a limit allows",
		"records/archive-part-unread": "not unpacked: {parts:count part} of it, the first {first:quote}, of which the packages are not known",
		"records/digest-uncompared":   "the record of {package} has digests of {files:count file} that were not compared: they are of another kind than those that are taken, or none",
		"records/file-missing":        "not there: {files:count file} of {listed} that the record of {package} lists with a digest",
		"records/name-differs":        "its folder is named like another package than {name:quote}, which stands in it: tools go by the one or the other",
		"records/signature-unread":    "{package} has a signature of its own, which was not verified",
		"records/unlisted-file":       "it lies in a folder of {ecosystem} packages ({folder:quote}), and no record there has it",
		"records/no-file-list":        "{files:count file} whose package is not known: packages of {ecosystem} in this folder have no list of their files",
	}
}
