package sbom

// The sentences of the documents themselves, which both forms share where they
// say the same. What was found in the image and is a finding of audit has a code,
// and its sentence is that of Options.Text.
const (
	sentenceItems          = "%d store items, found in the layers of the image."
	sentenceItemsAndParts  = "%d store items, found in the layers of the image, and %d packages, found in databases and metadata there."
	sentenceClosurePass    = " Every other file in the image is accounted for."
	sentenceClosureFail    = " There is more in the image, or something is missing: the closure check failed."
	sentenceClosureUnknown = " There may be more in the image: whether its other files are accounted for is not known."
	sentenceGap            = "Not looked into: %s"
	sentenceMoreGaps       = "Not looked into: %d more."
	sentenceGapPlace       = "%s in layer %d: %s."

	sentenceTags     = "Names that the image claims: %s."
	sentencePlatform = "Platform: %s."
	sentenceImageID  = "The image ID: the SHA-256 digest of the image config."
	sentenceManifest = "The digest of the image manifest."
	sentenceDiffID   = "The digest of the layer's uncompressed tar archive."
	sentenceItem     = "The store item in the image."
	sentenceSeed     = "a program that was there before anything was built"
	sentenceNAR      = "The digest of the store item as a NAR, a serialisation of the whole tree: no checksum of a file."

	sentenceSum = "The sum of the package's source as a tree, in the form of its ecosystem: no checksum of a file."

	sentenceOutput     = "Output: %s."
	sentenceOfRecipe   = "Name and version are from the recipe."
	sentenceOfPath     = "Name and version are from the name of the store item."
	sentenceAlias      = "The recipe calls it %s."
	sentenceEvidence   = "Evidence: %s in layer %d."
	sentenceIncomplete = "Incomplete: %s."
	sentenceArch       = "Architecture: %s."
	sentenceLocal      = "It was installed from a folder, a file or a repository that others cannot fetch: what an index has under its name may be another."
	sentenceOrigin     = "It was installed from %s, and not from an index."
	sentenceFile       = "In layer %d, %d bytes."
	sentenceMetadata   = "as the metadata of %s in the image have it"
	sentenceCandidate  = "a candidate, made of name and version: the image does not name the vendor"
	sentenceLicense    = "The image declares %q."
	sentenceNoLicense  = "The image declares %q, which is no SPDX license expression."

	sentenceRecipe       = "the image carries its recipe: %s, %s"
	sentencePacker       = "packed by %s"
	sentenceChannel      = "channel %s, %s at commit %s"
	sentenceDefinedBy    = "as the recipe has it, defined by the channel %s, %s at commit %s"
	sentenceDefines      = "the channel %s, which as the recipe has it defines the package, at commit %s"
	sentenceRecipeSource = "%s in layer %d"
	sentenceWorkflow     = "how the image says that it was made; whether that is true the report of audit says"

	sentenceCounts      = "%d added, %d removed, %d with another version, %d of the same version with another content, %d the same\n"
	sentenceChangesGap  = "%s image: %s"
	sentenceTableGap    = "not looked into: %s\n"
	sentenceTableGaps   = "not looked into: %d more\n"
	sentenceNoVersion   = "(no version)"
	sentenceNoNarHash   = "NAR hash unknown"
	sentenceTableColumn = "change\tkind\tpackage\twas\tnow"
)
