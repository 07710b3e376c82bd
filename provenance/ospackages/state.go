package ospackages

import (
	"path"
	"slices"
	"strings"
)

// State says whether the file at path is part of what a package manager keeps
// for itself: the database, and beside it the scripts of packages that are
// installed. No package owns these.
func (in *Installed) State(p string) bool {
	p = in.links.Real(p)
	return slices.ContainsFunc(in.Databases, func(d Database) bool {
		dir := path.Dir(d.Path)
		if p == dir || p == path.Dir(dir) {
			return true
		}
		rest, ok := strings.CutPrefix(p, dir+"/")
		if !ok {
			return d.Manager == Apk && p == "etc/apk/world"
		}
		switch {
		case d.Manager == Dpkg && strings.HasPrefix(rest, "info/"):
			return in.describes(strings.TrimPrefix(rest, "info/"))
		case d.Manager == Dpkg && path.Base(dir) != path.Base(dpkgParts):
			return dpkgState(rest)
		}
		return !strings.Contains(rest, "/") || d.Manager == Dpkg
	})
}

// describes says whether a file of dpkg's folder info is that of a package that
// is installed: NAME.SUFFIX, or NAME:ARCH.SUFFIX.
func (in *Installed) describes(file string) bool {
	if file == "format" {
		return true
	}
	suffix := path.Ext(file)
	if suffix == "" {
		return false
	}
	stem := strings.TrimSuffix(file, suffix)
	name, arch, _ := strings.Cut(stem, ":")
	at, found := slices.BinarySearchFunc(in.Packages, name, func(p Package, name string) int {
		if p.Manager != Dpkg {
			return strings.Compare(string(p.Manager), string(Dpkg))
		}
		return strings.Compare(p.Name, name)
	})
	for ; found && at < len(in.Packages) && in.Packages[at].Name == name; at++ {
		if arch == "" || in.Packages[at].Arch == arch {
			return true
		}
	}
	return false
}

// dpkgState names the files in dpkg's folder that dpkg and its companions write
// (dpkg 1.22; update-alternatives, dpkg-divert, dpkg-statoverride).
func dpkgState(rest string) bool {
	top, _, deep := strings.Cut(rest, "/")
	switch strings.TrimSuffix(top, "-old") {
	case "status", "available", "diversions", "statoverride", "lock", "lock-frontend", "arch", "cmethopt", "info", "parts", "updates":
		return !deep
	case "alternatives", "triggers":
		return true
	}
	return false
}
