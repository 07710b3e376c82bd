package report

// repackSentences are the sentences of the check repack, by code.
func repackSentences() map[string]string {
	return map[string]string{
		// Why the check ended as it did.
		"repack/regenerated":             "{equal} of {layers} layers regenerated, byte for byte, by the rules of {packer}",
		"repack/problems":                "problems: {count}",
		"repack/no-system":               "no build system is known whose packer made it",
		"repack/other-system":            "the packer of the system {system} is not known here",
		"repack/no-packers-header":       "a layer has a header that no packer writes, and could not be read to its end",
		"repack/layer-unread":            "a layer could not be read to its end, so there is nothing to compare with",
		"repack/no-layers":               "the image has no layers",
		"repack/split-unexplained":       "the split over layers cannot be explained",
		"repack/freedom-split":           "the split over layers is that of a builder on {file-system}",
		"repack/freedom-split-by-blocks": "the split over layers follows the builder's file system",
		"repack/freedom-readdir":         "the order inside folders is readdir's",
		"repack/freedom-owner":           "the owner is the builder's",
		"repack/form-not-known":          "how files of the form {form:quote} were packed is not known here",

		// Layers.
		"repack/layer-broken":   "{error}",
		"repack/layer-count":    "the image has {layers:count layer}; {era} packs everything into one",
		"repack/layer-items":    "{count:count store item}; the packer puts one into each layer, and what is left into the last but one",
		"repack/duplicate-item": "the store item is in layer {other}, too",

		// Entries and their order.
		"repack/duplicate-entry":        "entry {entry} has the path of entry {first}; a packer writes each file once",
		"repack/unexpected-entry":       "neither a store item nor anything that the packer makes here",
		"repack/unexpected-item":        "a store item in the layer that holds none",
		"repack/unexpected-type":        "type {type:quote}: a store item holds files, folders and symlinks only",
		"repack/missing-entry":          "{packer} makes this entry, and the layer lacks it",
		"repack/entry-outside-folder":   "it does not stand among the entries of its folder {folder:quote}, which tar writes right after the folder",
		"repack/entry-order":            "it stands after {after:quote}; {packer} writes it before",
		"repack/argument-order":         "it is number {number} of what the packer hands to tar, where {packer} writes {want:quote}",
		"repack/sequence-order":         "it is number {number} of what is not in the store, where {packer} writes {want:quote}",
		"repack/hard-link-dereferenced": "a hard link to {target:quote}: {packer} packs with tar --hard-dereference, which writes files whole",
		"repack/hard-link-target":       "a hard link to {target:quote}: no entry before it has that name",
		"repack/hard-link-type":         "a hard link to {target:quote}: that entry is no file; tar names the first of the links",
		"repack/hard-link-item":         "a hard link to {target:quote}: that file is in another store item, which {packer} packs with another tar",

		// Headers and padding.
		"repack/header-differs":      "[in the header of its {header}: ]{field}[, at byte {byte},] is {got}, the packer writes {want}[ (a {format} header, where the packer writes the GNU format)][; other fields that differ: {others:list}]",
		"repack/header-unreadable":   "[in the header of its {header}: ]{field}[, at byte {byte},] is {got}, the packer writes {want}[ (a {format} header, where the packer writes the GNU format)]; the layer can be read no further",
		"repack/header-checksum":     "its checksum is {got}, and its bytes add up to {want}: a byte of its name, size, linkname or checksum is not what tar wrote; the layer can be read no further",
		"repack/header-size-differs": "headers and padding before its content take {got:count byte}, where the packer writes {want}",
		"repack/frame-unreadable":    "reading its headers again: {error}",
		"repack/padding-differs":     "byte {byte} after its content is {value}; tar fills the last block with zeros",
		"repack/data-after-end":      "byte {byte} of what follows the last entry is {value}; tar writes zeros to the end",
		"repack/record-padding":      "{got:count zero byte} follow the last entry, where the packer writes {want}[ to fill its record of {record} bytes]",

		// Documents.
		"repack/archive-rewritten":       "another tool than the packer wrote the archive around config and layers",
		"repack/document-missing":        "{era} writes it, and the archive lacks it",
		"repack/document-differs":        "its digest is {digest}; the packer writes {want}",
		"repack/config-rewritten":        "another tool than the packer wrote the config again, with the same meaning",
		"repack/config-not-json":         "it is no JSON: {error}",
		"repack/config-not-packable":     "it cannot be written again: {error}",
		"repack/config-differs":          "{field} is {got}, the packer writes {want}",
		"repack/config-field-missing":    "{field} is missing, the packer writes {want}",
		"repack/config-field-unexpected": "{field} is {got}, the packer writes no such field",
		"repack/config-text-differs":     "the same values in another text: from byte {byte} on it reads {got}, the packer writes {want}",

		// What is left to chance.
		"repack/readdir-order": "entry order inside folders is readdir's on the builder's file system: {era} packs without tar --sort=name, so the same files can come in another order",
		"repack/builder-owner": "{era} packs layers with the owners of the builder: user {uid} {user:quote}, group {gid} {group:quote} in each entry",
	}
}
