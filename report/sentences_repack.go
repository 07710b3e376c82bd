package report

// repackSentences are the sentences of the check repack, by code.
func repackSentences() map[string]string {
	return map[string]string{}
}
