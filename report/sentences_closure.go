package report

// closureSentences are the sentences of the check closure, by code.
func closureSentences() map[string]string {
	return map[string]string{
		// Why the check ended as it did.
		"closure/problems":  "{count:count finding} ({kinds:list})",
		"closure/undecided": "undecided: {count:count finding} ({kinds:list})",
		"closure/no-root":   "nothing in the image names the store item that it is made of, so no file can be explained",

		// Layers.
		"closure/layer-unread": "the layer can be read only in part: {error}",
		"closure/base-layer":   "the layer has no store items: nothing here explains its {entries:count entry}[, {bytes:count byte}]",

		// Files.
		"closure/unexplained-file":     "a {kind}[ of {bytes:count byte}][ to {target:quote}]: nothing that built or packed the image explains it",
		"closure/setuid-file":          "a {kind} of mode {mode} that runs with the rights of its owner, and nothing explains it",
		"closure/setgid-file":          "a {kind} of mode {mode} that runs with the rights of its group, and nothing explains it",
		"closure/capability-file":      "a {kind} of mode {mode} that runs with capabilities, and nothing explains it",
		"closure/device":               "a {kind} of mode {mode}, and nothing explains it",
		"closure/private-key":          "a private key of mode {mode}, and nothing explains it",
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
		"closure/unreferenced-item":     "neither {root} nor anything that it refers to refers to this store item",
		"closure/item-unread":           "what the store item refers to is not known for certain: {error}",
		"closure/missing-root":          "the image says that it is made of this store item, and does not hold it",
		"closure/missing-reference":     "it names {item}, which is not in the image",

		// The store's database.
		"closure/database-not-kept":     "the image was opened without keeping the store's database",
		"closure/database-malformed":    "the store's database is none, and no packer writes such a file: {error:quote}",
		"closure/database-unread":       "the store's database cannot be read: {error:quote}",
		"closure/database-item-missing": "the store's database lists {item}, which is not in the image",
		"closure/database-lacks-item":   "the store's database does not list it",
	}
}
