package records

import (
	"bytes"
	"strings"

	"github.com/package-url/packageurl-go"
)

// isComposer says whether a file lists the packages that Composer has installed.
func isComposer(p string) bool {
	return p == "vendor/composer/installed.json" || strings.HasSuffix(p, "/vendor/composer/installed.json")
}

// A composerPackage is one in the list.
type composerPackage struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	License []string `json:"license"`
	Dist    struct {
		URL    string `json:"url"`
		SHA1   string `json:"shasum"`
		Commit string `json:"reference"`
	} `json:"dist"`
}

// composer reads the list (Composer\Repository\FilesystemRepository): that of Composer 1 is
// an array, and Composer 2 has it in an object.
func (r *reader) composer(at found, body []byte) error {
	var list struct {
		Packages []composerPackage `json:"packages"`
	}
	var into any = &list
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		into = &list.Packages
	}
	if err := decode(body, into); err != nil {
		return err
	}
	for _, p := range list.Packages {
		if p.Name == "" {
			continue
		}
		vendor, name, ok := strings.Cut(p.Name, "/")
		if !ok {
			vendor, name = "", p.Name
		}
		r.add(Component{
			Ecosystem: Composer, Name: p.Name, Version: p.Version, Build: p.Dist.Commit, In: -1,
			Licenses: []License{{Text: strings.Join(p.License, ", "), Meaning: strings.Join(p.License, " OR ")}},
			Locator:  Locator{Type: packageurl.TypeComposer, Namespace: vendor, Name: name},
			URL:      publicURL(p.Dist.URL), Digests: hexDigest("sha1", p.Dist.SHA1),
		}, at.File)
	}
	return nil
}
