package locks

import (
	"regexp"
	"strings"

	"audit/provenance/ospackages"
)

// Names, versions and architectures (rpm 4.18, build/parsePreamble.c: ALLOWED_CHARS_NAME,
// ALLOWED_CHARS_VERREL).
var (
	rpmName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+-]*$`)
	rpmVersion = regexp.MustCompile(`^([0-9]+:)?[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+$`)
	rpmArch    = regexp.MustCompile(`^[a-z0-9_]+$`)
)

const rpmFile = "packages.rpm.lock"

// rpmLock writes the packages of rpm.
func rpmLock(s Source) []*Lock {
	in := s.Installed
	packages := of(in, ospackages.Rpm)
	if len(packages) == 0 {
		return nil
	}
	var w writer
	w.begin(in, ospackages.Rpm, rpmFile, "NAME-EPOCH:VERSION-RELEASE.ARCHITECTURE")
	w.comment("to install them again, where the repositories still have these versions: dnf install $(sed '/^#/d' %s)", rpmFile)
	for _, p := range packages {
		if !rpmName.MatchString(p.Name) || !rpmVersion.MatchString(p.Version) || !rpmArch.MatchString(p.Arch) {
			w.leaveOut(p.Name, p.Version, p.Arch)
			continue
		}
		version := p.Version
		if !strings.Contains(version, ":") {
			version = "0:" + version
		}
		w.installed(&p, p.Name+"-"+version+"."+p.Arch)
	}
	return []*Lock{w.finish()}
}
