package report

// integrityAdvice is about bytes that are not what descriptors say, and about what engines
// read in several ways.
func integrityAdvice() []codeAdvice {
	const (
		several = "Engines read this in several ways: what was looked at here need not be what another engine runs. Packers do not write such; whoever does wants, or risks, that reviewers and containers see different files."
		hidden  = "Bytes that nothing leads to are carried by the image, and no check looks at what they are for."
		again   = "Get the image again from where it was published, and compare its digest with the one that the publisher names. If it is the same, inform the publisher."
		index   = "The image and what lies beside it are read as far as they are here."
		chunks  = "Engines that fetch single files go by this table and not by the layer. Where the two differ they see another file system."
	)
	return []codeAdvice{
		{codes: "integrity/digest-mismatch integrity/diffid-mismatch integrity/config-digest-mismatch integrity/document-digest-mismatch integrity/size-mismatch integrity/layer-size-mismatch integrity/chunked-mismatch integrity/toc-digest-mismatch",
			why:  "Every other check reads these bytes, and they are not those that the image's own descriptors name: the copy is damaged, or was changed after it was made.",
			todo: "Get the image again from where it was published, and compare its digest with the one that the publisher names. If it fails again, do not run it, and inform the publisher which descriptor does not fit."},
		{codes: "integrity/diffid-missing integrity/diffid-count integrity/digest-missing",
			why:  "What has no digest can be exchanged without a trace.",
			todo: "Have the image written again by a tool that names every blob by its digest, from where it was published. An engine refuses it, or takes what it finds."},
		{codes: "integrity/diffid-algorithm integrity/no-claims",
			why:  "What cannot be compared with a digest can be exchanged without a trace.",
			todo: "Get the image in a form that carries SHA-256 digests, such as an OCI layout or a pull by digest."},
		{codes: "integrity/ambiguous-* integrity/entry-type-unknown integrity/index-mismatch integrity/index-mismatch-layers integrity/root-no-folder integrity/link-loop integrity/invalid-whiteout integrity/duplicate-member integrity/squashfs-order integrity/squashfs-inode-count", why: several,
			todo: "Do not run it before the author explains it. Have the image packed again by an ordinary tool, and audit that."},
		{codes: "integrity/toc-differs", why: chunks, todo: "Do not run it with an engine that fetches files one by one. Ask the publisher for the image without such a table, or with one that is made anew."},
		{codes: "integrity/chunked-missing integrity/toc-missing integrity/toc-unclaimed integrity/toc-unread integrity/toc-without-footer", why: chunks,
			todo: "Nothing has to be wrong: engines that take layers whole do not use the table. For the others have the image converted anew."},
		{codes: "integrity/unsafe-name integrity/special-member integrity/dangling-hard-link",
			why:  "A packer writes no such entry. A reader that takes it as it stands writes, or reads, outside of where it should.",
			todo: "Do not unpack the image with a tool that takes such entries. " + again},
		{codes: "integrity/broken-layer integrity/gzip-checksum integrity/gzip-header-checksum integrity/unended-archive integrity/unended-layer",
			why:  "The copy is cut off or damaged: what follows is not known.",
			todo: again},
		{codes: "integrity/media-type-mismatch integrity/compression-mismatch integrity/media-type-unknown",
			why:  "An engine goes by the media type, and may read other things there than those that were looked at.",
			todo: "Have the image written again by a tool that names the media types as they are, and audit that."},
		{codes: "integrity/layer-absent integrity/layer-elsewhere integrity/layer-unread integrity/unread-partition",
			why:  "What was not read was not checked, and a container gets it all the same.",
			todo: "Get the image with all its parts, such as by a pull of its digest, and audit that."},
		{codes: "integrity/trailing-data integrity/trailing-layer-data integrity/trailing-compressed-data integrity/trailing-squashfs-data integrity/unreferenced-data integrity/unreferenced-blocks integrity/unreferenced-member integrity/unreferenced-object integrity/gzip-header-bytes integrity/skippable-frames", why: hidden,
			todo: "Look at the bytes: the finding has their place. Ask who wrote them; copying the image with an ordinary tool leaves them behind."},
		{codes: "integrity/attestation-missing integrity/attestation-too-large integrity/attestation-unread integrity/index-absent integrity/referrers-unread integrity/too-many-referrers", why: index,
			todo: "The image itself is not touched by it. Where you depend on what was not read, get it from where the image was published."},
		{codes: "integrity/index-lacks-image integrity/legacy-differs",
			why:  "An engine that goes by the other list loads something else, or nothing.",
			todo: "Load the image with an engine of today, or have it saved again under a name."},
		{codes: "integrity/absolute-name integrity/overlayfs-deletion integrity/owner-range integrity/duplicate-entry",
			why:  "Engines agree on what it means, and yet packers do not write it.",
			todo: "Nothing has to be done. Whoever packs images can leave it out."},
		{codes: "integrity/content-dropped",
			why:  "A limit protects against images that are made to take all memory: beyond it contents are not looked into.",
			todo: "Look at the named file yourself where it matters: the checks that need its content could not decide."},
		{codes: "integrity/published-md5 integrity/published-record-md5",
			why:  "For MD5 two files with the same checksum can be made by whoever makes both.",
			todo: "Ask the archive for a SHA-256, and give it with --sha256."},
		{codes: "integrity/unverified-registry", title: "A registry that was asked without verified TLS",
			why:  "Whoever is on the way can answer in place of the registry; what a tag stands for is then what they say.",
			todo: "Name the image by its digest, which holds all the same, or give the registry a certificate, --cert-dir DIR."},
		{codes: "integrity/published integrity/published-record integrity/mirror integrity/toc integrity/chunked integrity/legacy-documents integrity/unended-whole-layer integrity/unlisted-manifests integrity/unreferenced-blob", why: index,
			todo: worthKnowing},
		{codes: "integrity/layers-verified integrity/problems integrity/undecided", todo: howItEnded},
	}
}
