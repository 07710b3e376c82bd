package records

import (
	"errors"
	"path"
	"strings"

	"github.com/package-url/packageurl-go"
)

// isConda says whether a file is the record of a package in an environment of conda.
func isConda(p string) bool {
	dir, name := path.Split(p)
	return strings.HasSuffix(name, ".json") && path.Base(dir) == "conda-meta"
}

// A condaRecord is what conda writes of a package that it installed (conda's
// PrefixRecord and PathsData, of conda 24; mamba and micromamba write the same).
type condaRecord struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Build   string `json:"build"`
	Channel any    `json:"channel"`
	Subdir  string `json:"subdir"`
	File    string `json:"fn"`
	URL     string `json:"url"`
	MD5     string `json:"md5"`
	SHA256  string `json:"sha256"`
	License any    `json:"license"`
	Files   []any  `json:"files"`
	Paths   struct {
		Paths []condaPath `json:"paths"`
	} `json:"paths_data"`
}

// A condaPath is a file of a package: with the digest that it has there and, where
// conda wrote the prefix into it, that which it has in the environment.
type condaPath struct {
	Path        string `json:"_path"`
	Type        string `json:"path_type"`
	SHA256      string `json:"sha256"`
	InPrefix    string `json:"sha256_in_prefix"`
	Placeholder string `json:"prefix_placeholder"`
}

func (r *reader) conda(at found, body []byte) error {
	var record condaRecord
	if err := decode(body, &record); err != nil {
		return err
	}
	if record.Name == "" {
		return errors.New("it names no package")
	}
	license, _ := record.License.(string)
	i := r.add(Component{
		Ecosystem: Conda, Name: record.Name, Version: record.Version, Arch: record.Subdir, Build: record.Build, In: -1,
		Licenses: []License{{Text: license}}, URL: publicURL(record.URL), Locator: record.locator(),
		Digests: append(hexDigest("sha256", record.SHA256), hexDigest("md5", record.MD5)...),
	}, at.File)
	prefix := path.Dir(path.Dir(at.name))
	r.environment(prefix, Conda, false)
	l := r.list(at.File, i, len(body))
	moved := r.isThere(prefix + "/bin/conda-unpack")
	for _, p := range record.Paths.Paths {
		if p.Path != "" && p.Type != "directory" && !p.put(l, prefix, moved) {
			return nil
		}
	}
	for _, name := range record.Files {
		if name, ok := name.(string); ok && len(record.Paths.Paths) == 0 && !l.putAny(under(prefix, name), Listed) {
			return nil
		}
	}
	return nil
}

// put takes a file into the list. One into which conda wrote the prefix without a record
// of the outcome, and a link, of which conda records what it leads to in the package,
// are accused of nothing. Where conda-pack moved the environment, its script conda-unpack
// wrote another prefix into the files that have one, and left their digests alone.
func (p *condaPath) put(l *list, prefix string, moved bool) bool {
	otherwise := Differs
	if moved && p.Placeholder != "" {
		otherwise = Unread
	}
	if p.Type == "softlink" || p.Placeholder != "" && p.InPrefix == "" || p.InPrefix == "" && p.SHA256 == "" {
		otherwise = Listed
	}
	return l.putAny(under(prefix, p.Path), otherwise, append(hexDigest("sha256", p.InPrefix), hexDigest("sha256", p.SHA256)...)...)
}

// locator has the qualifiers of purl-spec's type conda.
func (c *condaRecord) locator() Locator {
	kind := "tar.bz2"
	if strings.HasSuffix(c.File, ".conda") {
		kind = "conda"
	}
	channel, _ := c.Channel.(string)
	channel = strings.TrimSuffix(strings.TrimSuffix(channel, "/"), "/"+c.Subdir)
	return Locator{Type: packageurl.TypeConda, Qualifiers: map[string]string{
		"build": c.Build, "channel": channel[strings.LastIndexByte(channel, '/')+1:], "subdir": c.Subdir, "type": kind,
	}}
}
