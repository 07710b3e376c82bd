package report

// derivationSentences are the sentences of the check derivation, by code.
func derivationSentences() map[string]string {
	return map[string]string{}
}
