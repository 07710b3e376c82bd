package locks

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"audit/provenance/ospackages"
)

// Names and versions (Debian Policy 4.7, sections 5.6.7 and 5.6.12; architectures
// 11.1).
var (
	debName    = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	debVersion = regexp.MustCompile(`^([0-9]+:)?[0-9A-Za-z][A-Za-z0-9.+~-]*$`)
	debArch    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

const aptFile = "packages.apt.lock"

// aptLock writes the packages of dpkg.
func aptLock(s Source) []*Lock {
	img, in := s.Image, s.Installed
	packages := of(in, ospackages.Dpkg)
	if len(packages) == 0 {
		return nil
	}
	archive := ReadArchive(img, in)
	var w writer
	w.begin(in, ospackages.Dpkg, aptFile, "NAME=VERSION ARCHITECTURE")
	archive.describe(&w, architectures(packages))
	for _, p := range packages {
		if !debName.MatchString(p.Name) || !debVersion.MatchString(p.Version) || !debArch.MatchString(p.Arch) {
			w.leaveOut(p.Name, p.Version, p.Arch)
			continue
		}
		w.installed(&p, p.Name+"="+p.Version+" "+p.Arch)
	}
	return []*Lock{w.finish()}
}

// describe writes where the packages were from, and how to install them again.
func (a Archive) describe(w *writer, archs []string) {
	for _, s := range a.Sources {
		w.comment("source: %s %s %s", s.URI, strings.Join(s.Suites, " "), strings.Join(s.Components, " "))
	}
	if len(a.Suites()) == 0 {
		w.comment("suites: not known, apt's sources are not in the image")
	}
	for _, t := range a.Times {
		w.comment("time of the archive: %s, %s", t.stamp(), t.words())
	}
	if len(a.Times) == 0 {
		w.comment("time of the archive: not known")
	}
	if a.Again != "" {
		w.comment("the base image again, with debuerreotype: %s", a.Again)
	}
	if a.Snapshot() != "" && len(a.Suites()) > 0 {
		a.install(w, archs)
	}
}

// install writes the command that installs the packages again, and no others: without a
// variant mmdebstrap adds all that are important to an archive, and without the links into
// /usr what makes them.
func (a Archive) install(w *writer, archs []string) {
	names, option := `s/ .*//`, ""
	if len(archs) > 1 {
		names, option = `s/=\(.*\) \(.*\)/:\2=\1/; s/:all=/=/`, " --architectures="+strings.Join(archs, ",")
	}
	if a.Merged {
		option += " --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"
	}
	w.comment("the snapshot before the time in its address is taken: where that lacks a version, a later one may have it")
	w.comment(`to install them again: mmdebstrap --variant=essential%s \`, option)
	w.comment(`    --include="$(sed '/^#/d; %s' %s | paste -sd,)" %s root.tar \`, names, aptFile, a.Suites()[0])
	for n, s := range a.Suites() {
		end := ` \`
		if n == len(a.Suites())-1 {
			end = ""
		}
		w.comment("    'deb [check-valid-until=no] %s %s %s'%s", a.snapshotOf(s), s, strings.Join(a.components(), " "), end)
	}
}

// architectures are those of packages, that of most of them first; "all" is none.
func architectures(packages []ospackages.Package) []string {
	count := make(map[string]int)
	for _, p := range packages {
		if p.Arch != "all" && debArch.MatchString(p.Arch) {
			count[p.Arch]++
		}
	}
	return slices.SortedFunc(maps.Keys(count), func(a, b string) int { return cmp.Or(count[b]-count[a], cmp.Compare(a, b)) })
}

// components are those of all sources.
func (a Archive) components() []string {
	var all []string
	for _, s := range a.Sources {
		for _, c := range s.Components {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	if len(all) == 0 {
		all = []string{"main"}
	}
	return all
}
