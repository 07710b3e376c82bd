package records

import (
	"errors"
	"path"
	"regexp"

	"github.com/package-url/packageurl-go"
)

// isJulia says whether a file describes a package in a depot of Julia:
// packages/NAME/SLUG/Project.toml (Pkg.jl 1.11, "Glossary": depot).
func isJulia(p string) bool {
	return juliaProject.MatchString("/" + p)
}

var juliaProject = regexp.MustCompile(`/packages/[A-Za-z_][A-Za-z0-9_]*/[A-Za-z0-9]{5}/(Julia)?Project\.toml$`)

// Of a project file the texts before its first table are read ("Project.toml and
// Manifest.toml" of Pkg.jl).
var (
	juliaTable = regexp.MustCompile(`(?m)^\s*\[`)
	juliaField = regexp.MustCompile(`(?m)^(name|uuid|version|license)\s*=\s*"([^"\\\n]*)"`)
)

// julia reads a project file. What the files of its package are is in none: the manifest
// of an environment has the hash of the whole as a tree of Git, which is not taken.
func (r *reader) julia(at found, body []byte) error {
	if table := juliaTable.FindIndex(body); table != nil {
		body = body[:table[0]]
	}
	fields := make(map[string]string)
	for _, m := range juliaField.FindAllSubmatch(body, maxFields) {
		fields[string(m[1])] = string(m[2])
	}
	if fields["name"] == "" {
		return errors.New("it names no package")
	}
	c := Component{Ecosystem: Julia, Name: fields["name"], Version: fields["version"], In: -1, Licenses: []License{{Text: fields["license"]}}}
	if uuid := fields["uuid"]; uuid != "" {
		c.Locator = Locator{Type: packageurl.TypeJulia, Qualifiers: map[string]string{"uuid": uuid}}
	}
	r.add(c, at.File)
	r.environment(path.Dir(path.Dir(path.Dir(at.name))), Julia, true)
	return nil
}
