package report

// planSentences are the sentences of the reasons why a plan must not be run, by code.
func planSentences() map[string]string {
	return map[string]string{
		"plan/malformed":   "the plan cannot be run: {error}",
		"plan/needs-trust": "the image names a {kind} that is not trusted, {address}; to allow it: {flag}",

		// Why nothing is built.
		"plan/refused":          "the plan is refused",
		"plan/no-recipe":        "the image contains no recipe that a builder could follow",
		"plan/no-builder-asked": "no builder was asked for",
		"plan/made-elsewhere":   "the rebuild was made elsewhere",
		"plan/other-builder":    "the builder is to be {builder}, and the recipe is for {system}",

		// Why something on the list of what a plan runs and fetches is trusted, or not.
		"plan/address-named":     "--trust-source {prefix} allows it",
		"plan/address-not-named": "the image names it, and the user does not; to allow it: {flag}",
		"plan/address-special": "the image names it, and it is of this machine or a private network, or asks for the user's own keys: " +
			"a flag must name exactly it; to allow it: {flag}",
	}
}
