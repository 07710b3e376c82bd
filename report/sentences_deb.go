package report

// debSentences are those of packages of Debian's format, which are verified against the
// archive that signed them.
func debSentences() map[string]string {
	return map[string]string{
		// Why nothing was verified.
		"signatures/deb-no-key":      "no key of an archive is trusted (--trusted-key): of {packages:count Debian package} nothing was verified",
		"signatures/deb-no-release":  "no Release file that a trusted key signed was found, in the image or with --packages: of {packages:count Debian package} nothing was verified",
		"signatures/deb-names-only":  "of {packages:count Debian package}, {listed} are listed by name, version and digest in an archive that a trusted key signed, and the packages themselves are not here (--packages): their files are not traced",
		"signatures/deb-none-listed": "none of {packages:count Debian package} is listed in an archive that a trusted key signed",

		// Archives.
		"signatures/deb-archive":              "{archive}, of {date}[, valid until {until}], is signed by {keys:list}: judged at the time of the signature",
		"signatures/deb-release-not-verified": "it is not verified: {reason}",
		"signatures/deb-release-unsigned":     "it has no signature",
		"signatures/deb-release-unreadable":   "{error}",
		"signatures/deb-release-untrusted":    "it is signed by the key {key}, which is not trusted",
		"signatures/deb-release-bad":          "the signature by the key {key} is not over these bytes",
		"signatures/deb-release-expired":      "the key {key} had expired when it signed",
		"signatures/deb-release-revoked":      "the key {key} was revoked",
		"signatures/deb-release-weak":         "{archive} is signed over a SHA-1, of which who signs can make collisions",
		"signatures/deb-release-also-bad":     "another signature, by the key {key}, which is trusted too, is not over these bytes",
		"signatures/deb-index-unreadable":     "it cannot be read: {error}",
		"signatures/deb-index-unsigned":       "no signed Release file names it",

		// Packages.
		"signatures/deb-not-here":            "{package} {version} is listed in {archive}, which is signed, and the package itself is not here: its files are not traced",
		"signatures/deb-not-listed":          "{package} {version} is in no archive that a trusted key signed",
		"signatures/deb-several":             "{package} is installed as {one} and as {other}, which dpkg does not do: a file may be of either",
		"signatures/deb-unreadable":          "{package} cannot be read: {error}",
		"signatures/deb-contents-unread":     "contents of the image could not be read again: files that are made from others were not all looked into",
		"signatures/deb-left-out":            "{count:count file} of {package} {version} not in the image, which dpkg was told to leave out",
		"signatures/deb-removed":             "{count:count file} of {package} {version} not in the image, which dpkg was not told to leave out: {names:list}[ and {beyond} more]",
		"signatures/deb-documentation":       "{count:count file} of documentation and translations not in the image, which dpkg can be told to leave out",
		"signatures/deb-file-differs":        "other than in the signed package {package} {version}: {computed} here, {signed} signed",
		"signatures/deb-config-changed":      "a configuration file of {package} {version} that was changed: {computed} here, {signed} signed",
		"signatures/deb-kind-differs":        "a {computed} here, a {signed} in the signed package {package} {version}",
		"signatures/deb-link-differs":        "a link to {computed:quote} here, to {signed:quote} in the signed package {package} {version}",
		"signatures/deb-mode-differs":        "mode {computed} here, {signed} in the signed package {package} {version}",
		"signatures/deb-mode-overridden":     "mode {computed} here, {signed} in the signed package {package} {version}; an override of the administrator names it",
		"signatures/deb-mode-by-script":      "{computed} here[, {signed}] in the signed package {package} {version}; a script of the package sets it",
		"signatures/deb-mode-perhaps-script": "{computed} here, {signed} in the signed package {package} {version}; a script of a package may have set it",
		"signatures/deb-owner-differs":       "owner {computed} here, {signed} in the signed package {package} {version}",
		"signatures/deb-attribute-added":     "it has the extended attribute {attribute:quote}, which the signed package {package} {version} has not",
		"signatures/deb-folder-differs":      "mode and owner {computed} here, {signed} in the signed package {package} {version}",
		"signatures/deb-file-replaced":       "other than in the signed package {package}: {other}, which is not verified, says to have it",
		"signatures/deb-hard-link":           "a hard link to {link:quote} in the signed package {package} {version}, which has no such file before it: the content is not compared",
		"signatures/deb-no-folder":           "a {computed} here, a folder in the signed package {package} {version}",
		"signatures/deb-device-differs":      "the device {computed} here, {signed} in the signed package {package} {version}",
		"signatures/deb-info-differs":        "other than in the control files of the signed package {package} {version}",
		"signatures/deb-compiled":            "{count:count file} of byte code of Python name their signed sources by time and size, or by a digest; that they are compiled from these is not shown",
		"signatures/deb-compiled-differs":    "byte code that is not of its source {source} by version, time, size or digest",
		"signatures/deb-compiled-foreign":    "byte code with the name {name:quote}, which its source {source} does not have",
		"signatures/deb-owners-flat":         "all files of the image have one owner: owners were not compared",
	}
}
