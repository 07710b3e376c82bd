package sbom

import (
	"strings"

	"github.com/package-url/packageurl-go"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// purl returns the package URL of an item that is a package, "" when its store's
// ecosystem is not known: that is the type.
//
// The package URL specification has no types for Guix and Nix yet, "guix" and
// "nix" are candidates (package-url/purl-spec, issues 149 and 876, proposal
// 877). The form here follows what others print for them:
//
//	pkg:guix/NAME@VERSION?commit=C&output=O&outputhash=H&repository_url=U
//	pkg:nix/NAME@VERSION?output=O&outputhash=H
//
// There is no namespace: a channel's name is whatever its user calls it, and
// that a package is one of nixpkgs, as the proposal's namespace says, no image
// says. The channel is its address, repository_url as for any repository, at
// a commit, as in the proposal. output is left out for the main one.
// outputhash is the hash in the store path, as syft has it; it alone distinguishes two
// builds of one version.
func (it *Item) purl() string {
	qualifiers := map[string]string{"output": it.Output}
	base := it.Path[strings.LastIndexByte(it.Path, '/')+1:]
	if len(base) > hashChars {
		qualifiers["outputhash"] = base[:hashChars]
	}
	if it.Channel != nil {
		qualifiers["commit"] = it.Channel.Commit
		qualifiers["repository_url"] = it.Channel.URL
	}
	return newPURL(string(it.Ecosystem), "", it.Name, it.Version, qualifiers)
}

// imagePURL returns the package URL of an image, "" when it has no name. With
// a manifest that was observed its type is oci, whose version is the digest of
// the manifest; otherwise docker, whose version can be the image ID, which is
// the digest of the config.
func imagePURL(reference, tag string, config, manifest v1.Hash) string {
	namespace, name := "", reference
	if slash := strings.LastIndexByte(reference, '/'); slash >= 0 {
		namespace, name = reference[:slash], reference[slash+1:]
	}
	zero := v1.Hash{}
	qualifiers := make(map[string]string)
	switch {
	case manifest != zero:
		qualifiers["repository_url"] = reference
		qualifiers["tag"] = tag
		return newPURL(packageurl.TypeOCI, "", name, manifest.String(), qualifiers)
	case config != zero:
		host, rest, _ := strings.Cut(namespace, "/")
		if strings.ContainsAny(host, ".:") || host == "localhost" {
			namespace, qualifiers["repository_url"] = rest, host
		}
		return newPURL(packageurl.TypeDocker, namespace, name, config.String(), qualifiers)
	}
	return ""
}

// newPURL returns a package URL in its canonical form, "" when there is none
// for these parts. Empty qualifiers are left out.
func newPURL(kind, namespace, name, version string, qualifiers map[string]string) string {
	for key, value := range qualifiers {
		if value == "" {
			delete(qualifiers, key)
		}
	}
	p := packageurl.NewPackageURL(kind, namespace, name, version, packageurl.QualifiersFromMap(qualifiers), "")
	if err := p.Normalize(); err != nil {
		return ""
	}
	text := p.ToString()
	if _, err := packageurl.FromString(text); err != nil {
		return ""
	}
	return text
}
