package report

// differenceSentences are the sentences of the details of differences between two images, by code.
func differenceSentences() map[string]string {
	return map[string]string{}
}
