package report

// rebuildSentences are the sentences of the check rebuild, by code.
func rebuildSentences() map[string]string {
	return map[string]string{}
}
