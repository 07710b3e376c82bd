package report

// closureSentences are the sentences of the check closure, by code.
func closureSentences() map[string]string {
	return map[string]string{}
}
