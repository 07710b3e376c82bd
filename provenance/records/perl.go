package records

import (
	"errors"
	"path"
	"strings"

	"github.com/package-url/packageurl-go"
)

// isPerl says whether a file is what cpanm, cpm and carton leave of a distribution that they
// installed: .meta/NAME-VERSION/install.json (App::cpanminus 1.7).
func isPerl(p string) bool {
	dir, name := path.Split(p)
	return name == "install.json" && path.Base(path.Dir(strings.TrimSuffix(dir, "/"))) == ".meta"
}

// perl reads it. It lists modules, and no digests of files.
func (r *reader) perl(at found, body []byte) error {
	var installed struct {
		Name    string `json:"name"`
		Version any    `json:"version"`
		Dist    string `json:"dist"`     // NAME-VERSION
		Path    string `json:"pathname"` // on CPAN: A/AU/AUTHOR/NAME-VERSION.tar.gz
	}
	if err := decode(body, &installed); err != nil {
		return err
	}
	name, version, ok := cutLast(installed.Dist, "-")
	if !ok {
		name, version = strings.ReplaceAll(installed.Name, "::", "-"), ""
	}
	if text, isText := installed.Version.(string); isText && version == "" {
		version = text
	}
	if name == "" {
		return errors.New("it names no package")
	}
	c := Component{Ecosystem: Perl, Name: name, Version: strings.TrimPrefix(version, "v"), In: -1}
	if parts := strings.Split(installed.Path, "/"); len(parts) == 4 && parts[2] != "" {
		c.Locator = Locator{Type: packageurl.TypeCpan, Namespace: parts[2]}
	} else {
		c.Origin = Local // an archive or a folder that CPAN does not have under this path
	}
	r.add(c, at.File)
	r.environment(path.Dir(path.Dir(path.Dir(at.name))), Perl, true)
	return nil
}
