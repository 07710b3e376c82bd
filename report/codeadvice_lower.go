package report

// lowerAdvice is about sources, derivations and rebuilds, and about package databases.
func lowerAdvice() []codeAdvice {
	const (
		other   = "A store path holds a digest of all that goes into a build. Another path is another recipe: another commit, another version, or an option that the image does not show."
		seldom  = "Evaluating a recipe does not always decide: images can have parts that only a build gives."
		found   = "Sources vanish: what one host alone has, or no archive, may be gone when somebody builds it again."
		partly  = "Files of packages are known by these databases. What was not read there explains nothing, and so more files look unexplained than are."
		differs = "What was built again and the image are not the same: a build that varies, an input that has changed, or an image that was changed."
	)
	return []codeAdvice{
		{codes: "sources/no-hash sources/impure sources/name-not-content",
			why:  "A build that begins with something of which no hash exists cannot be done again, and nobody can say what went into it.",
			todo: "Ask the author to pin it: a fetch with its hash in place of a local folder, and no build that is let out of its sandbox."},
		{codes: "sources/names-not-verified sources/items-of-no-derivation sources/program-of-the-machine sources/not-answered",
			why:  "Some of what takes part in the build cannot be seen from here.",
			todo: "Look again on the machine that has the build system and its store, or when the archives answer; nothing speaks against the image."},
		{codes: "sources/gone sources/commit-not-archived sources/one-host sources/no-address sources/local-address", why: found,
			todo: "Have it archived while it is there: Software Heritage takes repositories and archives by their address (Save Code Now)."},
		{codes: "sources/movable sources/weak-hash", why: "The address, or the hash, does not hold the source fast by itself.",
			todo: "Nothing has to be wrong. Name the commit, and a SHA-256, where you write the recipe."},
		{codes: "sources/commit-archived", why: found, todo: worthKnowing},
		{codes: "sources/held sources/led-back sources/no-derivations sources/not-fixed sources/not-for-system sources/not-read sources/plain sources/undecided", todo: howItEnded},

		{codes: "derivation/item-not-derived derivation/profile-not-derived derivation/customisation-not-derived derivation/tag-of-none derivation/given-commit-differs derivation/given-has-package derivation/given-lacks-package derivation/given-version-differs", why: other,
			todo: "Ask the author for the recipe that was really used: the finding names the item, and what the recipe gives in its place."},
		{codes: "derivation/customisation-differs derivation/known-after-build derivation/other-machine derivation/other-provenance derivation/with-and-without-grafts derivation/without-grafts", why: seldom,
			todo: "Nothing has to be wrong. Building the recipe, on a machine of the same kind, decides it."},
		{codes: "derivation/tag-of-derivation", why: other, todo: worthKnowing},
		{codes: "derivation/all-derived derivation/customisation-derived derivation/evaluation-failed derivation/items-differ derivation/no-builder derivation/no-items derivation/none-of-* derivation/not-derived derivation/not-evaluated", todo: howItEnded},

		{codes: "rebuild/difference rebuild/config-difference rebuild/more-differences", why: differs,
			todo: "See Differences: each has a cause, and each cause says what usually brings it about. Build twice on one machine to distinguish a build that varies from an image that was changed."},
		{codes: "rebuild/fresh-build-differs", title: "Building it twice gave other bytes",
			why:  "The build itself varies, so that a difference says nothing against the image.",
			todo: "Report it to the maintainers of the package; the named paths are where to look."},
		{codes: "rebuild/fresh-build-not-done", why: "Whether the build varies is not known of this item.",
			todo: "The finding has the error of the builder. Where you depend on the item, build it on a machine that can."},
		{codes: "rebuild/build-failed", title: "Building the recipe again failed",
			why:  "There is nothing to compare the image with. Sources vanish, and old builds fail on new machines: it does not say that the image is wrong.",
			todo: "The findings of the check rebuild name what the log points at. Give what is missing, or run rebuild.sh on another machine and come back with --rebuilt IMAGE."},
		{codes: "rebuild/harmless rebuild/hidden-entry rebuild/more-hidden-entries rebuild/blob-compression rebuild/manifest-differs rebuild/another-engine",
			why:  "No container sees it, and digests change with it all the same.",
			todo: "Nothing has to be done. Whoever wants the same digest packs with the same tool, version and options."},
		{codes: "rebuild/built-here rebuild/built-elsewhere rebuild/nothing-built", why: "What was built in a run weighs more than what was fetched.", todo: worthKnowing},
		{codes: "rebuild/causes rebuild/different rebuild/equivalent rebuild/given rebuild/given-differs rebuild/identical rebuild/instructions rebuild/items-unknown rebuild/layers rebuild/no-differences rebuild/not-built rebuild/nothing-compared rebuild/store-items rebuild/substituted rebuild/unstable", todo: howItEnded},

		{codes: "packages/* records/unread records/archive-limit records/archive-not-kept records/archive-part-unread records/too-long records/too-many records/too-many-paths", why: partly,
			todo: "Look at the named file with the package manager that wrote it. One that no package manager can read was changed by something else."},
		{codes: "records/digest-uncompared records/file-missing records/name-differs records/no-file-list records/outside records/unlisted-file records/signature-unread", why: partly,
			todo: "Nothing has to be wrong: not all tools record which files they install."},
	}
}
