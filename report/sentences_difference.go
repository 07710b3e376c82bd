package report

// differenceSentences are the sentences of what shows a difference between two images, by code.
func differenceSentences() map[string]string {
	all := map[string]string{
		"difference/change": "{was:change now}",
		"difference/files":  "{was:change now}",

		// Entries and layers.
		"difference/symlink-mode":          "the mode of a symlink, which Linux does not keep",
		"difference/same-file":             "both name the same file",
		"difference/link-or-copy":          "a link here, a copy there, of the same file",
		"difference/implied-folder":        "a folder of mode 0755, root's, that the other image does not list: what lies in it implies it, and engines make it so",
		"difference/link-before-target":    "the target does not stand before the link",
		"difference/link-to-no-file":       "the target is no file",
		"difference/linked-files-differ":   "the files behind them differ",
		"difference/linked-files-rights":   "the files behind them have the same bytes, but another mode, owner or attribute",
		"difference/linked-files-apart":    "the files behind them have the same bytes, but are not the same file",
		"difference/targets-before-link":   "entries of the target's path that stand before the link: {was-before}, now {now-before}",
		"difference/repeated-entry":        "the layer has {entries:count entry} of this path, of which the last wins",
		"difference/item-of-same-name":     "the other image has {item}, of the same name",
		"difference/renamed":               "→ {to}, the same file[: {file}]",
		"difference/renamed-folder":        "→ {to}, with what is in it: {files:count file} that are the same[, and {others:count more difference}]",
		"difference/folder-again":          "another layer has the same folder",
		"difference/hidden-entry":          "in the layers only ({cause}): the root file systems do not have this difference",
		"difference/moved-entries":         "{entries:count entry} in another layer",
		"difference/layer-order":           "the layers stand in another order",
		"difference/entry-order":           "the orders part at entry {entry}; {moved} of {common:count common entry} stand elsewhere",
		"difference/of-folded-layers":      "of the folded layers",
		"difference/headers":               "{field}; {entries:count entry} of the layer",
		"difference/header-record":         "{field}",
		"difference/header-bytes":          "the headers part at byte {offset}, which is byte {entry-offset} of those of this entry",
		"difference/broken-layer":          "the rest of the layer could not be compared",
		"difference/padding":               "padding after the last entry",
		"difference/trailing-bytes":        "bytes after the last entry, in no file",
		"difference/end-of-tar":            "the end of the tar",
		"difference/no-tar":                "the same files in a form that is no tar: how they are packed was not compared",
		"difference/not-found":             "the layers have the same entries and headers, yet are not the same bytes: the difference was not found",
		"difference/config-spelling":       "the config has the same values, written differently",
		"difference/blob-compression":      "the same tar, packed with {was-compression} and with {now-compression}",
		"difference/blob-packer":           "the same tar, packed by {compression} with another program or level",
		"difference/blob-gzip":             "the same tar, packed by gzip with another program or level; the header is the same",
		"difference/blob-gzip-header":      "the same tar, packed by gzip; in its header the {field} differs: {was:change now}",
		"difference/too-large":             "not looked into: {size} bytes are more than {limit}",
		"difference/not-at-hand":           "not looked into: the contents are not at hand",
		"difference/not-shown":             "not shown: what is shown of this and other files fills {limit} bytes",
		"difference/more-parts":            "… and {parts} more",
		"difference/changed-line":          "[⟫ {inside}: ][line {line}: ]{was:change now}[, and {others:count more line}][; {moved:count line} moved][ (in {places} places)]",
		"difference/reordered-lines":       "[⟫ {inside}: ]the same lines in another order: {lines:count line} moved, the first of them {was}[ (line {line})][ (in {places} places)]",
		"difference/lines":                 "[⟫ {inside}:\n]{diff}",
		"difference/strings":               "[⟫ {inside}: ]strings[ of section {section}]:\n{diff}",
		"difference/bytes":                 "[⟫ {inside}: ]{was-size} bytes, now {now-size}; the first difference is at byte {offset:number}[, the last at byte {last:number}, {differ:count byte} of {common} in common differ][; the first that nothing explains is at byte {unexplained}]\n- {was-window}\n+ {now-window}",
		"difference/too-large-unpacked":    "[⟫ {inside}: ]not looked into: unpacked, {what} is more than the {limit} bytes that one may have, or than what is left of {limit-all} for all files",
		"difference/elf-only":              "[⟫ {inside}: ]what differs is only {parts:list}: code and data are the same",
		"difference/too-many-lines":        "[⟫ {inside}: ]text, but {lines} lines are too many for a diff",
		"difference/too-many-lines-differ": "[⟫ {inside}: ]text, but too many lines differ for a diff, from line {line} on",
		"difference/large-database":        "[⟫ {inside}: ]a database of more than {limit-rows} rows or {limit} bytes, not looked into",
	}
	for code, what := range insideSentences() {
		all[code] = "[⟫ {inside}: ]" + what + changes
	}
	for code, what := range memberSentences() {
		all[code] = "[⟫ {inside} ]⟫ {member}: " + what + changes
	}
	return all
}

