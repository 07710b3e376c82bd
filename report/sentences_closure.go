package report

// closureSentences are the sentences of the check closure, by code.
func closureSentences() map[string]string {
	return map[string]string{
		// Why the check ended as it did.
		"closure/problems":  "{count:count finding} ({kinds:list})",
		"closure/undecided": "undecided: {count:count finding} ({kinds:list})",
		"closure/no-recipe": "no recipe to explain files by",
		"closure/no-root":   "nothing in the image names the store item that it is made of, so no file can be explained",

		// Layers.
		"closure/layer-unread":   "the layer can be read only in part: {error}",
		"closure/layer-not-read": "nothing of the layer was read[: its media type is {media-type}]; what it holds is not known",
		"closure/layers-unread":  "{unread:list}[ and {beyond} more] of {layers} could not be read to the end[ ({media-types:list})]: what is in there is not known, nor counted here",
		"closure/base-layer":     "the layer has no store items: nothing here explains its {entries:count entry}[, {bytes:count byte}]",

		// Files.
		"closure/unexplained-file": "[a {kind}[ of {bytes:count byte}][ to {target:quote}]: ]nothing that built or packed the image explains it" +
			"[; its mode is {mode}][; {absent} is not in the image]" +
			"[; the instruction that made its layer does not write there: {instruction}]",
		"closure/setuid-file":     "a {kind} of mode {mode} that runs with the rights of its owner[: {why:sentence}][; an instruction of its layer sets that: {sets}][; the layer was made by {instruction}]",
		"closure/setgid-file":     "a {kind} of mode {mode} that runs with the rights of its group[: {why:sentence}][; an instruction of its layer sets that: {sets}][; the layer was made by {instruction}]",
		"closure/capability-file": "a {kind} of mode {mode} that runs with capabilities[: {why:sentence}][; an instruction of its layer sets that: {sets}][; the layer was made by {instruction}]",
		"closure/device":          "a {kind} of mode {mode}[: {why:sentence}][; an instruction of its layer sets that: {sets}][; the layer was made by {instruction}]",
		"closure/private-key":     "a private key of mode {mode}[: {why:sentence}][; an instruction of its layer sets that: {sets}][; the layer was made by {instruction}]",
		"rights/nobodys":          "neither a package nor a recipe has it",
		"rights/changed":          "its bytes are not those that package {package} has installed",
		"rights/raised":           "package {package} has installed it without these rights",
		"rights/listed":           "package {package} lists it, which does not explain it here",
		"rights/recipe":           "no package has it, and the recipe can have made it",
		"rights/base":             "it is of the base image, of which nothing is explained here",
		"closure/hidden-rights":   "a {kind} of mode {mode}, which no container has: a layer above removes it, or its rights[; the layer was made by {instruction}]",
		"closure/package-file-changed": "its bytes are not those that package {package}[ {version}] has installed ({digest} is recorded)" +
			"[; the layer was made by {instruction}]",
		"closure/records-differ": "{count:count file} with other bytes than the record of a package has",
		"closure/record-differs": "its bytes are not those that the record of {package} has ({digest} is recorded)",
		"closure/package-folder-replaced": "it stands where package {package} has installed files in a folder" +
			"[, and the instruction that made its layer does not write there: {instruction}]",
		"closure/package-record-changed": "it changes what a package manager recorded in the layers below" +
			"[, and the instruction that made its layer does not write there: {instruction}]",
		"closure/package-record-replaced": "its record was replaced, while package {package} kept its version[ {version}] ({digest} was recorded)" +
			"[; the layer was made by {instruction}]",
		"closure/packer-entry-kind":    "it is a {got}, and the packer makes a {want}",
		"closure/packer-entry-target":  "it leads to {got:quote}, and that of the packer to {want:quote}",
		"closure/packer-entry-mode":    "its mode is {got}, and that of the packer {want}",
		"closure/packer-entry-content": "it has {bytes:count byte}, and the packer makes an empty file",

		// Store items.
		"closure/whiteout":              "it hides files of the layers below, and the packer never hides any",
		"closure/store-whiteout":        "it hides a part of the store in the layers below",
		"closure/extended-attributes":   "it has {count:count extended attribute}, and the store has none",
		"closure/store-item-type":       "it is a {kind}, and a store item can hold none",
		"closure/store-item-mode":       "its mode is {mode}, and in the store there are only 0444 and 0555",
		"closure/store-item-overlaid":   "it takes the place of another entry, in layer {below}: nobody changes what is in the store",
		"closure/store-item-extended":   "it adds to a store item of the layers below: nobody changes what is in the store",
		"closure/store-folder-replaced": "it takes the place of a folder of the store in the layers below",
		"closure/unreferenced-item":     "nothing that the image is made of leads to this store item[: neither {root} nor anything that it refers to]",
		"closure/item-unread":           "what the store item refers to is not known for certain: {error}",
		"closure/missing-root":          "the image says that it is made of this store item, and does not hold it",
		"closure/missing-reference":     "it names {item}, which is not in the image",

		// The store's database.
		"closure/database-not-kept":     "the image was opened without keeping the store's database",
		"closure/database-malformed":    "the store's database is none, and no packer writes such a file: {error:quote}",
		"closure/database-unread":       "the store's database cannot be read: {error:quote}",
		"closure/database-item-missing": "the store's database lists {item}, which is not in the image",
		"closure/database-lacks-item":   "the store's database does not list it",
		"closure/database-item-twice":   "the store's database lists {item:quote} twice",
		"closure/database-rows":         "the store's database lists {rows:count item}",
		"closure/nar-hash-differs":      "its NAR hash is {computed}, and the store's database says {recorded:quote}",
		"closure/nar-size-differs":      "its NAR has {bytes:count byte}, and the store's database says {recorded}",
		"closure/references-differ":     "the store's database records other references than its bytes have[: it lacks {unrecorded:list}][: it has beyond them {absent:list}]",
	}
}
