package records

// Fields reads the fields of a record in the form of mail headers, by their names in
// lower case: METADATA of Python, DESCRIPTION of R.
func Fields(text []byte) map[string][]string { return headers(text) }
