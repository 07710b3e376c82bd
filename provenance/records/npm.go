package records

import (
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
func (r *reader) npm(at found, body []byte) error {
	var described struct {
		Name     any
		Version  any
		License  any
		Licenses any
	}
	if err := decode(body, &described); err != nil {
		return err
	}
	name, _ := described.Name.(string)
	version, _ := described.Version.(string)
	if name == "" {
		return errors.New("it names no package")
	}
	scope, rest, ok := strings.Cut(name, "/")
	if !ok {
		scope, rest = "", name
	}
	r.add(Component{
		Ecosystem: Npm, Name: name, Version: version, In: -1,
		Licenses: npmLicenses(described.License, described.Licenses),
		Locator:  Locator{Type: packageurl.TypeNPM, Namespace: scope, Name: rest},
	}, at.File)
	return nil
}

// npmLicenses reads the field license, or its older forms: an object with a
// type, and a list of such objects, of which a user may choose one.
func npmLicenses(license, older any) []License {
	if text := licenseType(license); text != "" {
		return []License{{Text: text}}
	}
	list, ok := older.([]any)
	if !ok {
		return []License{{Text: licenseType(older)}}
	}
	var all []string
	for _, one := range list {
		all = append(all, licenseType(one))
	}
	return []License{{Text: strings.Join(all, " OR ")}}
}

func licenseType(value any) string {
	if object, ok := value.(map[string]any); ok {
		value = object["type"]
	}
	text, _ := value.(string)
	return text
}
