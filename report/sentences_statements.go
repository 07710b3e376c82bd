package report

// statementSentences are those of statements and their signatures, by code.
func statementSentences() map[string]string {
	return map[string]string{
		"statement/not-read":          "its bytes are not there, or too many",
		"statement/other-digest":      "its bytes are not those that the manifest beside it lists",
		"statement/unreadable":        "{error}",
		"statement/no-key":            "no key was given to verify it with (--key NAME=FILE)",
		"statement/no-trusted-root":   "it is by a certificate, and no root was given to verify that with",
		"statement/unknown-signer":    "none of the keys that were given made it",
		"statement/unknown-identity":  "it is by {identity}, which is none of the identities that were given",
		"statement/invalid-signature": "it is no signature of these bytes by the key that it names",
		"statement/keyless-refused":   "it does not verify: {error}",
		"statement/chain-refused":     "its certificates lead to no root that was given: {error}",
		"statement/no-signature":      "there is no signature beside the payload",
		"statement/cose":              "signatures in COSE are not read",
		"statement/by-its-manifest":   "the signature is over the manifest {manifest}, which has the statement's digest",
	}
}
