package docker

import "maps"

// sentences are those of the codes that only this system uses.
func sentences() map[string]string {
	all := map[string]string{
		"derivation/none-of-dockerfile": "a Dockerfile has no derivation to evaluate",

		// What the recipe is, and how it is known.
		"recipe/partial-instructions":  "partial: {instructions:count instruction}, made by {packer}",
		"recipe/none-by-packer":        "no recipe, made by {packer}",
		"recipe/no-history":            "the image has no history",
		"recipe/history-differs":       "its history has {history-layers:count layer}, and the image {layers}, so which instruction made which is not known",
		"recipe/layer-instruction":     "made by [{instruction} ]({entries:count entry}, {bytes} bytes)",
		"recipe/build-argument":        "an instruction was run with the build argument {argument}",
		"recipe/base-image":            "{base} is its base: the lowest {layers:count layer} are the same bytes",
		"recipe/base-without-layers":   "{base}, which is named as the base image, has no layers",
		"recipe/base-larger":           "{base} is not its base: it has {base-layers:count layer}, and this one {layers}",
		"recipe/base-differs":          "{base} is not its base: their layers {layer} differ",
		"recipe/asserted-label":        "a label says, and nothing shows, that {label} is {value}",
		"recipe/revision-differs":      "a label says that it was made from the commit {label}, and the provenance says {commit}",
		"recipe/dockerfile-unread":     "its Dockerfile cannot be read: {error}",
		"recipe/flattened":             "docker export leaves the history and the config of an image behind",
		"recipe/no-attestation":        "no SLSA provenance attestation lies beside the image, so its source, its base image and its build context are not known",
		"recipe/unsigned-attestation":  "the source, the base images and the Dockerfile are as an unsigned attestation says, which anybody can write",
		"recipe/signed-attestation":    "the source, the base images and the Dockerfile are as a provenance signed by {signers:list} asserts",
		"recipe/attestation":           "asserted[, and signed by {signers:list}]: a statement of {predicate}, mode={mode}[, from {builder}]",
		"recipe/no-subject":            "the provenance does not name the image that it is about: the index alone binds the two",
		"recipe/attestation-unread":    "the provenance cannot be read: {error}",
		"recipe/subject-mismatch":      "the provenance beside the image is about another one: [its subject is {subjects:list}, and ]the image's manifest is {manifest}",
		"recipe/build-context":         "asserted: the build context is {address}[, which was {commit}]",
		"recipe/material":              "asserted: it was built with {address}[, {digest}]",
		"recipe/asserted-source":       "whoever built it says, unchecked by BuildKit, that the source is {source}[ at {revision}]",
		"recipe/unsupported-predicate": "the provenance is of the build type {build-type:quote}, and only that of BuildKit shows how to build again",
		"recipe/local-context": "it was built from local inputs that nobody else can fetch ({inputs}); " +
			"only a Git repository or an HTTP address can be fetched again",
		"recipe/min-mode-attestation": "its provenance was recorded with mode=min, which leaves out the build arguments, labels, " +
			"secrets and SSH keys that it was built with",
		"recipe/no-context":             "the provenance names no build context",
		"recipe/unpinned-context":       "the provenance does not say which commit or bytes its build context {address:quote} was",
		"recipe/unpinned-material":      "the provenance records no digest for {address:quote}, which the build fetched",
		"recipe/missing-secret":         "it was built with secrets that are not here: {secrets}",
		"recipe/missing-ssh":            "it was built with SSH keys that are not here: {keys}",
		"recipe/host-network":           "its instructions used the network of the machine that built it",
		"recipe/unsupported-frontend":   "it was built by the frontend {frontend:quote}, and only that of Dockerfiles is known",
		"recipe/incomplete-attestation": "the provenance says of itself that it does not list all {lacking:list}",

		// What explains the files.
		"closure/explained-by-packages": "{explained} of {entries:count entry} explained[, {base} of the base image][, {dpkg:count package} by dpkg][, {apk:count package} by apk][, {rpm:count package} by rpm]" +
			"[, {owned} owned by packages]" +
			"[, {own-record} of them with the digest that the image's own unsigned database records][, {made} made of signed packages by rules that were applied again]" +
			"[, {ruled} by rules of packages that say nothing of their content][, {written} by the instruction of their layer, which is weaker than by a recipe]",
		"closure/explained-by-instruction": "{entries:count entry} explained by the instruction of their layer alone: " +
			"the history says that it could write them, and nothing says that these bytes came of it",
		"closure/explained-by-rule": "{entries:count entry} explained by a rule of packages alone, such as that a source is compiled: what is in them nothing proves",
		"closure/digest-not-taken":  "package {package} has recorded {digest} of it, and that kind of digest was not taken",
		"closure/no-entries":        "the image has no entries",

		// Packing again.
		"repack/instructions": "no packer made these layers: they are what instructions wrote",

		// Plans.
		"plan/name-source":                  "--source names what to build, if you have it",
		"plan/named-context-unpinned":       "the provenance does not say what the named context {name}, {address:quote}, was",
		"plan/named-context-missing":        "the build had a named context {name}, {address:quote}, which is not here",
		"plan/no-dockerfile":                "the source has no {name}, and the image's provenance has none",
		"plan/unknown-option":               "the build was called with an option {option:quote} that is not known here",
		"plan/network-unknown":              "an instruction may need the network, and it has none unless --network is given: {error}",
		"plan/network-needed":               "an instruction needs the network ({what}, line {line} of the Dockerfile), and it has none unless --network is given",
		"plan/network-not-allowed":          "the plan gives instructions the network; to allow it: --network",
		"plan/folder-not-named":             "the plan builds from a folder, {folder:quote}, of the machine where it was made; to build from one of this machine: --source DIR",
		"plan/folder-missing":               "the source {folder:quote} is not here",
		"plan/address-without-user":         "the address of the source, {address}, goes with a name or password that the plan does not have; to give it: --source URL",
		"plan/arguments-missing":            "the plan does not have the values of build arguments that the user gave ({names}); to give them: --build-arg NAME=VALUE, with --source",
		"plan/frontend-added":               "the Dockerfile names a frontend, {image:quote}, that it did not name when the plan was judged",
		"plan/instructions-without-network": "they run in containers of the engine, without a network: it is the engine that is trusted to keep them there",
		"plan/instructions-with-network":    "they run in containers of the engine, with the network, as --network says: it is the engine that is trusted to keep them there",
		"plan/source-given":                 "--source names it",
		"plan/source-without-commit":        "--source names it, at no commit: what is built is what it is now",
		"plan/named-by-signer":              "a provenance signed by {signer} names it, and --trust-signer names them",
		"plan/named-by-source":              "the Dockerfile of --source names it",

		// What engines leave to chance.
		"known/docker-created": "docker build and Buildah write the time of the build into the config, " +
			"unless SOURCE_DATE_EPOCH is set (BuildKit since 0.11)",
		"known/docker-container": "the classic builder of docker writes the name of the container that it ran into the config",
		"known/docker-file-times": "docker build and Buildah keep the times at which their steps have made files, " +
			"unless BuildKit is given rewrite-timestamp=true (since 0.13) and SOURCE_DATE_EPOCH",
	}
	maps.Copy(all, unrepeatable())
	return all
}

