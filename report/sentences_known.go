package report

// knownSentences are the sentences of the freedoms that packers are known to have, by code.
func knownSentences() map[string]string {
	return map[string]string{}
}
