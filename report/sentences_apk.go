package report

// apkSentences are the sentences of what is found of signed packages of apk, by code.
func apkSentences() map[string]string {
	return map[string]string{
		// Why nothing was verified.
		"signatures/apk-no-key":        "{packages:count package} of apk, of which no signature can be verified: no key of the distribution is trusted (--trusted-key FILE)",
		"signatures/apk-no-source":     "{packages:count package} of apk, which can be verified with the packages beside alone (--packages DIR or URL)",
		"signatures/apk-names-only":    "{packages:count package} of apk, of which {listed} are in a signed index, and the packages themselves are not here: their files are not traced",
		"signatures/apk-none-verified": "none of {packages:count package} of apk could be verified",

		// Packages.
		"signatures/apk-not-here":      "{count:count package} not beside the image[, of which a signed index has {listed}]: {names:list}[ and {beyond} more]",
		"signatures/apk-untrusted":     "{count:count package} that no trusted key signed, alone or in an index: {names:list}[ and {beyond} more]",
		"signatures/apk-other-package": "{count:count package} beside the image that differ from those that were installed under the same name and version: {names:list}[ and {beyond} more]",
		"signatures/apk-format":        "the database of apk has the format ADB of apk 3, which is not read here: nothing is known of the packages, nor of who signed them",
		"signatures/apk-unread":        "{error}",

		// Keys.
		"signatures/apk-index-unsigned":     "the index {index} is signed by no key that is trusted",
		"signatures/apk-carried-key":        "the image carries the key {key} ({name}), which proves nothing: whoever made the image could put it there",
		"signatures/apk-carried-key-unread": "the image carries a key that cannot be read: {error}",

		// Files.
		"signatures/apk-script-changed": "the script {script} of {package} is another here than in the signed package",
		"signatures/apk-changed":        "another content than {package} has: {found} here, {signed} signed",
		"signatures/apk-no-content":     "{package} has a hard link here to {signed:quote}, and no file there before it[{found}]",
		"signatures/apk-replaced":       "other than {package} has ({signed}): {found}, which is not verified, claims it too",
		"signatures/apk-config":         "a configuration file of {package}, changed: {found} here, {signed} signed",
		"signatures/apk-type":           "{package} has a {signed} here, and it is a {found}",
		"signatures/apk-folder-is-link": "{package} has a {signed} here, and it is a link to {found}",
		"signatures/apk-link":           "{package} has a link here to {signed}, and it leads to {found}",
		"signatures/apk-device":         "{package} has the device {signed} here, and it is {found}",
		"signatures/apk-mode":           "mode {found}, and {package} has {signed}",
		"signatures/apk-setuid":         "setuid or setgid: mode {found}, and {package} has {signed}",
		"signatures/apk-capability":     "it has capabilities ({found}) that {package} does not give it[; that gives it {signed}]",
		"signatures/apk-owner":          "it belongs to {found}, and {package} gives it to {signed}",
		"signatures/apk-owners-flat":    "all files of the image have one owner: owners were not compared",
		"signatures/apk-files-absent":   "{count:count file} of signed packages not there: {names:list}[ and {beyond} more]",
	}
}
