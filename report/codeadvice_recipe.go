package report

// recipeAdvice is about what an image says of how it was built.
func recipeAdvice() []codeAdvice {
	const (
		without  = "Without it nobody can say where the bytes come from, and nobody can build them again."
		damaged  = "What the image carries as its recipe is not what the build system writes: it was cut, changed, or written by something else."
		asserted = "It is the image's own word: it helps whoever looks for the source, and proves nothing."
		moving   = "The same instruction gives other bytes on another day, so that a rebuild differs without anybody having done wrong."
		base     = "What an image was built on is most of what is in it, and is audited by itself."
	)
	return []codeAdvice{
		{codes: "recipe/no-attestation", title: "No provenance is attached to the image", why: without,
			todo: "Most images have none, and nothing speaks against this one. Who publishes it can attach provenance when it is built (BuildKit: --provenance=mode=max); until then name what it was built from, --source DIR, to have it built again."},
		{codes: "recipe/unsigned-attestation", title: "The provenance is signed by nobody",
			why:  "Anybody who can write beside the image can write it.",
			todo: "Ask the publisher to sign it, and check the signature with --key NAME=FILE; or have it confirmed by a rebuild."},
		{codes: "recipe/subject-mismatch", title: "The provenance is about another image",
			why:  "Provenance that lies beside an image and names another one is there by mistake, or to lend it what it does not have.",
			todo: "Do not rely on it. Ask the publisher for the provenance of this image, or for the image that it is about."},
		{codes: "recipe/revision-differs recipe/label-differs recipe/runscript-differs recipe/definitions-differ recipe/history-differs",
			why:  "The image says two things about how it was built, and one of them is not so.",
			todo: "Ask the author which of the two was really used; building it again from either shows it too."},
		{codes: "recipe/min-mode-attestation recipe/incomplete-attestation recipe/attestation-unread recipe/dockerfile-unread recipe/no-context recipe/no-subject recipe/unpinned-context recipe/unpinned-material recipe/unsupported-frontend recipe/unsupported-predicate",
			why:  "The provenance that lies beside the image leaves out something that a rebuild needs.",
			todo: "Who publishes the image can attach all of it when it is built (BuildKit: --provenance=mode=max) from a Git address at a commit. Until then name what it was built from, --source DIR."},
		{codes: "recipe/local-context recipe/host-network recipe/missing-secret recipe/missing-ssh recipe/local-channel recipe/local-transformation recipe/channel-left-out recipe/package-not-in-channels",
			why:  "It was built with something that nobody else has.",
			todo: "Ask the author for it, or to build the image from what others can fetch. An image that was built elsewhere is compared with --rebuilt IMAGE."},
		{codes: "recipe/lock-left-out", title: "A lock file of the packages lacks some of them",
			why:  "audit writes the lock from the image's own package database; what it cannot write there is not fetched again by who uses the lock.",
			todo: "Nothing is wrong with the image. Add the named packages to the lock by hand before you build from it."},
		{codes: "recipe/lock-local", title: "A lock file of the packages lacks those that are from no index",
			why:  "They were installed from a folder, a file or a repository that others cannot fetch. Anybody can put another package of that name into a public index.",
			todo: "Do not take packages of these names from an index. Ask the author for their sources, or for a public repository and a commit."},
		{codes: "recipe/lock-source-unknown", title: "A lock file of the packages does not say where some come from",
			why:  "A package of the same name and version can be another one in another repository.",
			todo: "Nothing is wrong with the image. Add the repository of the named packages to the lock by hand before you build from it."},
		{codes: "recipe/lock recipe/share", why: "audit writes locks from the image's own package database, which nobody signed.",
			todo: "Nothing has to be done. A build that uses the lock installs the same versions as long as an archive has them."},
		{codes: "recipe/add-without-checksum recipe/unchecked-download", why: moving + " Nothing shows whether what came was what was meant.",
			todo: "Pin it in the Dockerfile: ADD --checksum=sha256:…, or compare the SHA-256 in the same RUN."},
		{codes: "recipe/add-without-commit recipe/repository-without-commit recipe/repository-without-revision", why: moving,
			todo: "Name the commit in the instruction."},
		{codes: "recipe/image-by-tag recipe/image-without-tag recipe/image-by-argument recipe/definition-base-unpinned recipe/definition-agent", why: moving,
			todo: "Name the base image by its digest, NAME:TAG@sha256:…."},
		{codes: "recipe/latest-version recipe/loose-versions recipe/unlocked-versions recipe/newest-packages", why: moving,
			todo: "Name versions and keep to a lock file; for packages of a distribution take a snapshot of its archive by date."},
		{codes: "recipe/date recipe/hostname recipe/password-day recipe/package-logs", why: moving,
			todo: "Set SOURCE_DATE_EPOCH and use it in place of the clock; remove logs and caches in the same instruction."},
		{codes: "recipe/openssl recipe/random-key recipe/random-identifier recipe/random-numbers", why: moving + " A key that is made while building is the same in every container.",
			todo: "Make keys and identifiers when the container starts, and not while it is built."},
		{codes: "recipe/bad-* recipe/field-* recipe/data-after-manifest recipe/not-a-* recipe/not-as-* recipe/nothing-to-repeat recipe/property-twice recipe/channel-twice recipe/file-unreadable recipe/manifest-unreadable recipe/labels-unread recipe/configuration-no-text recipe/other-profile-unread", why: damaged,
			todo: "The finding has file, line and column. Ask for the image as it was packed, or for the recipe by itself."},
		{codes: "recipe/ambiguous-specification recipe/channel-addresses recipe/channel-commits recipe/installed-channels recipe/moving-transformation recipe/package-twice recipe/property-lost recipe/packages-without-provenance", why: "The files that the recipe is written as cannot carry all that the image has.",
			todo: "Read the written recipe before you use it, and put right what the finding names; what cannot be written there, give as the image was built with."},
		{codes: "recipe/no-* recipe/derivations-missing recipe/expression-missing recipe/revision-missing recipe/revision-unproven recipe/layers-without-recipe recipe/other-root recipe/other-tools-image recipe/more-profiles recipe/flattened recipe/system-without-channels recipe/definition-cut recipe/definition-unsigned", why: without},
		{codes: "recipe/unknown-*", why: "The image does not reveal how this was set when it was built; a rebuild guesses it, and can differ by it.",
			todo: "Nothing speaks against the image. If a rebuild differs, ask the author for the very command."},
		{codes: "recipe/base-differs recipe/base-larger recipe/base-without-layers recipe/base-epoch-differs", why: base,
			todo: "Ask the publisher which base image was really used, and audit that."},
		{codes: "recipe/base-again recipe/base-boundary-* recipe/base-debuerreotype recipe/base-epoch recipe/base-image recipe/base-label recipe/base-maker-* recipe/base-os-release", why: base,
			todo: "Nothing has to be done. Audit the base image by itself where you depend on it."},
		{codes: "recipe/asserted-* recipe/attestation recipe/signed-attestation recipe/build-argument recipe/build-context recipe/material recipe/layer-instruction recipe/definition-base recipe/definition-section recipe/evidence recipe/era recipe/other-profile recipe/customisation-layer", why: asserted, todo: worthKnowing},
		{codes: "recipe/complete recipe/none recipe/none-by-packer recipe/partial recipe/partial-*", todo: howItEnded},
	}
}
