package sbom

import (
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance/ospackages"

	"github.com/package-url/packageurl-go"
)

// system adds the packages of the distribution, as its package manager's
// database lists them.
func (f *finder) system() {
	for i := range f.os.Packages {
		p := &f.os.Packages[i]
		if p.Name == "" {
			continue
		}
		license := f.known.declared(p.License)
		if p.Manager == ospackages.Dpkg {
			license = f.debianLicense(p.Name)
		}
		f.keys[systemKey(p)] = f.add(Part{
			Ecosystem: Ecosystem(p.Manager), Name: p.Name, Version: p.Version, Arch: p.Arch,
			License: license, PURL: systemPURL(p, f.os.Release),
			CPE:      cpe(p.Name, upstream(p.Manager, p.Version)),
			Evidence: []Place{{p.Layer, p.Path}},
		})
	}
	f.needs()
	for _, p := range f.os.Problems {
		f.gaps = append(f.gaps, Gap{Place{p.Layer, p.Path}, p.Message})
	}
}

// maxNamesakes bounds the packages of one name that are tried: of several
// architectures and versions, and all that provide it.
const maxNamesakes = 100

// maxRelations bounds what packages of the distribution depend on, all together.
// The largest distribution has some hundred thousand for all of its packages.
const maxRelations = 200_000

// needs ties the packages of the distribution to those that they depend on: to
// the first alternative that is there.
func (f *finder) needs() {
	byName := make(map[string][]*ospackages.Package)
	for i := range f.os.Packages {
		p := &f.os.Packages[i]
		for _, name := range append([]string{p.Name}, p.Provides...) {
			name = string(p.Manager) + " " + name
			if len(byName[name]) < maxNamesakes {
				byName[name] = append(byName[name], p)
			}
		}
	}
	relations := 0
	for i := range f.os.Packages {
		p := &f.os.Packages[i]
		part := f.found[f.keys[systemKey(p)]]
		if part == nil {
			continue
		}
		if relations += len(p.Needs); relations > maxRelations {
			f.gaps = append(f.gaps, Gap{Place{p.Layer, p.Path}, check.Say("sbom/too-many-relations", "limit", maxRelations)})
			return
		}
		for _, names := range p.Needs {
			for _, name := range names {
				if on := nearest(p, name, byName[string(p.Manager)+" "+name]); on != nil {
					part.DependsOn = append(part.DependsOn, f.keys[systemKey(on)])
					break
				}
			}
		}
		slices.Sort(part.DependsOn)
		part.DependsOn = slices.DeleteFunc(slices.Compact(part.DependsOn), func(key string) bool { return key == part.Key || key == "" })
	}
}

// nearest returns the package that p means by a name: one of that name before
// those that provide it, and one of p's architecture before others. It is nil
// when there is none.
func nearest(p *ospackages.Package, name string, found []*ospackages.Package) *ospackages.Package {
	var best *ospackages.Package
	least := 0
	for _, q := range found {
		far := 1
		if q.Name != name {
			far += 2
		}
		if q.Arch != p.Arch {
			far++
		}
		if best == nil || far < least {
			best, least = q, far
		}
	}
	return best
}

func systemKey(p *ospackages.Package) string {
	return strings.Join([]string{string(p.Manager), p.Name, p.Version, p.Arch}, "\x00")
}

// systemPURL returns the package URL of a distribution's package (purl-spec,
// types deb, apk and rpm). The namespace is the distribution; upstream is the
// source package where it has another name, and distro the release, in the
// forms that scanners take.
func systemPURL(p *ospackages.Package, release ospackages.Release) string {
	kind := map[ospackages.Manager]string{
		ospackages.Dpkg: packageurl.TypeDebian, ospackages.Apk: packageurl.TypeApk, ospackages.Rpm: packageurl.TypeRPM,
	}[p.Manager]
	qualifiers := map[string]string{"arch": p.Arch, "distro": strings.Trim(release.ID+"-"+release.Version, "-")}
	if release.ID == "" {
		qualifiers["distro"] = ""
	}
	if p.Source != p.Name {
		qualifiers["upstream"] = p.Source
	}
	version := p.Version
	if epoch, rest, ok := strings.Cut(version, ":"); ok && p.Manager == ospackages.Rpm {
		qualifiers["epoch"], version = epoch, rest
	}
	namespace := release.ID
	if namespace == "rhel" {
		namespace = "redhat" // the vendor, as everybody's package URLs have it
	}
	return newPURL(kind, namespace, p.Name, version, qualifiers)
}

// upstream returns the version that the authors of a package gave it, without
// what the distribution added: epoch and revision.
func upstream(m ospackages.Manager, version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok && m != ospackages.Apk {
		version = rest
	}
	separator := "-"
	if m == ospackages.Apk {
		separator = "-r"
	}
	if i := strings.LastIndex(version, separator); i > 0 {
		version = version[:i]
	}
	return version
}
