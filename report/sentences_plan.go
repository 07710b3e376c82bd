package report

// planSentences are the sentences of the reasons why a plan must not be run, by code.
func planSentences() map[string]string {
	return map[string]string{
		"plan/malformed":   "the plan cannot be run: {error}",
		"plan/needs-trust": "the image names a {kind} that is not trusted, {address}; to allow it: {flag}",

		// Why something on the list of what a plan runs and fetches is trusted, or not.
		"plan/address-named":     "--trust-source {prefix} allows it",
		"plan/address-not-named": "the image names it, and the user does not; to allow it: {flag}",
		"plan/address-special": "the image names it, and it is of this machine or a private network, or asks for the user's own keys: " +
			"a flag must name exactly it; to allow it: {flag}",
	}
}
