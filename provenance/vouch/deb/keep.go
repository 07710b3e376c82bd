package deb

import (
	"audit/inspect/paths"
	"path"
	"strings"
)

// aptLists is where apt keeps what archives have.
const aptLists = "var/lib/apt/lists"

// Keep says whether the content of a file of an image is looked into.
func Keep(p string) bool {
	dir, base := paths.Split(p)
	switch {
	case dir == dpkgFolder, dir == infoFolder, dir == partFolder, dir == dpkgFolder+"/alternatives", dir == dpkgFolder+"/triggers":
		return true
	case dir == aptLists: // lists of packages are large: see indexes.image
		return isRelease(base) || isClear(base) || strings.HasSuffix(base, "_Release.gpg")
	case dir == "etc", dir == "etc/apt":
		return keptOfEtc(base) || base == "sources.list"
	case dir == "etc/apt/sources.list.d", IsKeyring(p), p == dpkgConfig, dir == dpkgConfig+".d":
		return true
	case dir == "var/cache/debconf", dir == pamState, dir == "var/lib/systemd/deb-systemd-helper-enabled", p == "var/lib/shells.state", p == "var/lib/apt/extended_states", p == "etc/os-release", p == "usr/lib/os-release":
		return true
	}
	return path.Base(dir) == "__pycache__" && strings.HasSuffix(base, ".pyc") && strings.HasPrefix(p, "usr/")
}

// keptOfEtc says the same of names in etc.
func keptOfEtc(base string) bool {
	switch strings.TrimSuffix(base, "-") {
	case "passwd", "group", "shadow", "gshadow", "subuid", "subgid", "shells", "ca-certificates.conf", "ld.so.cache", "timezone":
		return true
	}
	return false
}

// IsKeyring says whether a file is one of the keys that apt trusts in the image: they
// are shown where no key is trusted, too.
func IsKeyring(p string) bool {
	dir := paths.Above(p)
	switch path.Ext(p) {
	case ".gpg", ".asc", ".pgp":
		return dir == "usr/share/keyrings" || dir == "etc/apt/trusted.gpg.d" || dir == "etc/apt/keyrings" || p == "etc/apt/trusted.gpg"
	}
	return false
}

// keepSigned says which contents of packages are kept: those that files of the image
// are made from.
func keepSigned(p string) bool {
	for _, folder := range []string{"usr/share/base-passwd/", "usr/share/ca-certificates/", "usr/share/debianutils/", "lib/systemd/system/", "usr/lib/systemd/system/", "usr/share/pam/", "usr/share/pam-configs/", "usr/share/base-files/", sysusersFolder} {
		if strings.HasPrefix(p, folder) {
			return true
		}
	}
	return strings.HasPrefix(p, "etc/ld.so.conf") || strings.HasPrefix(p, "usr/") && strings.HasSuffix(p, ".py")
}