// unrepeatable are why an instruction may not make the same bytes again.
func unrepeatable() map[string]string {
	all := map[string]string{
		"recipe/image-by-argument":           "which image {image} is depends on a build argument",
		"recipe/image-without-tag":           "the image {image} has no tag and no digest, so it is whatever latest is that day",
		"recipe/image-by-tag":                "the image {image} has no digest, and a tag can be moved",
		"recipe/add-without-commit":          "ADD takes {address} as it is that day: no commit is named",
		"recipe/add-without-checksum":        "ADD fetches {address} without a checksum",
		"recipe/random-numbers":              "it draws random numbers",
		"recipe/date":                        "it asks for the date",
		"recipe/random-identifier":           "it makes a random identifier",
		"recipe/random-key":                  "it makes a random key",
		"recipe/openssl":                     "it makes random numbers, keys or certificates with openssl",
		"recipe/hostname":                    "it asks for the host's name, which is another one in every build",
		"recipe/password-day":                "it notes the day of the last change of a password in /etc/shadow ({program})",
		"recipe/unlocked-versions":           "{command} resolves version ranges anew: {option} keeps to the lock file",
		"recipe/unchecked-download":          "{program} fetches {address}, and nothing checks what comes",
		"recipe/repository-without-commit":   "{command} takes a repository as it is that day: no commit is named",
		"recipe/repository-without-revision": "{command} takes a repository as it is that day: no revision is named",
		"recipe/latest-version":              "{command} takes whatever version is the latest that day",
		"recipe/newest-packages":             "{command} takes the newest of everything",
		"recipe/loose-versions":              "{command} takes whatever versions there are that day of {packages}[ and {more-packages} more]",
		"recipe/package-logs":                "{command} leaves logs with the time in them below {folder}",
	}
	for code, text := range all {
		all[code] = "it may not make the same bytes again: " + text + "[: {instruction}][ (line {line} of the Dockerfile)]"
	}
	return all
}
