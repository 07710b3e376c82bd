package report

// planSentences are the sentences of the reasons why a plan must not be run, by code.
func planSentences() map[string]string {
	return map[string]string{}
}
