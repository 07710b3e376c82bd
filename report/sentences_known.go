package report

// knownSentences are the sentences of the freedoms that packers, and other programs that write into
// images, are known to have, by code. Those of one packer alone stand with its build system.
func knownSentences() map[string]string {
	return map[string]string{
		"known/hidden-entries":           "the root file systems are the same at the paths of these entries, so that no container sees the difference: a later layer removes or replaces them, or another name leads to the same place; whoever takes the layers apart has them",
		"known/other-layering":           "the entries lie in other layers; the root file systems that the layers make up are the same",
		"known/other-layering-and-files": "the entries lie in other layers; the root file systems that the layers make up differ by what else is listed",

		"known/ldconfig-cache":   "ldconfig keeps inode numbers and times of libraries in its auxiliary cache",
		"known/package-logs":     "package managers write down when they have done what",
		"known/package-caches":   "package managers keep what they have fetched, and indexes made of it",
		"known/password-days":    "passwd and useradd write the day of the last change into /etc/shadow",
		"known/machine-id":       "systemd and dbus make up an identifier of the machine",
		"known/engine-files":     "container engines write the name and the network of the container",
		"known/fontconfig-cache": "fontconfig keeps the times of folders in its cache",
		"known/python-bytecode":  "Python keeps the time of the source in .pyc files, unless SOURCE_DATE_EPOCH is set or they are checked by hash (since 3.7)",
	}
}
