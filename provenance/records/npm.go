package records

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"path"
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
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
		// npm before 7 wrote where it had the package from.
		Integrity any `json:"_integrity"`
		Resolved  any `json:"_resolved"`
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
	c := Component{
		Ecosystem: Npm, Name: name, Version: version, In: -1,
		Licenses: npmLicenses(described.License, described.Licenses),
		Locator:  Locator{Type: packageurl.TypeNPM, Namespace: scope, Name: rest},
	}
	locked := r.locked(path.Dir(at.name), name+"@"+version)
	if locked == (npmLocked{}) {
		locked.Version = version
		locked.Integrity, _ = described.Integrity.(string)
		locked.Resolved, _ = described.Resolved.(string)
	}
	if locked.Version == version {
		c.URL, c.Digests = publicURL(locked.Resolved), integrity(locked.Integrity)
	}
	c.Origin = locked.origin(at)
	i := r.add(c, at.File)
	t, ok := r.tarballOf(c.Digests)
	project, _, _ := strings.Cut(at.name, "node_modules/")
	r.environment(project+"node_modules", Npm, !ok)
	if ok && r.charge(t.file, t.size) {
		putTarball(r.list(t.file, i, t.size), path.Dir(at.name), t)
	}
	return nil
}

// isNpmLock says whether a file is a lock: the hidden one, that npm leaves in
// node_modules of what it has installed there, or that of a project.
func isNpmLock(p string) bool {
	dir, name := path.Split(p)
	switch name {
	case ".package-lock.json":
		return path.Base(dir) == "node_modules"
	case "package-lock.json", "npm-shrinkwrap.json", yarnLockName, pnpmLockName:
		return !strings.Contains("/"+dir, "/node_modules/")
	}
	return false
}

// An npmLocked is a package in a lock (docs.npmjs.com/cli/v10/configuring-npm/package-lock-json,
// versions 2 and 3).
type npmLocked struct {
	Version   string `json:"version"`
	Resolved  string `json:"resolved"`
	Integrity string `json:"integrity"`
	Link      bool   `json:"link"` // to a folder, as that of a workspace
}

// origin is where a package is from that no registry has: a repository, a folder or a
// file. Those that pnpm has put elsewhere lie in a folder node_modules, too.
func (l npmLocked) origin(at found) string {
	switch kind, _, _ := strings.Cut(l.Resolved, ":"); {
	case l.Link, kind == "file", !isNpm(at.Path):
		return Local
	case strings.HasPrefix(kind, "git"):
		if npmRepository.MatchString(l.Resolved) {
			return l.Resolved
		}
		return Local
	}
	return ""
}

// npmRepository matches a commit of a repository as a lock has it.
var npmRepository = regexp.MustCompile(`^git\+(https|ssh)://(git@)?[A-Za-z0-9._~/%+-]+(:[0-9]+)?[A-Za-z0-9._~/%+-]*#[0-9a-f]{40,64}$`)

// locked returns what the lock of a project has of the package in a folder: npm's of the
// folder, and that of others of its name and version.
func (r *reader) locked(folder, title string) npmLocked {
	project, _, _ := strings.Cut(folder, "node_modules/")
	packages, ok := r.locks[project]
	if !ok {
		if packages = r.npmLock(project); packages == nil {
			packages = r.namedLock(project)
		}
		r.locks[project] = packages
	}
	if found, ok := packages[strings.TrimPrefix(folder, project)]; ok {
		return found
	}
	return packages[title]
}

// npmLock reads the lock of the project in a folder, by the path of each package; nil
// where there is none.
func (r *reader) npmLock(project string) map[string]npmLocked {
	for _, name := range []string{"node_modules/.package-lock.json", "npm-shrinkwrap.json", "package-lock.json"} {
		body, file, ok := r.beside(project + name)
		if !ok {
			continue
		}
		var lock struct {
			Packages map[string]npmLocked `json:"packages"`
		}
		if err := decode(body, &lock); err != nil {
			r.problem(file, "records/unread", "error", err)
			return nil
		}
		return lock.Packages
	}
	return nil
}

// integrity reads digests as browsers have them (W3C Subresource Integrity): the
// strongest, as npm does.
func integrity(text string) []v1.Hash {
	best := make(map[string]v1.Hash)
	for one := range strings.FieldsSeq(text) {
		algorithm, sum, _ := strings.Cut(one, "-")
		sum, _, _ = strings.Cut(sum, "?")
		if raw, err := base64.StdEncoding.DecodeString(sum); err == nil && len(raw) > 0 && len(raw) == sizeOf(algorithm) {
			best[algorithm] = v1.Hash{Algorithm: algorithm, Hex: hex.EncodeToString(raw)}
		}
	}
	for _, algorithm := range []string{"sha512", "sha384", "sha256", "sha1"} {
		if d, ok := best[algorithm]; ok {
			return []v1.Hash{d}
		}
	}
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
