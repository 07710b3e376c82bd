package report

// signaturesSentences are the sentences of the check signatures, by code.
func signaturesSentences() map[string]string {
	return map[string]string{
		// Why the check ended as it did.
		"signatures/not-asked":         "no build farm was asked what it signed: that needs the network, or a binary cache",
		"signatures/nothing-signed":    "the image has neither store items nor packages of a distribution: there is nothing in it that somebody could have signed[; {unread:count layer} could not be read to the end]",
		"signatures/packages":          "{verified} of {packages:count package} signed by a trusted key",
		"signatures/packages-differ":   "{count:count finding} of files or packages that are not as they were signed",
		"signatures/files-left":        "{count:count file} ({bytes:size}) that nothing signed explains, nor the record of a language: {names:list}[ and {beyond} more]",
		"signatures/no-items":          "the image holds no store item that a build farm could know",
		"signatures/differing":         "build farms signed another NAR hash of {count:count store item}: {names:list}[ and {beyond} more]",
		"signatures/disagreeing":       "build farms signed different NAR hashes of {count:count store item}: {names:list}[ and {beyond} more]",
		"signatures/signed":            "{signed:count store item} of {items} signed with the NAR hash found here[ by {keys:list}][ ({agreement:list} of the operators {operators:list})]",
		"signatures/not-covered":       "{count} not covered ({causes:list}): {names:list}[ and {beyond} more]",
		"signatures/following":         "{count} need no signature, since their content follows from that of other items: {names:list}[ and {beyond} more]",
		"signatures/other-bad-answers": "{count:count other answer} not signed as it should be",
		"signatures/other-silences":    "{count:count other question} without an answer",

		// Store items.
		"signatures/hash-differs":              "{server}: hash differs: {computed} ({bytes} bytes) here, {signed} ({signed-bytes} bytes) signed by {keys:list}[; the hash found here is signed by {agree:list}]: the item was changed, or the package does not come out the same twice",
		"signatures/hash-differs-as-builds-do": "{server}: hash differs: {computed} ({bytes} bytes) here, {signed} ({signed-bytes} bytes) signed by {keys:list}[; the hash found here is signed by {agree:list}]; two builds in this run differ from each other, so the package does not come out the same twice, and the item may have been changed as well",
		"signatures/farms-disagree":            "different NAR hashes of it are signed: {signed:list}; the package does not come out the same twice, or one of these farms has other bytes than were built",
		"signatures/too-few-operators":         "signed by {operators:list} alone, where {at-least:count operator} must sign",
		"signatures/bad-signature":             "{server}: bad signature: {error}",
		"signatures/unreachable-item":          "{server}: unreachable: {error}",
		"signatures/unknown-item":              "{servers:list}: unknown[: {error}]",
		"signatures/follows":                   "it needs no signature: its content, {bytes:count byte}, follows from that of other items",
		"signatures/references-differ":         "{server}: signed by {keys:list}[; it is signed to refer to {absent:list}, which it does not in this image][; it refers to {unsigned:list}, which is not signed]",

		// What came of asking a server about a store item.
		"answer/no-store-path": "not asked, since this is no store path",
		"answer/no-nar-hash":   "not asked, since the NAR hash of the item is not known[: {problem}]",
		"answer/no-narinfo":    "it answers with something that is no narinfo",
		"answer/damaged":       "the narinfo is damaged: {error}",
		"answer/other-item":    "the narinfo is about another store item, {item}",
		"answer/untrusted-key": "signed by the key {key}, which is not trusted",
		"answer/not-verified":  "{error}",
		"answer/contradictory": "the narinfo contradicts itself: the NAR with this hash has {bytes} bytes and not {signed-bytes}",
		"answer/forbidden":     "it answers 403 Forbidden, as caches on S3 do where they have nothing",
		"answer/http-status":   "it answers {status} {text}",
		"answer/slow":          "no answer within {limit}",
		"answer/given-up":      "not asked, since {requests} requests in a row had failed: {last}",
		"answer/time-over":     "the time for asking was over",
		"answer/error":         "{error}",

		// Other images.
		"signatures/other-images":        "{images:count other image} with some of the same store paths: {same:count store item} the same, {differing} of another NAR hash[; {own:count report} of this very image left out]",
		"signatures/other-image-differs": "another NAR hash than in other images: the package does not come out the same twice, or one of the images was changed; {here} here[ (signed by {operators:list})], and by the reports {others:list}",

		// Servers.
		"signatures/vouching":      "{operators:list} vouch for the same bytes: a farm also signs what it fetched from another, so that each has built them is their word",
		"signatures/untrusted-key": "{server}: what it answers about {count:count store item} is signed by the key {key}, which is not trusted: {names:list}[ and {beyond} more]",
		"signatures/unreachable":   "{server}: no answer about {count:count store item}: {error} ({names:list}[ and {beyond} more])",
		"signatures/cache":         "answers are not kept for the next run: {error}",
	}
}
