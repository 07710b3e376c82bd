package report

// verifySentences are the sentences of what audit verify finds, by code.
func verifySentences() map[string]string {
	return map[string]string{
		"verify/other-predicate":          "it says something else than that the image was audited ({predicate})",
		"verify/old-statement":            "it has the type {type}, and audit's statements have another",
		"verify/untrusted":                "no key that is trusted signed it",
		"verify/unreadable":               "{error}",
		"verify/other-image":              "it is about another image",
		"verify/same-layers-other-config": "it is about another image: the layers are the same, and the config is not, as after a conversion from Docker's form to that of OCI",
		"verify/other-platform":           "it is about the image for {platform}",
		"verify/other-layers":             "it is about other layers than these",
		"verify/maker":                    "who made the image does not count",
		"verify/from-the-future":          "it is from the future: {time}",
		"verify/key-not-in-force":         "the key was not trusted at {time}",
		"verify/too-old":                  "it is too old: {time}",
		"verify/contradicts-subject":      "what it says of the image is not what it is about",
		"verify/built-nothing":            "it built no part of the image itself",
		"verify/dissents":                 "the verdict is {verdict}",
		"verify/not-built":                "it did not build the image itself (rebuild {status})",
		"verify/verdict-too-weak":         "the verdict is {verdict}, and {require} is demanded",
		"verify/agrees":                   "the verdict is {verdict}",
		"verify/no-statement":             "there is no statement by it about this image",
		"verify/dissent":                  "{operator}, who is trusted, dissents",
		"verify/cut":                      "there may be statements that could not be read, and somebody may dissent in them",
		"verify/too-few":                  "too few independent rebuilders agree: {agree:number}, and {at-least} are demanded",
		"verify/shared-parts":             "the part that the fewest made has {least:number} of the {at-least} independent parties that are demanded[; several rebuilders had them from {servers:list}]",
		"verify/enough":                   "agreement of {agree:count independent rebuilder}; each part was made by at least {least}",
	}
}
