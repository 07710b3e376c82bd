package debs

// sentences are those of the codes that only this system uses.
func sentences() map[string]string {
	return map[string]string{
		"derivation/none-of-packages": "packages that are installed have no derivation to evaluate",

		"plan/package-signed":     "{archive} lists it with this digest, signed by a key that was given",
		"plan/packages-not-given": "whose packages to install, and by which keys they are signed, has to be given with --debian-packages and --debian-keyring",
		"plan/packages-unlisted":  "{count:count package} in no index that the keyring signed, which cannot be installed again: {names:list}",
		"plan/packages-missing":   "the folder has no file of {name} with the digest that the index names",
		"plan/packages-none":      "the image has no package of dpkg's",
		"plan/packages-foreign":   "the packages are of the architectures {names:list}: they are installed only where their scripts run",
		"plan/packages-folder":    "the packages cannot be read: {error}",
	}
}
