package report

// signaturesSentences are the sentences of the check signatures, by code.
func signaturesSentences() map[string]string {
	return map[string]string{}
}
