package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"strings"

	"github.com/package-url/packageurl-go"
)

// isNpm says whether a file describes an installed package of npm:
// node_modules/NAME/package.json or node_modules/@SCOPE/NAME/package.json.
// Other files of that name belong to what packages bring with them.
func isNpm(p string) bool {
	dir, ok := strings.CutSuffix(p, "/package.json")
	if !ok {
		return false
	}
	parent := path.Dir(dir)
	if strings.HasPrefix(path.Base(parent), "@") {
		parent = path.Dir(parent)
	}
	return path.Base(parent) == "node_modules"
}

// npm reads a package.json (docs.npmjs.com/cli/v10/configuring-npm/package-json).
func (f *finder) npm(body []byte) (Part, error) {
	var described struct {
		Name     any
		Version  any
		License  any
		Licenses any
	}
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &described); err != nil {
		return Part{}, errors.New("it is no JSON object")
	}
	name, _ := described.Name.(string)
	version, _ := described.Version.(string)
	if name == "" {
		return Part{}, errors.New("it names no package")
	}
	scope, rest, ok := strings.Cut(name, "/")
	if !ok {
		scope, rest = "", name
	}
	return Part{
		Ecosystem: Npm, Name: name, Version: version,
		License: f.npmLicense(described.License, described.Licenses),
		PURL:    newPURL(packageurl.TypeNPM, scope, rest, version, nil),
	}, nil
}

// npmLicense reads the field license, or its older forms: an object with a
// type, and a list of such objects, of which a user may choose one.
func (f *finder) npmLicense(license, older any) License {
	if text := licenseType(license); text != "" {
		return f.known.declared(text)
	}
	list, ok := older.([]any)
	if !ok {
		return f.known.declared(licenseType(older))
	}
	var all []string
	for _, one := range list {
		all = append(all, licenseType(one))
	}
	return f.known.declared(strings.Join(all, " OR "))
}

func licenseType(value any) string {
	if object, ok := value.(map[string]any); ok {
		value = object["type"]
	}
	text, _ := value.(string)
	return text
}
