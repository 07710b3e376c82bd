package report

// sourcesSentences are the sentences of the check sources, by code.
func sourcesSentences() map[string]string {
	return map[string]string{
		// Why the check ended as it did.
		"sources/no-derivations": "no derivation of the image is here to be followed",
		"sources/not-for-system": "this build system has no derivations to be followed",
		"sources/not-read":       "the derivations cannot be followed: {error}",
		"sources/not-fixed":      "{count:count input} without a hash",
		"sources/undecided":      "some of what takes part cannot be seen from here",
		"sources/led-back":       "{derivations:count derivation} lead back to {sources:count source}[ and {seeds:count seed}], each with its hash",
		"sources/plain":          "{count:count other input} named after their content",

		"sources/held": "{count:count source}: {archived:number} archived[, {commits} by their commit][, {origins} by their repository alone][, {addresses} only at their address]" +
			"[, {not-archived} not archived][, {gone} gone][, {unknown} of which it is not known][, {movable} by a movable tag]",

		// What takes part.
		"sources/no-hash":                "it fetches something, and no hash says what",
		"sources/impure":                 "with {setting} what it makes follows from more than its inputs",
		"sources/name-not-content":       "its name is not that of its content: nothing says where it comes from",
		"sources/names-not-verified":     "{count:count input} without a derivation cannot be verified, since the store is not here: {names:list}[ and {beyond} more]",
		"sources/items-of-no-derivation": "{count:count store item} of the image that none of the derivations makes: {items:list}[ and {beyond} more]",
		"sources/program-of-the-machine": "{count:count derivation} built by {program}, which is that of the machine that builds",

		// The sources.
		"sources/movable":             "by the tag or branch {revision} of {address}, which can be moved: the hash says what was meant",
		"sources/weak-hash":           "its hash is of {algorithm}, for which other contents can be made",
		"sources/local-address":       "{address} is a file of the machine that built it",
		"sources/one-host":            "{count:count source} at {host} alone: {names:list}[ and {beyond} more]",
		"sources/gone":                "no archive that was asked has it, and it is at none of its addresses any more",
		"sources/not-answered":        "{count:count source} of which it is not known whether an archive has it, since somebody did not answer: {names:list}[ and {beyond} more]",
		"sources/commit-archived":     "the archive that was asked has the commit of {name}, {swhid}",
		"sources/commit-not-archived": "no archive that was asked has the commit of {name}, {swhid}",
		"sources/no-address":          "{count:count source} of which the derivations name no address: {names:list}[ and {beyond} more]",
	}
}
