package records

import (
	"strings"

	"github.com/package-url/packageurl-go"
)

// isComposer says whether a file lists the packages that Composer 2 has installed.
func isComposer(p string) bool {
	return p == "vendor/composer/installed.json" || strings.HasSuffix(p, "/vendor/composer/installed.json")
}

// composer reads the list (Composer\Repository\FilesystemRepository).
func (r *reader) composer(at found, body []byte) error {
	var list struct {
		Packages []struct {
			Name    string   `json:"name"`
			Version string   `json:"version"`
			License []string `json:"license"`
			Dist    struct {
				URL    string `json:"url"`
				SHA1   string `json:"shasum"`
				Commit string `json:"reference"`
			} `json:"dist"`
		} `json:"packages"`
	}
	if err := decode(body, &list); err != nil {
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
