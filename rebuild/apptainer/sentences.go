package apptainer

// sentences are those of the codes that only this system uses.
func sentences() map[string]string {
	return map[string]string{
		"derivation/none-of-definition": "a definition file has no derivation to evaluate",

		"recipe/partial-definition":       "partial: a definition of {sections:count section} in {stages:count stage}, by {packer}",
		"recipe/definition-unsigned":      "the definition is the image's own word, signed by nothing, and the files that its build took are not in it",
		"recipe/definition-cut":           "the definition has more than {sections} sections, and the rest was not looked at",
		"recipe/definitions-differ":       "it is not the definition in the object of the SIF",
		"recipe/definition-base":          "asserted: it was built on {base:quote}, by the agent {agent}; the digest pins it",
		"recipe/definition-base-unpinned": "asserted: it was built on {base:quote}, by the agent {agent}, and no digest pins that",
		"recipe/definition-agent":         "asserted: the agent {agent:quote} made the base, which nothing pins",
		"recipe/definition-section":       "asserted: the section {section:quote}, {lines:count line}[, of the stage {stage}]",
		"recipe/labels-unread":            "the labels cannot be read: {error}",
		"recipe/label-differs":            "the label {label:quote} is {value:quote}, and the definition says {wanted:quote}",
		"recipe/runscript-differs":        "it is not what %runscript of the definition says ({digest})",

		"closure/explained-by-definition": "{entries:count entry} explained by the definition alone: it could make them, and nothing says that these bytes came of it",
		"closure/explained-by-apptainer":  "{explained} of {entries:count entry} explained: [{owned} by packages, whose records are the image's own, ]{placed} in places where Apptainer puts files",

		"repack/definition": "no packer made these files: they are what a definition's sections wrote",

		"plan/definition-not-followed": "a definition file runs programs, and the image's word alone is no reason to run them: apptainer build with a definition that you trust does, and audit compare compares",
	}
}
