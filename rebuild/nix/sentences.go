package nix

// sentences are the texts of the codes that only images of Nix get, as package
// report takes them.
func sentences() map[string]string {
	return map[string]string{
		// The recipe.
		"recipe/partial-store-items":   "partial: {items:count store item}, packed by {packer}; the expression and the revision of nixpkgs are not in the image",
		"recipe/partial-with-revision": "partial: {items:count store item}, packed by {packer}; they assert the revision {revision} of nixpkgs, and the expression is not in the image",
		"recipe/unknown-packer":        "the way in which the image is packed is that of no packer known here",
		"recipe/revision-missing":      "the revision of nixpkgs, or of whatever defines the packages, is not in the image",
		"recipe/revision-unproven":     "store items assert a revision of nixpkgs; whether the image was made from it, only an evaluation or a rebuild shows",
		"recipe/asserted-revision":     "it asserts the revision {revision} of nixpkgs; nothing ties that to the bytes",
		"recipe/expression-missing":    "the expression and the attribute that make the image are not in it; give them with --nix-expr and --nix-attr, --nix-flake, or --nix-drv",
		"recipe/derivations-missing":   "the store's database names the derivations of {items:count store item}, and does not have them",
		"recipe/asserted-origin":       "the label {label} asserts {value:quote}; nothing ties it to the bytes",
		"recipe/customisation-layer":   "the last layer was made from this store item, which is not in the image: evaluating the right expression gives this path",
		"recipe/unknown-layer-limit":   "maxLayers: no layer has several store items, so it was not reached",
		"recipe/unknown-commands":      "extraCommands, fakeRootCommands and runAsRoot: what they did is in the image, how is not",
		"recipe/unknown-created":       "created: {created:quote} is a date that the expression has, or created = \"now\", with which no build gives the same image again",
		"recipe/unknown-base":          "fromImage: the lowest {layers:count layer} are those of a base image",

		// The closure.
		"closure/explained-from-root":           "{explained} of {entries:count entry} explained: {in-store} in {items:count store item} that the config and the root lead to, {packed} made by the packer or linked into the store",
		"closure/not-a-store-item":              "a {kind} in the store's folder whose name is no store item's",
		"closure/store-item-mode-chosen":        "its mode is {mode}; nix2container gives other modes than the store's only where it is asked to (perms)",
		"closure/history-unread":                "history entry {entry}, {comment:quote}: {error}",
		"closure/history-item-missing":          "the history says that the layer was made of it, and the layer does not have it",
		"closure/history-lacks-item":            "the layer has it, and the history does not say so",
		"closure/unreferenced-item-of-base":     "neither the config nor any file of the root leads to this store item; it comes from the base image, whose config is not here",
		"closure/unreferenced-item-of-deps":     "neither the config nor any file of the root leads to this store item; nix2container takes such items in as deps",
		"closure/unreferenced-item-of-contents": "neither the config nor any file of the root leads to this store item; nixpkgs of that time took in all of contents, linked or not",
		"closure/no-store-items":                "the image names {count:count store path} and has none: it was made without them (includeStorePaths = false)",
		"closure/missing-reference-of-base":     "it names {item:quote}, which is not in the image; it comes from the base image",
		"closure/missing-derivation":            "it names {item:quote}, which is not in the image; derivations are named without being needed",
		"closure/missing-example":               "it names {item:quote}, which is not in the image; manuals, and Nix itself, have examples of store paths",
		"closure/missing-copied-item":           "it names {item:quote}, which is not in the image; nix2container leaves out what it copies to the root",
		"closure/database-copied-item":          "the store's database lists {item:quote}, which is not in the image; nix2container leaves out what it copies to the root",

		// Packing again.
		"repack/bare-file-system":    "a bare file system has no layers to pack again",
		"repack/unknown-writer":      "nothing that is known to pack for Nix has written this layer, so it is not packed again",
		"repack/base-layer":          "it is a layer of the base image, and not what the packer of this image writes; it is not packed again",
		"repack/base-item-again":     "layer {other}, of the base image, has this store item too",
		"repack/unknown-layers":      "{count} were not written by anything known here, or cannot be read",
		"repack/entries-unsorted":    "the entries are not in the order that nixpkgs has written them in since 2021; nixpkgs 20.09 left it to the builder's file system",
		"repack/order-of-a-time":     "the order of entries can only be that of nixpkgs 20.09, or somebody else's",
		"repack/constants-differ":    "its entries are of the second {time} and of user {uid} {user:quote}, group {gid} {group:quote}; those of layer {other} of the second {other-time} and of user {other-uid} {other-user:quote}, group {other-gid} {other-group:quote}",
		"repack/unexpected-folder":   "a folder; {packer} writes none",
		"repack/missing-folder":      "its folder {folder:quote} does not come before it",
		"repack/root-taken":          "modes, owners and contents of {entries:count entry} outside the store are taken from the image: the author's contents and commands decide them",
		"repack/split-taken":         "the {items:count store item} are in {layers:count layer}: which of them share one follows from how many others need them, or from the author's pipeline, and is taken from the image",
		"repack/date-taken":          "every entry is of the second {time}: the author chose the date, or the packer is of a time that had another",
		"repack/perms-taken":         "{entries:count entry} of store items with another mode or owner than the store gives: the author chose them (perms)",
		"repack/owner-taken":         "every entry belongs to user {uid} {user:quote}, group {gid} {group:quote}: the author chose the owner",
		"repack/config-other-form":   "the config is not as {packer} writes it[: it has a field {field:quote}][: its history has {entries:count entry} for {layers:count layer}][: history entry {entry} has the fields {fields:list}]: another tool wrote it again, or changed it",
		"repack/freedom-root":        "what stands at the root is the author's",
		"repack/freedom-split-taken": "the split over layers is the packer's",

		// What the packers leave to chance.
		"known/nix-store-mode":   "dockerTools of Nixpkgs gives /nix/store the mode that it has where the image is built",
		"known/nix-user-name":    "dockerTools with includeNixDB makes folders with the name of the user who builds",
		"known/nix-database":     "the database that dockerTools makes with includeNixDB has the time at which it was made, and tables by the version of Nix that made it",
		"known/nix-build-folder": "buildImageWithNixDb of Nixpkgs makes a link that names the folder of the build",

		// The plan.
		"plan/no-expression":             "the image does not show its expression: give it with --nix-expr FILE --nix-attr ATTR, --nix-flake REF#ATTR or --nix-drv FILE.drv",
		"plan/addresses-without-secrets": "these addresses go with what the plan does not hold, since it may be secret: {addresses}; name them again as they were given, and all else as the plan has it",
		"plan/not-given":                 "the plan names the {kind} {place}, and anyone may have written it: name the same with {flag}, and all else as the plan has it",
		"plan/given-derivation":          "it is given by the user; nothing is evaluated, and it is built in Nix's sandbox",
		"plan/given-expression":          "it is given by the user; it is evaluated in restricted mode and built in Nix's sandbox",
		"plan/given-flake":               "it is given by the user; it is evaluated in pure mode and built in Nix's sandbox",

		// The derivation.
		"derivation/customisation-not-derived": "the history says that the last layer was made from it, and no derivation of the recipe makes it[; the recipe gives {instead} instead]",
		"derivation/customisation-differs":     "the same packages, and another customisation layer than the recipe gives",
		"derivation/customisation-derived":     "and that of its customisation layer",
		"derivation/tag-of-derivation":         "the tag is the hash of {item}, which the recipe makes",
		"derivation/tag-of-none":               "the tag {tag} has the form of a store path's hash, and none of the recipe has it: the image got it from another derivation, or by hand",
	}
}