// changes is what each part inside of a file has after its sentence.
const changes = "[: {was:change now}][ (in {places} places)]"

// memberSentences say what differs about a member of an archive, after the way to it.
func memberSentences() map[string]string {
	return map[string]string{
		"difference/member-field":   "{field}",
		"difference/member-missing": "in the original only",
		"difference/member-extra":   "in the rebuild only",
		"difference/symbol-table":   "the table of symbols",
		"difference/symbol-names":   "names of symbols",
	}
}

// insideSentences say what differs inside of a file.
func insideSentences() map[string]string {
	return map[string]string{
		"difference/content":             "content",
		"difference/inside":              "what is inside",
		"difference/byte":                "byte {offset:number}",
		"difference/line":                "line {line}",
		"difference/member-order":        "order of members",
		"difference/between-members":     "bytes between the members",
		"difference/packed-data":         "{name} data",
		"difference/tar-headers":         "tar headers, of the same members with the same fields",
		"difference/zip-comment":         "comment of the zip file",
		"difference/elf-header":          "ELF header: class, machine, type and ABI",
		"difference/elf-rest":            "ELF headers and what is in no section",
		"difference/section":             "section {section}",
		"difference/section-from":        "section {section}, from its byte {offset:hex} on ({at:hex} in the file)",
		"difference/functions":           "section {section}, code of {functions:count function}: {symbols}[ and {beyond} more][, and bytes of none from {outside:hex} in the file on]",
		"difference/objects":             "section {section}, data of {objects:count object}: {symbols}[ and {beyond} more][, and bytes of none from {outside:hex} in the file on]",
		"difference/debug-section":       "section {section} (for debuggers)",
		"difference/section-missing":     "section {section} is in the original only",
		"difference/section-extra":       "section {section} is in the rebuild only",
		"difference/compressed-section":  "section {section} (compressed)",
		"difference/build-id":            "section {section} (the build-id)",
		"difference/compilers":           "section {section} (the compilers)",
		"difference/debug-link":          "section {section}: name",
		"difference/debug-link-checksum": "section {section}: checksum of the debugging symbols",
		"difference/gettext-header":      "header: {field}",
		"difference/gettext-tables":      "gettext tables",
		"difference/translation":         "translation of {message}",
		"difference/go-build-info":       "Go build info: {field}",
		"difference/guile-bytecode":      "Guile bytecode version",
		"difference/gzip-header":         "gzip header: {field}",
		"difference/gzip-members":        "gzip members",
		"difference/after-gzip":          "after the gzip file",
		"difference/json-value":          "value {field}",
		"difference/json-more-values":    "{values} more values",
		"difference/json-spelling":       "JSON, the same values written differently",
		"difference/pdf-key":             "PDF: /{key}",
		"difference/pdf-stream":          "PDF stream",
		"difference/pdf-streams":         "number of PDF streams",
		"difference/png-chunk":           "PNG chunk {chunk}",
		"difference/png-chunks":          "PNG chunks",
		"difference/pixels":              "pixels[, of which {differ:count unpacked byte} differ]",
		"difference/pyc-header":          "pyc header: {field}",
		"difference/pyc-code":            "pyc code",
		"difference/pyc-references":      "pyc code: marks of references, the objects are the same",
		"difference/aux-cache":           "the cache of ldconfig, with the same {libraries} libraries on another machine",
		"difference/engine-file":         "what a container engine writes of one container",
		"difference/font-cache":          "the cache of fontconfig: time of the folder",
		"difference/machine-id":          "identifier of the machine",
		"difference/sqlite-pages":        "SQLite pages, with the same schema and rows",
	}
}
