package sbom

import (
	"slices"
	"strings"
)

// hashChars is the length of the hash in a store path, without the dash.
const hashChars = 32

// baseName returns NAME of the path of a store item, "/STORE/HASH-NAME".
func baseName(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	if len(base) > hashChars+1 {
		return base[hashChars+1:]
	}
	return base
}

// splitName splits the name of a store item into the package's name, version
// and output. The version starts after the first dash that is followed by what
// starts one, by the rule of the store; without one there is no version. An
// output follows the version, after a dash, and only those that packages commonly
// have are distinguished from a part of the version.
func (s Store) splitName(base string) (name, version, output string) {
	for i := 0; i+1 < len(base); i++ {
		if base[i] == '-' && s.startsVersion(base[i+1]) {
			name, version = base[:i], base[i+1:]
			break
		}
	}
	if name == "" {
		return base, "", ""
	}
	if i := strings.LastIndexByte(version, '-'); i > 0 && slices.Contains(outputs(), version[i+1:]) {
		version, output = version[:i], version[i+1:]
	}
	return name, version, output
}

func (s Store) startsVersion(c byte) bool {
	if s.StartsVersion != nil {
		return s.StartsVersion(c)
	}
	return c >= '0' && c <= '9'
}

// outputs are the names of outputs beside "out" that are common in the package
// collections of stores.
func outputs() []string {
	return []string{"bin", "debug", "dev", "doc", "gui", "include", "info", "lib", "man", "static", "tk", "utils"}
}
