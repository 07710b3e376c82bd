package records

import (
	"maps"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
)

// isDotnet says whether a file lists what a program of .NET needs.
func isDotnet(p string) bool { return strings.HasSuffix(p, ".deps.json") }

// dotnet reads the list (runtime-configuration-file.md of dotnet/sdk): of its libraries
// those that came as packages.
func (r *reader) dotnet(at found, body []byte) error {
	var list struct {
		Libraries map[string]struct {
			Type   string `json:"type"`
			SHA512 string `json:"sha512"`
		} `json:"libraries"`
	}
	if err := decode(body, &list); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(list.Libraries)) {
		name, version, ok := strings.Cut(key, "/")
		if l := list.Libraries[key]; ok && name != "" && l.Type == "package" {
			r.add(Component{
				Ecosystem: Nuget, Name: name, Version: version, Digests: integrity(l.SHA512), Locator: Locator{Type: packageurl.TypeNuget}, In: -1,
			}, at.File)
		}
	}
	return nil
}
