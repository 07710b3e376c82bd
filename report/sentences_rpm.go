package report

// rpmSentences are the sentences of what is found of signed packages of rpm, by code.
func rpmSentences() map[string]string {
	return map[string]string{
		// Why nothing was verified.
		"signatures/rpm-database":      "it cannot be read, or not in full: which packages it has beside those that were verified is not known: {error}",
		"signatures/rpm-no-key":        "{packages:count package} of rpm, of which no signature can be verified: no OpenPGP key of the vendor is trusted (--trusted-key FILE)",
		"signatures/rpm-none-verified": "none of {packages:count package} of rpm is signed by a key that is trusted",

		// Packages.
		"signatures/rpm-unsigned":          "{count:count package} not signed: {names:list}[ and {beyond} more]",
		"signatures/rpm-no-region":         "{count:count package} without a part that could be signed ({error}): {names:list}[ and {beyond} more]",
		"signatures/rpm-payload-signed":    "{count:count package} with a signature of header and payload alone, and an image has no payload: {names:list}[ and {beyond} more]",
		"signatures/rpm-signature-unread":  "{count:count package} with a signature that cannot be read ({error})[, by the key {key}]: {names:list}[ and {beyond} more]",
		"signatures/rpm-untrusted-key":     "{count:count package} signed, as it says, by the key {key}, which is not trusted[; a key of that ID in the image calls itself {carried:quote}]: {names:list}[ and {beyond} more]",
		"signatures/rpm-revoked-key":       "{count:count package} signed by the key {key}, which was revoked: {names:list}[ and {beyond} more]",
		"signatures/rpm-expired-key":       "{count:count package} signed by the key {key} before it was made or after it had expired: {names:list}[ and {beyond} more]",
		"signatures/rpm-header-changed":    "{package}: the signature of the key {key}, which is trusted, is not of this header: the header was changed",
		"signatures/rpm-header-digest":     "{package}: its header was changed: it has the digest {computed}, and it says {recorded}",
		"signatures/rpm-header-overridden": "{package}: behind the part of its header that can be signed there are other values for the tags {tags:list}, which rpm takes for those of the package",
		"signatures/rpm-files-unread":      "{package}: the list of its files cannot be read",
		"signatures/rpm-weak-digest":       "{count:count package} signed over a SHA-1, of which who signs can make collisions: {names:list}[ and {beyond} more]",

		// Keys.
		"signatures/rpm-key-expires":         "the key {key} ({name}) is good until {day}; signatures are judged at the time they were made",
		"signatures/rpm-carried-key":         "the image carries the key {key} ({name}), which proves nothing: whoever made the image could put it there",
		"signatures/rpm-carried-keys-beyond": "the image carries more keys than {limit:size}, and the others were not read",
		"signatures/rpm-carried-key-unread":  "the image carries a key that cannot be read: {error}",

		// Files.
		"signatures/rpm-changed":          "another content than {package} has[: {found} here, {signed} signed]",
		"signatures/rpm-replaced":         "other than {package} has ({signed}): {found}, which is not verified, claims it too",
		"signatures/rpm-config":           "a configuration file of {package}, changed[: {found} here, {signed} signed]",
		"signatures/rpm-made":             "of {package}, which has it made again where it is installed[: {found} here, {signed} signed]",
		"signatures/rpm-script":           "another content than {package} has, and a script of a signed package names the file[: {found} here, {signed} signed]",
		"signatures/rpm-prelinked":        "another content than {package} has, maybe by prelink[: {found} here, {signed} signed]",
		"signatures/rpm-ghost":            "{package} only says that the file is its own: nobody signed what is in it",
		"signatures/rpm-no-digest":        "{package} has no digest of it",
		"signatures/rpm-digest-not-taken": "{package} has a digest of it by {signed}, which was not computed[{found}]",
		"signatures/rpm-type":             "{package} has a {signed} here, and it is a {found}",
		"signatures/rpm-folder-is-link":   "{package} has a {signed} here, and it is a link to {found}",
		"signatures/rpm-link":             "{package} has a link here to {signed}, and it leads to {found}",
		"signatures/rpm-device":           "{package} has the device {signed} here, and it is {found}",
		"signatures/rpm-mode":             "mode {found}, and {package} has {signed}",
		"signatures/rpm-setuid":           "setuid or setgid: mode {found}, and {package} has {signed}",
		"signatures/rpm-access-list":      "it has a list of who may access it ({found}), which {package} does not give it[{signed}]",
		"signatures/rpm-user":             "it belongs to the user {found}, and {package} gives it to {signed}",
		"signatures/rpm-group":            "it belongs to the group {found}, and {package} gives it to {signed}",
		"signatures/rpm-capability":       "it has the capabilities {found}, which {package} does not give it[; that gives it {signed}]",
		"signatures/rpm-capability-lost":  "it lacks capabilities that {package} gives it: {signed}[, and it has {found}]",
		"signatures/rpm-docs-absent":      "{count:count file} of documentation left out: {names:list}[ and {beyond} more]",
		"signatures/rpm-locales-absent":   "{count:count file} of languages left out: {names:list}[ and {beyond} more]",
		"signatures/rpm-owners-flat":      "all files of the image have one owner: owners were not compared",
		"signatures/rpm-files-absent":     "{count:count file} of signed packages not there: {names:list}[ and {beyond} more]",
	}
}
