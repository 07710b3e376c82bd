package report

// integritySentences are the sentences of the check integrity, by the code of the
// finding or reason.
func integritySentences() map[string]string {
	return map[string]string{
		// Why the check ended as it did.
		"integrity/layers-verified": "{verified} of {layers} layers have the diffID that the config says",
		"integrity/no-claims":       "the image claims no digests of its layers that could be checked",
		"integrity/undecided":       "{count} could not be checked",
		"integrity/problems":        "{count} problems",

		// The archive.
		"integrity/unended-archive":          "the archive ends without its two end-of-archive blocks: it may be truncated",
		"integrity/trailing-data":            "data follows the end of the archive",
		"integrity/duplicate-member":         "the archive has this member more than once",
		"integrity/special-member":           "this member of the archive is neither file, folder nor link",
		"integrity/unreferenced-blob":        "a blob of the layout that nothing in this image leads to ({bytes} bytes), as a layout keeps of an image that was removed or replaced",
		"integrity/unreferenced-member":      "nothing in the image leads to this member of the archive ({bytes} bytes)",
		"integrity/gzip-checksum":            "gzip member {member}: the checksum does not fit the bytes",
		"integrity/gzip-header-checksum":     "gzip member {member}: the checksum does not fit its header",
		"integrity/trailing-compressed-data": "{bytes} bytes follow the last {compression} member",
		"integrity/legacy-differs":           "engines before Docker 1.10 find other layers under the name {name} than manifest.json has",

		"integrity/legacy-documents": "{count} blobs are the documents that the legacy form had for layers; docker save leaves them, and nothing reads them",

		// Index, manifest and config.
		"integrity/index-absent":             "the index names this index[ of {platform}], and the image does not hold it: what it leads to is not known",
		"integrity/index-lacks-image":        "it does not list the image that manifest.json has, as docker save leaves out one without a name: an engine that goes by the index loads nothing",
		"integrity/unlisted-manifests":       "{count} manifests lie among the blobs that the index does not list; each is that of an image in manifest.json",
		"integrity/index-mismatch":           "it leads to no image with the config that manifest.json names: which image is loaded depends on the engine",
		"integrity/index-mismatch-layers":    "the image manifest has other layers than manifest.json: which of them are loaded depends on the engine",
		"integrity/ambiguous-manifest":       "it is an image manifest and an image index at once: what it leads to depends on the reader",
		"integrity/media-type-mismatch":      "its descriptor says media type {descriptor}, the image manifest itself {manifest}",
		"integrity/digest-missing":           "the descriptor of the {document} claims no digest",
		"integrity/document-digest-mismatch": "the {document} has digest {computed}",
		"integrity/size-mismatch":            "its descriptor says {claimed} bytes, the {document} has {bytes}",
		"integrity/config-digest-mismatch":   "the name claims another digest than that of its bytes, {computed}",
		"integrity/diffid-count":             "the config has {claimed} diffIDs for {layers} layers",
		"integrity/attestation-missing":      "the index names this {document}, and the image does not hold it",
		"integrity/attestation-too-large":    "this {document} has more than {limit} bytes and is not looked into",
		"integrity/attestation-unread":       "this {document} cannot be read: {error}",
		"integrity/referrers-unread":         "the registry does not say which attestations refer to the image: {error}",
		"integrity/too-many-referrers":       "more than {limit} attestations refer to the image; the others are not looked into",

		// Layers.
		"integrity/layer-elsewhere":      "the layer is not part of the image and is not fetched; its descriptor says that it lies at {address}",
		"integrity/layer-absent":         "the layer, of media type {media-type}, is not part of the image",
		"integrity/layer-unread":         "the layer has media type {media-type}, which is not read here: what it holds is not known",
		"integrity/media-type-unknown":   "the layer has media type {media-type}, which is not known here; its bytes are a tar and are read as one, and an engine may do something else with them",
		"integrity/diffid-missing":       "the config has no diffID for this layer",
		"integrity/diffid-algorithm":     "the config says diffID {claimed}, and audit computes SHA-256 only: {computed}",
		"integrity/diffid-mismatch":      "the config says diffID {claimed}, the bytes have {computed}",
		"integrity/digest-mismatch":      "claimed is digest {claimed}, the bytes have {computed}",
		"integrity/broken-layer":         "the layer can be read only in part: {error}",
		"integrity/unended-layer":        "the tar ends without its two end-of-archive blocks: it may be truncated",
		"integrity/unended-whole-layer":  "the tar ends without its two end-of-archive blocks, as umoci writes them[; the diffID {diffid} says that nothing is missing]",
		"integrity/trailing-layer-data":  "data follows the end of the tar (byte {end}), first at byte {first}",
		"integrity/toc":                  "the layer has the table of contents of eStargz, with the digest that its descriptor says ({digest})",
		"integrity/chunked":              "the blob has the table of contents of zstd:chunked, with the digest that its descriptor says ({digest})",
		"integrity/chunked-missing":      "its descriptor says the table of contents of zstd:chunked to lie at {position} ({claimed}), and the blob has none there",
		"integrity/chunked-mismatch":     "its descriptor says the table of contents of zstd:chunked to have {claimed}, the bytes have {computed}",
		"integrity/gzip-header-bytes":    "the headers of the gzip members have {bytes} bytes more than a name and the fields of known programs take, and nothing comes out of them",
		"integrity/skippable-frames":     "{count} skippable frames of zstd, of {bytes} bytes, lie in the blob, and nothing says what they are; nothing comes out of them",
		"integrity/toc-missing":          "its descriptor says the table of contents of eStargz to have {claimed}, and the layer has none",
		"integrity/toc-unclaimed":        "a table of contents of eStargz ({computed}) follows the end of the tar, and no descriptor says so",
		"integrity/toc-digest-mismatch":  "its descriptor says the table of contents of eStargz to have {claimed}, the bytes have {computed}",
		"integrity/toc-differs":          "the table of contents of eStargz says something else of it than the layer: who fetches files one by one sees another file system",
		"integrity/toc-unread":           "the table of contents of eStargz is too large to be compared with the layer",
		"integrity/toc-without-footer":   "the blob does not end in what says where the table of contents of eStargz lies",
		"integrity/layer-size-mismatch":  "its descriptor says {claimed} bytes, the blob has {bytes}",
		"integrity/compression-mismatch": "its media type {media-type} says compression {claimed}, the blob has {compression}",

		// Entries of layers.
		"integrity/unsafe-name":        "the name {name:quote} leads upwards",
		"integrity/absolute-name":      "the name {name:quote} is absolute: engines take it as relative to the root of the image",
		"integrity/duplicate-entry":    "the layer has this entry more than once; the last one is seen by a container",
		"integrity/invalid-whiteout":   "it deletes nothing that has a name: some engines refuse it, others delete the folder that it is in",
		"integrity/mirror":             "it was read from the mirror {mirror}, in place of {repository}",
		"integrity/dangling-hard-link": "it is a hard link to {target:quote}, and there is no such file before it",

		"integrity/ambiguous-whiteout":        "it deletes {hidden:quote}, which the same layer holds: some engines keep that, others remove it or fail",
		"integrity/ambiguous-parent":          "it lies below {parent:quote}, which is no folder: some engines put a folder in its place, others fail",
		"integrity/ambiguous-parent-link":     "it lies below {link:quote}, a symbolic link of a lower layer to {target:quote}: some engines follow the link, others put a folder in its place",
		"integrity/ambiguous-whiteout-parent": "it deletes something from {folder:quote}, which is not there: some engines make that folder",
		"integrity/ambiguous-opaque-root":     "it hides all that lower layers hold: engines that use overlayfs do not know it in the root",
		"integrity/ambiguous-folder":          "the layer has no entry of {folder:quote}, and lower layers give that folder another owner or mode than root and 0755: some engines do that, others do not",
		"integrity/ambiguous-folder-again":    "the layer deletes this folder and has it again: what lower layers hold in it comes back in engines that use overlayfs",
		"integrity/ambiguous-hard-link":       "its owner or mode differ from those of {target:quote}, which is the same file: which of them it gets depends on the engine",
		"integrity/ambiguous-aufs-name":       "it lies below a name of AUFS: some engines leave it out",
		"integrity/link-loop":                 "it lies below {link:quote}, a symbolic link that leads in a circle or through too many others",
		"integrity/root-no-folder":            "it stands for the root of the file system and is no folder: no engine can make it",

		"integrity/content-dropped": "its content is not looked into: such files have more than {limit:size} in all (a limit that protects against hostile images)",
		"integrity/ambiguous-key":   "the {document} has the key {key:quote} more than once, maybe in another case: which of them is taken depends on the engine",
		"integrity/ambiguous-data":  "the descriptor of the {document} embeds other bytes than the blob has: which of them are taken depends on the engine",
		"integrity/ambiguous-name":  "{other} bears the same name: which of the two is meant depends on the engine",
		"integrity/ambiguous-index": "containerd takes this image of the index, skopeo and podman take {other}",
		"integrity/owner-range":     "the owner or group {claimed} is no number that a file system can have: engines make it {effective}",

		// Squashfs and SIF.
		"integrity/squashfs-inode-count":   "the superblock counts {claimed} inodes, and {found} are to be found under a name",
		"integrity/squashfs-order":         "folder {folder:quote} is not sorted by name, as at {name:quote}: Linux may list a name there and yet not find it",
		"integrity/unreferenced-blocks":    "no file leads to the {bytes} bytes at byte {offset}",
		"integrity/trailing-squashfs-data": "data follows the end of the file system (byte {end}), first at byte {first}",
		"integrity/unreferenced-data":      "no object of the SIF holds the {bytes} bytes at byte {offset}, and they are not all zero",
		"integrity/unreferenced-object":    "nothing in the OCI image leads to object {object} of the SIF ({bytes} bytes)",
		"integrity/unread-partition":       "object {object} is a further partition, {file-system}: audit reads the primary one alone",
		"integrity/overlayfs-deletion":     "{path:quote} deletes what lies below it in the way of overlayfs, which audit does not obey",
	}
}
