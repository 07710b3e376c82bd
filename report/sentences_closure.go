package report

// closureSentences are the sentences of the check closure, by code.
func closureSentences() map[string]string {
	return map[string]string{
		// Why the check ended as it did.
		"closure/problems":      "{count:count finding} ({kinds})",
		"closure/undecided":     "undecided: {count:count finding} ({kinds})",
		"closure/database-rows": "the store's database lists {rows:count item}",

		// Entries, wherever they are.
		"closure/layer-unread":        "the layer can be read only in part: {error}",
		"closure/base-layer":          "{entries:count entry}[ of {bytes:count byte}] of a base image: what made them is not known here",
		"closure/whiteout":            "it hides what the layers below hold",
		"closure/extended-attributes": "it has {count:count extended attribute}, and neither a store nor what packs its items keeps any",
		"closure/unexplained-file":    "{kind}[ of {bytes:count byte}][ to {target:quote}] outside the store that nothing explains[: its mode is {mode}][: {absent} is not in the image]",
		"closure/not-a-store-item":    "{kind}[ of {bytes:count byte}][ to {target:quote}] in the store's folder whose name is no store item's",

		// Store items.
		"closure/store-item-type":   "it is {kind}, and a store item can hold none",
		"closure/store-item-mode":   "its mode is {mode}, and in the store there are only 0444 and 0555",
		"closure/item-unread":       "what the store item refers to is not known for certain: {error}",
		"closure/unreferenced-item": "nothing that the image is made of[, {root},] leads to this store item",
		"closure/missing-reference": "it names {item:quote}, which is not in the image",

		// The store's database.
		"closure/database-malformed":    "the store's database is none, and no packer writes such a file: {error}",
		"closure/database-unread":       "the store's database cannot be read: {error}",
		"closure/database-item-twice":   "the store's database lists {item:quote} twice",
		"closure/database-item-missing": "the store's database lists {item:quote}, which is not in the image",
		"closure/database-lacks-item":   "the store's database does not list it",
		"closure/nar-hash-differs":      "its NAR hash is {computed}, and the store's database says {recorded:quote}",
		"closure/nar-size-differs":      "its NAR has {bytes:count byte}, and the store's database says {recorded}",
		"closure/references-differ":     "the store's database records other references[: it lacks {unrecorded}][: it has beyond them {absent}]",
	}
}
