package report

// rebuildSentences are the sentences of the check rebuild, by code.
func rebuildSentences() map[string]string {
	const by = "[; the layer was made by {made-by}][; the layer of the rebuild was made by {remade-by}]"
	return map[string]string{
		// Why the check ended as it did.
		"rebuild/identical":        "identical to the original",
		"rebuild/equivalent":       "equivalent: a container sees the same",
		"rebuild/different":        "not the same",
		"rebuild/given-differs":    "the image that was given is not the same",
		"rebuild/nothing-compared": "there was nothing to compare",
		"rebuild/unstable":         "a second build gave other bytes",
		"rebuild/layers":           "{equal} of {layers:count layer} equal",
		"rebuild/no-differences":   "no differences",
		"rebuild/causes":           "differences: {causes:list}",
		"rebuild/store-items":      "{items:count store item}: {built} built now, {reused} reused",
		"rebuild/instructions":     "{items:count instruction}: {built} built now, {reused} reused[, {pinned} pinned by a digest]",
		"rebuild/substituted":      "{items} substituted from {server}",
		"rebuild/given":            "the image was given: where its parts came from is not known here",
		"rebuild/items-unknown":    "where its parts came from is not known here",
		"rebuild/not-built":        "{error}[; rebuild.sh does it where {tool} is, and --rebuilt takes what comes out]",
		"rebuild/build-failed":     "the build failed: {error}",

		// What it saw.
		"rebuild/config-difference":    "config field {field} ({cause}): {was:change now}",
		"rebuild/difference":           "{cause}[ of {privileged}]: {evidence:sentence}" + by,
		"rebuild/more-differences":     "{differences} more are in the comparison",
		"rebuild/harmless":             "{differences:count difference} of cause {cause}, which is harmless; the first: [config field {field}: ]{was:change now}" + by,
		"rebuild/blob-compression":     "{layers:count layer} with the same bytes in another blob; the first: {was:change now}" + by,
		"rebuild/hidden-entry":         "no container sees it, and whoever takes the layers apart does: {was:change now}" + by,
		"rebuild/more-hidden-entries":  "{differences} more entries that no container sees are in the comparison",
		"rebuild/manifest-differs":     "the image manifests differ in {fields:count field}; the first: {field} ({cause}): {was:change now}",
		"rebuild/nothing-built":        "of {items:count part} none was built in this run: only the image was put together again",
		"rebuild/built-here":           "{derivations:count derivation} built in this run on this machine",
		"rebuild/built-elsewhere":      "{derivations:count derivation} built in this run on {machine}",
		"rebuild/fresh-build-not-done": "it could not be built again: {error}",
		"rebuild/fresh-build-differs":  "building it again gave other bytes: {paths:list}",
		"rebuild/another-engine":       "the image was built by {was} and the rebuild by {now}: each writes a config and a history of its own, and has its own way with times and owners",
	}
}
