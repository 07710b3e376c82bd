package report

// rebuildersSentences are the sentences of what rebuilders say of packages, by code.
func rebuildersSentences() map[string]string {
	return map[string]string{
		"signatures/rebuilt":                "{rebuilt} of {packages:count verified package} built again from source with the same bytes, as {operators:list} sign",
		"signatures/rebuilt-by-too-few":     "{count:count package} built again by {operators:list}, and not by enough: {names:list}[ and {beyond} more]",
		"signatures/not-rebuilt":            "{count} of {packages:count verified package} of which no rebuilder that is trusted has signed enough",
		"signatures/rebuilder-hearsay":      "hearsay: a rebuilder says of {count:count package} that they come out the same, and no key that is trusted has signed it: {names:list}[ and {beyond} more]",
		"signatures/rebuilder-failed":       "a rebuilder says, unsigned, of {count:count package} that they come out otherwise: {names:list}[ and {beyond} more]",
		"signatures/rebuilder-differs":      "{server} signed another digest of {package}: another package has its name and version there, or it does not come out the same twice",
		"signatures/rebuilder-not-verified": "{server}: an attestation of {count:count package} does not count: {error} ({names:list}[ and {beyond} more])",
		"signatures/rebuilder-unreachable":  "{server}: no answer about {count:count package}: {error} ({names:list}[ and {beyond} more])",
	}
}
