package report

// repackAdvice is about what a packer would have written otherwise.
func repackAdvice() []codeAdvice {
	const (
		freedom = "The rules of the packer leave this to the machine or to the author, so that honest images differ by it."
		unknown = "The rules of no packer that is known here apply, so that it cannot be said what it would have written."
		headers = "Packers write every byte of a header by rule. One that is another was changed after the image was packed, or another tool packed it."
	)
	return []codeAdvice{
		{codes: "repack/unexpected-* repack/entry-outside-folder repack/duplicate-entry repack/duplicate-item repack/layer-items",
			why:  "The packer would not have written it: it was added after the image was packed, or another tool packed it.",
			todo: "Look at the entry before you run the image. Ask for the image as it was packed, or pack the same items again and compare."},
		{codes: "repack/missing-entry repack/missing-folder repack/document-missing",
			why:  "The packer would have written it: it was taken out after the image was packed, or another tool packed it.",
			todo: "Ask who took it out. Ask for the image as it was packed, or pack the same items again and compare."},
		{codes: "repack/header-* repack/hard-link-* repack/record-padding repack/padding-differs repack/data-after-end repack/frame-unreadable repack/constants-differ", why: headers,
			todo: "The finding names the entry and the field. Setuid bits, owners and times that no packer writes are the marks of a change by hand: ask for the image as it was packed."},
		{codes: "repack/entry-order repack/argument-order repack/sequence-order repack/layer-count repack/layer-split",
			why:  "Packers write entries and layers in an order that is known. Another one is the mark of an image that was put together anew.",
			todo: "Ask which tool wrote the layers last. Ask for the image as it was packed."},
		{codes: "repack/config-differs repack/config-field-missing repack/config-field-unexpected repack/config-not-json repack/config-not-packable repack/config-text-differs repack/document-differs",
			why:  "The config decides what a container runs, as whom and with which environment, and the packer writes it by rule.",
			todo: "The finding has the field, and both values. Ask who changed it after the image was packed, and read what the container starts."},
		{codes: "repack/archive-rewritten repack/config-other-form repack/config-rewritten repack/base-item-again repack/builder-owner repack/date-taken repack/owner-taken repack/perms-taken repack/root-taken repack/env-empty repack/env-unchecked repack/item-order repack/item-order-differs repack/readdir-order repack/split-by-blocks repack/split-by-size repack/split-taken repack/freedom-*", why: freedom,
			todo: "Nothing has to be done: up to this freedom the image is what the packer would have written."},
		{codes: "repack/split-not-by-size repack/split-unexplained repack/entries-unsorted repack/unknown-writer repack/base-layer repack/era-not-known repack/form-not-known repack/no-packers-header repack/other-tools-layers repack/layer-unread repack/layer-broken repack/no-profile repack/order-of-a-time", why: unknown,
			todo: "Nothing speaks against the image. The other checks do not need these rules; building it again and comparing decides."},
		{codes: "repack/bare-file-system repack/definition repack/era repack/exported repack/instructions repack/no-layers repack/no-system repack/other-system repack/problems repack/regenerated repack/squashfs repack/system-files repack/unknown-layers", todo: howItEnded},
	}
}
