package guix

// sentences are the texts of the codes that only Guix has; see package report for
// how they are written.
func sentences() map[string]string {
	return map[string]string{
		// The recipe.
		"recipe/complete": "complete: {packages:count package} from {channels:count channel}, made by {packer}",
		"recipe/partial":  "partial: {packages:count package} from {channels:count channel}, made by {packer}[; {missing:count problem}]",
		"recipe/era":      "the packer is that of Guix {era}, since {marks:list}",

		// What a recipe is missing: the image.
		"recipe/other-root":              "{sign} of the image names {others:list}, and the image is made of {root}",
		"recipe/no-root":                 "nothing in the image names the profile that it is made of",
		"recipe/no-manifest":             "the image has no file {file}, which lists the packages",
		"recipe/manifest-unreadable":     "the profile manifest cannot be read: {error}",
		"recipe/no-packages":             "the profile lists no packages, so nothing shows which channels it was made with",
		"recipe/other-tools-image":       "another tool than guix pack put the image together, and the layers with store items have other files, too",
		"recipe/layers-without-recipe":   "another tool than guix pack put the image together: the recipe is that of {root}, and nothing here shows that of the layers without store items ({layers:list})",
		"recipe/more-profiles":           "the image holds more profiles than the {limit} that are read",
		"recipe/other-profile-unread":    "the image holds another profile, {item}, and its recipe cannot be read",
		"recipe/other-profile":           "the image holds another profile, {item}, a recipe of its own ({files:list}): [{packages:list}]",
		"recipe/system-without-channels": "the system does not say which channels it was made from (it was made without --save-provenance)",
		"recipe/no-configuration":        "the image does not hold the system's configuration",
		"recipe/configuration-no-text":   "the configuration of the system, /{file} in the image, is no text",

		// The channels and packages of a profile.
		"recipe/file-unreadable":             "{file}:{error}",
		"recipe/bad-channel":                 "{file}:{line}:{column}: {error}",
		"recipe/channel-twice":               "{file}:{line}:{column}: the channel {channel} comes twice",
		"recipe/bad-provenance":              "{file}:{line}:{column}: the provenance of {package}: {error}",
		"recipe/no-channel-guix":             "no channel has the name guix: guix time-machine will refuse channels.scm",
		"recipe/channel-left-out":            "channels.scm leaves out the channel {channel}, since another one has the same commit {commit}; it is the origin of: {packages:list}",
		"recipe/channel-commits":             "channels.scm can name one commit of the channel {channel}, which is {commit}, and these packages come from {other}[ of another address ({address})]: {packages:list}",
		"recipe/channel-addresses":           "channels.scm can name one address, branch and introduction of the channel {channel}, and these packages name others ({address}, branch {branch}): {packages:list}",
		"recipe/no-provenance":               "no package has its provenance recorded (the pack was made without --save-provenance): the channels are not known",
		"recipe/packages-without-provenance": "no provenance is recorded of these packages, and nothing says that the channels of the others have them: {packages:list}",
		"recipe/package-twice":               "a manifest has each package once, and the profile, put together from several manifests, has another time: {packages:list}",
		"recipe/ambiguous-specification":     "the names of these packages read as something else when they are written NAME@VERSION:OUTPUT: {packages:list}",
		"recipe/installed-channels":          "these entries are channels that guix pull installed, and no packages: {packages:list}",
		"recipe/property-lost":               "manifest.scm cannot carry the property {property}, which the profile has of: {packages:list}",
		"recipe/bad-transformations":         "the transformations of these packages are not of the form (OPTION . VALUE): {packages:list}",
		"recipe/moving-transformation":       "what the transformation {option} gives depends on when it is applied; it was applied to: {packages:list}",
		"recipe/local-transformation":        "the transformation {option} needs a file that the image does not hold; it was applied to: {packages:list}",

		// The form of a profile manifest.
		"recipe/data-after-manifest": "{file}:{line}:{column}: data after the profile manifest",
		"recipe/not-as-guix-writes":  "{file}:{line}:{column}: {want} belongs here",
		"recipe/not-a-string":        "{file}:{line}:{column}: a string belongs here, not {kind}",
		"recipe/not-a-store-path":    "{file}:{line}:{column}: {path} is no store path",
		"recipe/nothing-to-repeat":   "{file}:{line}:{column}: {entry} is said to be repeated and did not come before",
		"recipe/field-twice":         "{file}:{line}:{column}: the field {field} comes twice; the first one counts",
		"recipe/field-missing":       "{file}:{line}:{column}: the entry {entry} has no field {field}",
		"recipe/field-values":        "{file}:{line}:{column}: the field {field} of an entry has one value",
		"recipe/field-not-known":     "{file}:{line}:{column}: the field {field} of an entry is not known here",
		"recipe/property-twice":      "{file}:{line}:{column}: the property {property} comes twice; the first one counts",

		// What the image does not reveal of how the packer was called.
		"recipe/unknown-era":                 "the packer's era for certain: the image is like those of Guix {era}, but {mark}",
		"recipe/unknown-grafts":              "whether packages were grafted (--no-grafts)",
		"recipe/unknown-target":              "whether packages were cross-compiled (--target)",
		"recipe/unknown-files":               "module folders, expressions and files given on the command line (-L, -e, --file)",
		"recipe/unknown-modules":             "module folders given on the command line (-L)",
		"recipe/unknown-network":             "whether the system shares the network of its host (--network)",
		"recipe/unknown-channels":            "channels that no package comes from",
		"recipe/unknown-transformed-channel": "the channel that a transformed package comes from: Guix notes of it no other than its own",
		"recipe/unknown-manifest":            "what the profile manifest would show",
		"recipe/unknown-system-type":         "the system type[: the architecture is said to be {architecture:quote}]",
		"recipe/unknown-config":              "what the config of the image said: --entry-point, --image-tag, --max-layers",
		"recipe/unknown-max-layers":          "--max-layers: the image has {layers:count layer} that guix pack did not make in this form",
		"recipe/unknown-tag":                 "--image-tag: the image has {tags:count name}, and guix pack gives one",
		"recipe/unknown-tag-form":            "--image-tag: guix pack of that time does not give the name {tag:quote}",
		"recipe/unknown-compression":         "--compression: the archive was written by another tool since",

		// Closure.
		"closure/explained":       "{explained} of {entries:count entry} explained: {store} in {items:count store item} that {root} leads to, {packer} made by the packer[; the store's database lists {rows:count item}]",
		"closure/missing-package": "line {line}: {package:quote} of the profile is {item:quote}, which is not in the image",

		// The plan.
		codeIncomplete:                       "the recipe is not complete ({status})",
		"plan/no-command":                    "these files are of the form {form:quote}, and no command of guix is known to make that",
		"plan/not-expressible":               "{error}",
		"plan/two-channels":                  "two channels are named {channel:quote}, and which of them Guix would take is not certain",
		"plan/nothing-to-compare":            "nothing to compare a rebuild with",
		"plan/not-trusted":                   "a rebuild would run code, or fetch from an address, that is not trusted",
		"plan/channel-official":              "it carries the official introduction of Guix, from which its history is authenticated, and comes from an official address",
		"plan/channel-named":                 "--trust-channel names its address",
		"plan/channel-named-unauthenticated": "--trust-channel names its address; it has no introduction, so nothing authenticates its history",
		"plan/channel-unauthenticated":       "channel {name:quote} at {address:quote} (it has no introduction, so nothing authenticates its history); to allow it: {flag}",
		"plan/channel-of-others":             "channel {name:quote} at {address:quote} (its introduction is not the official one of Guix); to allow it: {flag}",
		"plan/channel-not-guix":              "channel {name:quote} at {address:quote} (it carries the introduction of Guix, and is not the channel guix); to allow it: {flag}",
		"plan/channel-elsewhere":             "channel {name:quote} at {address:quote} (it carries the official introduction of Guix, and its address is no official one); to allow it: {flag}",
		"plan/channel-without-address":       "channel {name:quote} at {address:quote} (its address is none from which Guix could be fetched)",
		"plan/transformation-chooses":        "it only chooses among packages of the channels",
		"plan/transformation-named":          "--trust-source names it",
		"plan/transformation-fetches":        "the transformation {option} would fetch from {address:quote}[; to allow it: {flag}]",
		"plan/transformation-moves":          "the transformation {option} takes a source that the channels do not name; to allow it: {flag}",
		"plan/transformation-not-known":      "the transformation {option} is not known here; to allow it: {flag}",
		"plan/program-not-trusted":           "{name} (it is a program by whoever made the image, and Guix runs it as this user); to allow it: {flag}",
		"plan/program-named":                 "{flag} allows it; it is a program by whoever made the image, and Guix runs it as this user",

		// Evaluating the recipe.
		"derivation/not-evaluated":       "the recipe was not evaluated",
		"derivation/evaluation-failed":   "the recipe could not be evaluated",
		"derivation/no-items":            "the image has no store items to compare with the recipe",
		"derivation/all-derived":         "evaluating the recipe gives the store paths of the image, all {items}",
		"derivation/other-provenance":    "the same packages with other provenance text: every store path but the profile's is what the recipe gives",
		"derivation/other-machine":       "no store path of the image is what the recipe gives on this machine; the image does not say for which kind of machine it is, so it may be for another",
		"derivation/not-derived":         "{count} of {items} store items have other paths than the recipe gives",
		"derivation/item-not-derived":    "no derivation of the recipe makes it[; Guix computes {instead} instead]",
		"derivation/profile-not-derived": "no derivation of the recipe makes it[; Guix computes {instead} instead; a profile's path depends on every word of its manifest, the addresses of the channels among them (a time-machine kept from another address for the same commits gives other words)]",

		// What packers leave to chance.
		"known/guix-readdir-order": "guix pack -f docker from 1.4 up to 1.5 writes a single layer in readdir order: the files of a folder come as the builder's file system lists them (1.3 sorts them by name)",
		"known/guix-layer-sizes":   "guix pack -f docker --max-layers of 1.5 puts store items into layers by their sizes, in which folders count as large as the builder's file system has them: on another file system the same items come in other layers",
		"known/guix-layered-2024":  "guix pack -f docker --max-layers from January 2024 to January 2025 keeps times, owners, modes and order as the builder's store has them",
		"known/guix-deduplication": "guix-daemon stores files of the same content once, where it can: guix pack 1.0, and with --max-layers 1.5, writes them as hard links where the builder's store has them so",

		// Packing again.
		"repack/no-profile":         "nothing in the image names the profile that it was made of",
		"repack/era-not-known":      "how the packer of Guix {era} laid out its tarballs is not known here",
		"repack/squashfs":           "mksquashfs compresses a squashfs as a whole, and its bytes depend on its version and that of its compressor: nothing short of running it gives them again",
		"repack/exported":           "a container engine has written these files anew when it exported them: nothing is left of what the packer wrote",
		"repack/system-files":       "these are the files of a system without what shows how they were packed",
		"repack/other-tools-layers": "another tool than Guix's packer has put the layers together",
		"repack/era":                "the profile's manifest is as Guix {manifest} writes it, so those rules apply, though the recipe takes the packer for Guix {recipe}",
		"repack/env-empty":          "the config has none of the {count:count search path} that the profile exports",
		"repack/env-unchecked":      "the profile's etc/profile was not read: of the search paths in the config it is only known that they lead into the profile",
		"repack/split-by-blocks":    "{era} sorted the store items by the disk blocks that they took on the builder's file system, which the image does not show",
		"repack/split-by-size":      "the store items are sorted by size, and folders' own sizes count, which differ between file systems: this order is that of a builder on {file-system}, and on another the same items can come in other layers",
		"repack/split-not-by-size":  "the store items are not sorted by size, whichever known file system one counts the folders' own sizes on; nor is the order impossible on another",
		"repack/layer-split":        "it comes before {before}, though it is smaller whatever size a folder has: {bytes} bytes and {folders} folders against {other-bytes} bytes and {other-folders} folders",
		"repack/item-order":         "the {count:count store item} are in the order that Guix gives to this closure, leaves first",
		"repack/item-order-differs": "the store items are not in the order that Guix gives to this closure: {item} stands where {want} is due",
	}
}
