package report

// signaturesAdvice is about what build farms, vendors and archives have signed.
func signaturesAdvice() []codeAdvice {
	const (
		changed = "A key that you trust signed the package with another file here: it was changed after it was installed."
		notSeen = "Nobody who is trusted vouches for it here. That accuses nobody: who signs was not asked, has no key here, or did not answer."
		allowed = "Package managers leave this to the administrator, to scripts or to options: installed files differ by it without anybody having done wrong."
		carried = "Whoever made the image could put it there: it is looked at, and proves nothing."
		farms   = "Build farms build the same packages, and sign what comes out. Where they and the image differ, the package does not come out the same twice, or somebody has other bytes than were built."
		keys    = "Name the key that you trust with --trusted-key FILE: a key that comes with the image proves nothing."
		archive = "Give the packages too, --packages DIR or URL: a snapshot of the archive by date has old ones."
	)
	return []codeAdvice{
		{codes: "signatures/apk-changed signatures/apk-script-changed signatures/apk-link signatures/apk-type signatures/deb-file-differs signatures/deb-kind-differs signatures/deb-link-differs signatures/deb-info-differs signatures/rpm-changed signatures/rpm-link signatures/rpm-type", why: changed,
			todo: "Ask who changed the file, and why; install the package again to have it as it was signed. Do not run the image before that is known."},
		{codes: "signatures/apk-setuid signatures/apk-capability signatures/apk-device signatures/deb-attribute-added signatures/deb-device-differs signatures/rpm-setuid signatures/rpm-capability signatures/rpm-device signatures/rpm-access-list", severity: lendsRights,
			why:  changed + " What was changed decides who has which rights.",
			todo: "Take back what the package does not have, and ask who gave it. Until somebody answers for it do not run the image."},
		{codes: "signatures/apk-mode signatures/apk-owner signatures/deb-mode-differs signatures/deb-owner-differs signatures/deb-folder-differs signatures/rpm-mode signatures/rpm-user signatures/rpm-group signatures/rpm-capability-lost",
			why:  "A key that you trust signed the package with another owner or mode, which decide who may write the file.",
			todo: "See which step of the build changes owners or modes. If that is meant, it belongs into the recipe."},
		{codes: "signatures/rpm-header-changed signatures/rpm-header-digest signatures/rpm-header-overridden signatures/deb-release-bad",
			why:  "What the package database or the archive says was signed, and the signature is not over these bytes: they were changed afterwards.",
			todo: "Do not rely on what it says. Install the package again from the archive, or get the Release file again."},
		{codes: "signatures/apk-replaced signatures/deb-file-replaced signatures/rpm-replaced",
			why:  "Another package, which is not verified, claims the file: whose it is depends on a record that nobody signed.",
			todo: "Have the other package verified too. " + keys},
		{codes: "signatures/deb-several", why: "The database says of one package that two versions of it are installed. Each file of the one or the other counts as signed, also one of an old version with known faults.",
			todo: "Ask how the image was made. Trust the version of no file of the package before its digest was looked at."},
		{codes: "signatures/files-left", why: "Everything else in the image was held against what a trusted key signed. Whoever changed the image, or added to it, could do so in these files alone.",
			todo: "Read them. audit provenance -o DIR lists all with their digests, in files.txt; most are what a Dockerfile copied, and what packages' scripts wrote."},
		{codes: "signatures/apk-config signatures/apk-files-absent signatures/apk-folder-is-link signatures/apk-no-content signatures/apk-owners-flat signatures/deb-compiled signatures/deb-config-changed signatures/deb-documentation signatures/deb-left-out signatures/deb-mode-by-script signatures/deb-mode-overridden signatures/deb-mode-perhaps-script signatures/deb-no-folder signatures/deb-owners-flat signatures/deb-removed signatures/deb-hard-link signatures/rpm-config signatures/rpm-docs-absent signatures/rpm-files-absent signatures/rpm-folder-is-link signatures/rpm-ghost signatures/rpm-locales-absent signatures/rpm-made signatures/rpm-no-digest signatures/rpm-owners-flat signatures/rpm-prelinked signatures/rpm-script", why: allowed,
			todo: "Nothing has to be wrong. Look at the file where what is in it decides something: a configuration, above all."},
		{codes: "signatures/deb-compiled-differs signatures/deb-compiled-foreign", title: "",
			why:  "Python runs byte code in place of its source where both fit together by name, time and size. This one does not come from the signed source.",
			todo: "Delete the byte code, or have it compiled again: a program that is run must come from the source that was signed."},
		{codes: "signatures/deb-contents-unread signatures/deb-unreadable signatures/deb-index-unreadable signatures/deb-release-unreadable signatures/apk-format signatures/apk-unread signatures/rpm-database signatures/rpm-files-unread signatures/rpm-digest-not-taken signatures/rpm-signature-unread signatures/cache",
			why:  "It could not be read, so that nothing was compared with it.",
			todo: "The finding says what stood in the way. Get it again, and look again; nothing speaks against the image."},
		{codes: "signatures/apk-no-key signatures/deb-no-key signatures/rpm-no-key signatures/apk-untrusted signatures/apk-none-verified signatures/rpm-untrusted-key signatures/rpm-none-verified signatures/deb-release-untrusted signatures/deb-release-not-verified", why: notSeen, todo: keys},
		{codes: "signatures/apk-no-source signatures/apk-names-only signatures/apk-not-here signatures/apk-other-package signatures/deb-names-only signatures/deb-no-release signatures/deb-none-listed signatures/deb-not-here signatures/deb-not-listed", why: notSeen, todo: archive},
		{codes: "signatures/apk-index-unsigned signatures/deb-index-unsigned signatures/deb-release-unsigned signatures/rpm-unsigned signatures/rpm-no-region signatures/rpm-payload-signed", why: notSeen,
			todo: "Install the package from a repository that signs it, or ask who built it how it can be verified."},
		{codes: "signatures/deb-release-expired signatures/deb-release-revoked signatures/rpm-expired-key signatures/rpm-revoked-key", why: "A key counts for what it signed while it was good.",
			todo: "Ask the vendor for the key that signs today, and for the package signed with it."},
		{codes: "signatures/rpm-weak-digest signatures/rpm-key-expires signatures/deb-archive signatures/deb-release-weak signatures/deb-release-also-bad", why: "Whoever relies on a signature relies on its key and its digest.", todo: worthKnowing},
		{codes: "signatures/apk-carried-key signatures/apk-carried-key-unread signatures/rpm-carried-key signatures/rpm-carried-key-unread signatures/rpm-carried-keys-beyond", why: carried,
			todo: "Nothing has to be done. Get the key from the vendor, compare its fingerprint, and name it with --trusted-key FILE."},
		{codes: "signatures/hash-differs", title: "A build farm signed other bytes of a store item", why: farms,
			todo: "Build the item yourself, with --fresh: either it does not build reproducibly, which its maintainers want to know, or this copy, or the farm's, was changed."},
		{codes: "signatures/hash-differs-as-builds-do signatures/farms-disagree signatures/references-differ signatures/other-image-differs signatures/rebuilder-differs signatures/rebuilder-failed", why: farms,
			todo: "Build the item yourself, with --fresh, where you depend on it: that shows whether it comes out the same twice."},
		{codes: "signatures/bad-signature", title: "An answer whose signature is not over it",
			why:  "The key is trusted, and the answer is not what it signed: somebody changed it, or the server is damaged. It says nothing of the image.",
			todo: "Ask again, over another network. If it stays, inform who runs the server."},
		{codes: "signatures/untrusted-key", title: "An answer signed by a key that is not trusted",
			why:  "Anybody can sign an answer: it counts when its key is trusted. It says nothing of the image.",
			todo: "If you trust the farm, name its key with --trusted-key FILE; else leave the server out."},
		{codes: "signatures/too-few-operators signatures/unknown-item signatures/unreachable signatures/unreachable-item signatures/rebuilder-not-verified signatures/rebuilder-unreachable signatures/rebuilt-by-too-few signatures/not-rebuilt signatures/rebuilder-hearsay", why: notSeen,
			todo: "Ask more farms or rebuilders, --substitutes URL and --trusted-key FILE, or the same again later; or build it yourself."},
		{codes: "signatures/follows signatures/rebuilt signatures/vouching", todo: worthKnowing},
		{codes: "signatures/differing signatures/disagreeing signatures/following signatures/no-items signatures/no-packages signatures/nothing-signed signatures/not-asked signatures/not-covered signatures/other-bad-answers signatures/other-images signatures/other-silences signatures/packages signatures/packages-differ signatures/signed", todo: howItEnded},
	}
}
