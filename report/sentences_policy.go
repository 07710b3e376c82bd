package report

// policySentences are the sentences of what a policy demands and an image is not, by code.
func policySentences() map[string]string {
	return map[string]string{
		"policy/verdict":           "the verdict is {verdict}, and {require} is demanded",
		"policy/check-status":      "the check {check} is {status}, and must be {allowed:either}",
		"policy/refused-finding":   "the policy refuses {rule}",
		"policy/allowance-expired": "the allowance for {path} of cause {cause} has expired on {expires}",
	}
}
