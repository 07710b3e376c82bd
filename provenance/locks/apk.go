package locks

import (
	"regexp"
	"strings"

	"audit/provenance/ospackages"
)

// Names and versions (apk-tools 2.14: apk_spn_dependency_separator and version.c).
var (
	apkName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+-]*$`)
	apkVersion = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*[a-z]?(_[a-z]+[0-9]*)*(~[0-9a-f]+)?(-r[0-9]+)?$`)
)

const (
	apkFile         = "packages.apk.lock"
	apkRepositories = "etc/apk/repositories"
)

// apkLock writes the packages of apk.
func apkLock(s Source) []*Lock {
	img, in := s.Image, s.Installed
	packages := of(in, ospackages.Apk)
	if len(packages) == 0 {
		return nil
	}
	var w writer
	w.begin(in, ospackages.Apk, apkFile, "NAME=VERSION")
	text, _, _ := img.Root().Content(apkRepositories)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if tag, rest, ok := strings.Cut(line, " "); ok && strings.HasPrefix(tag, "@") {
			line = strings.TrimSpace(rest)
		}
		if uri, ok := address(line); ok {
			w.comment("repository: %s", uri)
		}
	}
	w.comment("to install them again, where the repositories still have these versions: apk add $(sed '/^#/d' %s)", apkFile)
	for _, p := range packages {
		if !apkName.MatchString(p.Name) || !apkVersion.MatchString(p.Version) {
			w.leaveOut(p.Name, p.Version)
			continue
		}
		w.installed(&p, p.Name+"="+p.Version)
	}
	return []*Lock{w.finish()}
}
